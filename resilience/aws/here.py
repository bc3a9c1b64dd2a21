"""The emulated AWS as a place for the smoke test: the same `sam`, the same command, the same AWS calls, as far as it
supports them. The code of `make up` does what the emulator lacks."""

import json
import os
import platform
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from cli import stack as operator
from cli.stack import Stack
from local import emulator, ports, rotation
from local import stack as local_stack
from local.aws import CONFIG
from local.up import complete, end, start_cloudwatch
from resilience.aws.steps import expect
from simulators.provider_apis import ProviderApis, provider_apis

KEY = "aws-smoke/captions-key"


class Here:
    """An emulated AWS of its own, and the providers' simulated APIs."""

    names_the_stack = False
    lacks = {"throttling": "the emulated API Gateway keeps ThrottleRate and turns nobody away"}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        end(folder)  # left by a killed run
        self._ends = ExitStack()
        self._ends.callback(end, folder)
        try:
            self._aws = emulator.start(folder, ports.choose(0, 0))
            self._apis: ProviderApis = self._ends.enter_context(provider_apis())
            emulator.wait_until_ready(folder, self._aws.port)
        except BaseException:
            self.close()
            raise

    @property
    def session(self) -> boto3.Session:
        return self._aws.session

    @cached_property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        return kept | {
            "AWS_ACCESS_KEY_ID": self._aws.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._aws.aws_secret_access_key,
            "AWS_DEFAULT_REGION": self._aws.region,
            "AWS_ENDPOINT_URL": self._aws.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "SAM_CLI_POLL_DELAY": "0.2",  # seconds; SAM's default of 5, meant to spare AWS, takes most of a deploy here
            "DAILIES_LOCAL": str(self._folder),
        }

    @cached_property
    def parameters(self) -> dict[str, str]:
        secrets = self.client("secretsmanager")
        made = secrets.create_secret(Name=KEY, SecretString=json.dumps(self._apis.captions.credentials))
        return {
            "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
            "PrivateMediaHosts": "127.0.0.1",
            "CaptionsApiUrl": self._apis.captions.base_url,
            "CaptionsApiSecretArn": made["ARN"],
        }

    def client(self, service: str) -> Any:
        return self._aws.session.client(service, endpoint_url=self._aws.endpoint_url, config=CONFIG)  # type: ignore[call-overload]

    def complete(self, name: str) -> Stack:
        local_stack.write(complete(self._aws, name, 0, self._folder), self._folder)
        start_cloudwatch(self._folder)
        return operator.local(self._folder)

    def rotate(self, stack: Stack, secret: str, function: str) -> str:
        secret_id = f"{stack.name}/{secret}"
        version = rotation.begin(stack.secretsmanager, secret_id)
        for step in rotation.STEPS:
            event = rotation.step_event(step, secret_id, version)
            answer = stack.functions.invoke(FunctionName=stack.output(function), Payload=json.dumps(event).encode())
            told = answer["Payload"].read().decode()
            expect(not answer.get("FunctionError"), f"{step} of {secret} failed: {told}")
        return "Secrets Manager's part played"

    def close(self) -> None:
        self._ends.close()
