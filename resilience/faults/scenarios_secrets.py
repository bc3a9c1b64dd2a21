"""The scenarios of changing secrets: a token and a signing secret rotate, another one is fetched, a webhook is
registered. Each case has its own secret, and its own webhook at Captions, so that hundreds change at once.

After any failure, the secret that the provider uses now is among the versions that verify calls, or the tag says that
it is being changed, so that no delivery is rejected permanently. At the end the right value is current, and the
previous one still verifies calls.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from local import rotation
from resilience.faults.case_runner import ASYNCHRONOUS_TRIES, MAX_ATTEMPTS, CaseRunner, Ending, Scenario

UPDATING = "dailies:updating-until"
MAX_DEPLOYS = 3


class Secret:
    """A case's own secret. `in_use`: the value that signs calls now, if there is one."""

    def __init__(self, runner: CaseRunner, name: str, value: str, in_use: Callable[[], str | None]) -> None:
        self._life = runner
        self.client = runner.account.aws.secretsmanager
        self.before = value
        self.in_use = in_use
        made = self.client.create_secret(
            Name=f"{runner.account.stack.stack_name}/{name}-{runner.case}", SecretString=value or "not-set"
        )
        self.arn = made["ARN"]

    def values(self) -> dict[str, str]:
        """The values by stage, without versions that have no value yet."""
        found: dict[str, str] = {}
        for version, stages in self.client.describe_secret(SecretId=self.arn)["VersionIdsToStages"].items():
            try:
                value = self.client.get_secret_value(SecretId=self.arn, VersionId=version).get("SecretString", "")
            except self.client.exceptions.ResourceNotFoundException:
                continue
            found |= dict.fromkeys(stages, value)
        self._life.account.ever_secret |= {*found.values()} - {"not-set"}
        return found

    def invoke(self, name: str, event: Any, **own: str) -> bool:
        """Invoke a function that changes this secret, and check that authentic calls still verify. Returns whether it
        succeeded."""
        done = self._life.invoke(name, event, SIGNING_SECRET_ID=self.arn, **own).done
        used = self.in_use()
        tags = self.client.describe_secret(SecretId=self.arn).get("Tags", [])
        if used and used not in self.values().values() and UPDATING not in [tag["Key"] for tag in tags]:
            self._life.problems.append("what is in use just now verifies nowhere")
        return done

    def ends_with(self, value: str) -> None:
        """Check that this value is current, the one before (if there was one) is previous, and there is no other."""
        wanted = {"AWSCURRENT": value, "AWSPREVIOUS": self.before or self.values().get("AWSPREVIOUS", "")}
        if (found := self.values()) != wanted:
            wrong = sorted(stage for stage in found.keys() | wanted if found.get(stage) != wanted.get(stage))
            self._life.problems.append(f"the secret's versions ended wrong: {', '.join(wrong)}")


def _rotate(runner: CaseRunner, function: str, secret: Secret, **own: str) -> None:
    """Rotate like Secrets Manager: repeat each step until it succeeds."""
    version = rotation.begin(secret.client, secret.arn)
    for step in rotation.STEPS:
        event = rotation.step_event(step, secret.arn, version)
        if not any(secret.invoke(function, event, **own) for _ in range(MAX_ATTEMPTS)):
            runner.problems.append(f"{function} never ended {step} well")


def token(runner: CaseRunner) -> Ending:
    """The token in Creatify's URL rotates; Creatify keeps calling its old URL."""
    before = f"{runner.case}token"
    secret = Secret(runner, "creatify/token", before, lambda: before)
    _rotate(runner, "RotateCreatifyToken", secret)
    secret.ends_with(secret.values().get("AWSCURRENT", ""))
    if secret.values().get("AWSCURRENT") == before:
        runner.problems.append("the token has not changed")
    return Ending({})


def signing(runner: CaseRunner) -> Ending:
    """The secret of the webhook at Captions rotates: Captions makes the new one, once."""
    captions = runner.account.apis.captions
    url = _webhook_url(runner)
    one = captions.register(url)
    secret = Secret(runner, "captions/signing", one.secret, lambda: one.secret)
    _rotate(runner, "RotateCaptionsSecret", secret, WEBHOOK_URL=url)
    secret.ends_with(one.secret)
    if one.updates != 1:
        runner.problems.append(f"Captions made {one.updates} new secrets")
    captions.webhooks.registered.pop(one.id)
    return Ending({})


def fetched(runner: CaseRunner) -> Ending:
    """Sync's signing secret has changed; the schedule runs again."""
    sync = runner.account.apis.sync
    secret = Secret(runner, "sync/signing", f"{runner.case}before", lambda: None)
    for _ in range(MAX_ATTEMPTS):
        secret.invoke("FetchSyncSecret", {})
        if secret.values()["AWSCURRENT"] == sync.signing_secret:
            break
    secret.ends_with(sync.signing_secret)
    return Ending({})


def registered(runner: CaseRunner) -> Ending:
    """A stack registers its webhook at Captions; after a failure, CloudFormation rolls back, and the owner deploys
    again."""
    captions, url = runner.account.apis.captions, _webhook_url(runner)

    def there() -> list[Any]:
        return [one for one in captions.registrations if one.url == url]

    secret = Secret(runner, "captions/signing", "", lambda: there()[0].secret if there() else None)
    for _ in range(MAX_DEPLOYS):
        told = _asked(runner, secret, "Create", url)
        if told.get("Status") == "SUCCESS":
            break
        _asked(runner, secret, "Delete", url, PhysicalResourceId=told.get("PhysicalResourceId", "none"))
    ones = there()
    if len(ones) != 1:
        runner.problems.append(f"{len(ones)} webhooks are registered")
    for one in ones:
        secret.ends_with(one.secret)
        captions.webhooks.registered.pop(one.id)
    return Ending({})


def _asked(runner: CaseRunner, secret: Secret, request: str, url: str, **more: str) -> dict[str, Any]:
    """CloudFormation's request, and the response to it. Each request has its own response URL."""
    account = runner.account
    name = f"{runner.case}{uuid4()}"
    key = account.aws.secretsmanager.describe_secret(SecretId=f"{account.stack.stack_name}/captions/api")["ARN"]
    event = {
        "RequestType": request,
        "ResponseURL": f"{account.formation.url}/{name}",
        "ResourceProperties": {"Url": url, "ApiUrl": account.apis.captions.base_url, "ApiSecretArn": key},
        "StackId": "stack",
        "RequestId": name,
        "LogicalResourceId": "CaptionsWebhook",
        **more,
    }
    any(secret.invoke("RegisterCaptionsWebhook", event) for _ in range(ASYNCHRONOUS_TRIES))
    told = [delivery.body for delivery in account.formation.deliveries if delivery.path.endswith(name)]
    if not told:
        runner.problems.append("CloudFormation was never answered")
        return {}
    last: dict[str, Any] = told[-1]
    return last


def _webhook_url(runner: CaseRunner) -> str:
    return f"https://{runner.case}stack.example.com/webhooks/captions/creator"


CHANGING_SECRETS: dict[str, Scenario] = {
    "token": token,
    "signing": signing,
    "fetched": fetched,
    "registered": registered,
}
