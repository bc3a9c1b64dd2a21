"""The stack with the parameter by which it registers its webhook at Captions, and Secrets Manager, which rotates
secrets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import rotating
from local.apis import ProviderApis
from local.aws import Aws
from local.stack import Stack, alone
from local.up import end, up
from tests.waiting import wait_for

SIGNING = "captions/signing"
KEY = "owners/key"
"""The owner's secret with the API's key."""
TOO_SLOW = ("timeout on endpoint URL", "AWS did not answer: ReadTimeout", "AWS did not answer: ConnectTimeout")


def was_too_slow(error: str) -> bool:
    """Whether a function has ended with this because AWS did not answer it in time, as on a busy machine."""
    return any(words in error for words in TOO_SLOW)


class SecretsManager:
    """Rotates one secret by one function, as on AWS."""

    def __init__(self, stack: Stack, secret: str, function: str) -> None:
        self.secret_id = f"{stack.stack_name}/{secret}"
        self._secrets = stack.aws.secretsmanager
        self._functions = stack.aws.functions
        self._function = stack.functions[function]

    def begin(self) -> str:
        """A version that is pending and has no value yet."""
        return rotating.begin(self._secrets, self.secret_id)

    def step(self, step: str, version: str) -> str:
        """What the function failed with; empty where it did not. It is called again, as AWS calls it, where AWS was too
        slow for it, and for nothing else."""
        event = rotating.step_event(step, self.secret_id, version)
        return wait_for("AWS is in time", lambda: self.invoke(event), lambda error: not was_too_slow(error))

    def invoke(self, event: dict[str, str]) -> str:
        """The same of any call of the function."""
        answer = self._functions.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        told = json.loads(answer["Payload"].read())
        return str(told) if answer.get("FunctionError") else ""

    def rotate(self) -> None:
        """All steps; an AssertionError where one fails."""
        version = self.begin()
        for step in rotating.STEPS:
            assert self.step(step, version) == "", step

    def cancel(self, version: str) -> None:
        """A rotation that was begun is over."""
        rotating.cancel(self._secrets, self.secret_id, version)

    def put(self, value: str) -> None:
        """Make this value the current one, where it is not."""
        if value != self.current():
            self._secrets.put_secret_value(SecretId=self.secret_id, SecretString=value)

    def current(self) -> str:
        """The value that is the current one."""
        return self._secrets.get_secret_value(SecretId=self.secret_id)["SecretString"]


def make_room(aws: Aws, table: str) -> None:
    """Forget what was taken of Captions' rate limit within the last minute."""
    aws.dynamodb.delete_item(TableName=table, Key={"pk": {"S": "allowance#captions"}, "sk": {"S": "allowance"}})


@contextmanager
def deployed(folder: Path, apis: ProviderApis, **parameters: str) -> Iterator[Stack]:
    """The stack with all functions that it can have, while the context lasts: it has registered its webhook.

    That is taken out of the simulated register again: its URL is one of AWS's, which nothing here is to call.
    """

    def set_key(aws: Aws) -> dict[str, str]:
        made = aws.secretsmanager.create_secret(Name=KEY, SecretString=json.dumps(apis.captions.credentials))
        return {"CaptionsApiSecretArn": made["ARN"]}

    urls = {f"{api.part.provider.title()}ApiUrl": api.base_url for api in (apis.sync, apis.creatify, apis.captions)}
    with alone(folder / "run"):  # another test run of this checkout waits: the two would share the folder
        end(folder)  # of a run that was killed
        try:
            stack = up(
                folder,
                urls | parameters,
                emulator_port=0,
                webhook_port=0,
                record=True,
                prepare=set_key,
            )
            (one,) = apis.captions.registrations
            held = stack.aws.secretsmanager.get_secret_value(SecretId=f"{stack.stack_name}/{SIGNING}")["SecretString"]
            assert (one.url, one.id) == (stack.outputs["CaptionsCreatorUrl"], stack.outputs["CaptionsWebhookId"])
            assert held == one.secret
            del apis.captions.webhooks.registered[one.id]
            yield stack
        finally:
            end(folder)
