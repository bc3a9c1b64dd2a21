"""The flows of the functions that change a secret: invoked by CloudFormation, Secrets Manager and the schedule.

Deliveries continue meanwhile, so the secret in use is restored after each change: it is always the current or the
previous version.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from resilience.roles.flows import ROTATING, Ground, credentials, ends_denied, ends_well
from simulators.provider_apis.captions_webhooks import Registration
from simulators.webhook_server import webhook
from testkit.fixtures.captions_stack import KEY, SIGNING, SecretsManager, make_room
from testkit.support.functions import start_anew
from testkit.support.wait import wait_for

TOKEN = "creatify/token"


@contextmanager
def in_use(on: Ground, secret: str) -> Iterator[SecretsManager]:
    """Reserve a secret for one flow; at the end, the value in use is current again."""
    with ROTATING[secret]:
        rotation = SecretsManager(on.stack, secret, on.function)
        try:
            yield rotation
        finally:
            rotation.put(on.providers.secrets[secret])


@contextmanager
def as_captions(on: Ground) -> Iterator[Registration]:
    """The stack's webhook is registered at Captions, without a rate limit."""
    captions, url = on.apis.captions, on.stack.outputs["CaptionsCreatorUrl"]
    captions.part.gate.limits = []
    for other in [other for other in captions.registrations if other.url == url]:  # by an update of the stack
        captions.webhooks.registered.pop(other.id)
    make_room(on.stack.aws, on.stack.outputs["TableName"])
    one = captions.register(url)
    on.providers.ever_secret.add(one.secret)
    try:
        yield one
    finally:
        captions.webhooks.registered.pop(one.id)


# ---- CloudFormation -> register --------------------------------------------------------------------------------------


def ask(on: Ground, request_type: str, url: str) -> str:
    """CloudFormation's request for a webhook with this URL: the error, empty if it succeeded."""
    make_room(on.stack.aws, on.stack.outputs["TableName"])
    aws, api_url = on.stack.aws, on.apis.captions.base_url
    key = aws.secretsmanager.describe_secret(SecretId=KEY)["ARN"]
    with webhook() as formation:
        event = {
            "RequestType": request_type,
            "ResponseURL": formation.url,
            "ResourceProperties": {"Url": url, "ApiUrl": api_url, "ApiSecretArn": key},
            "StackId": "s",
            "RequestId": "r",
            "LogicalResourceId": "CaptionsWebhook",
            "PhysicalResourceId": "w",
        }
        aws.functions.invoke(FunctionName=on.stack.functions[on.function], Payload=json.dumps(event).encode())
        (answer,) = formation.deliveries
        return "" if answer.body["Status"] == "SUCCESS" else str(answer.body["Reason"])


def registering(on: Ground, name: str) -> Iterator[None]:
    url = f"https://{on.providers.job(name)}.example.com/webhooks/captions/creator"
    on.apis.captions.part.gate.limits = []

    def registered() -> list[str]:
        return [one.secret for one in on.apis.captions.registrations if one.url == url]

    with in_use(on, SIGNING) as secret:
        ends_denied(lambda: ask(on, "Create", url))
        assert registered() == []
        secret.put(on.providers.captions)
        yield
        ends_well(lambda: ask(on, "Create", url))
        assert registered() == [secret.current()]
        ends_well(lambda: ask(on, "Delete", url))
        assert registered() == []


# ---- Secrets Manager -> rotate ---------------------------------------------------------------------------------------


def taking_what_captions_shows(on: Ground, name: str) -> Iterator[None]:
    """The state after an update whose response was lost."""
    with in_use(on, SIGNING) as secret, as_captions(on) as one:
        version = secret.begin()
        ends_denied(lambda: secret.step("setSecret", version))
        yield
        ends_well(lambda: secret.step("setSecret", version))
        ends_well(lambda: secret.step("testSecret", version))
        ends_well(lambda: secret.step("finishSecret", version))
        assert secret.current() == one.secret


def reading_the_key(on: Ground, name: str) -> Iterator[None]:
    start_anew(on.stack, [on.function])  # otherwise it may have the key in memory for a minute
    yield from taking_what_captions_shows(on, name)


def having_captions_make_one(on: Ground, name: str) -> Iterator[None]:
    with in_use(on, SIGNING) as secret, as_captions(on) as one:
        secret.put(one.secret)
        version = secret.begin()
        ends_denied(lambda: secret.step("setSecret", version))
        secret.put(on.providers.captions)
        yield
        secret.put(one.secret)
        version = secret.begin()
        ends_well(lambda: secret.step("setSecret", version))
        on.providers.ever_secret.add(one.secret)
        secret.cancel(version)


def making_a_token(on: Ground, name: str) -> Iterator[None]:
    with in_use(on, TOKEN) as secret:
        version = secret.begin()
        ends_denied(lambda: secret.step("createSecret", version))
        yield
        ends_well(lambda: secret.step("createSecret", version))
        ends_well(lambda: secret.step("testSecret", version))
        secret.cancel(version)


def finishing(on: Ground, name: str) -> Iterator[None]:
    of_captions = on.function == "RotateCaptionsSecret"
    with in_use(on, SIGNING if of_captions else TOKEN) as secret, as_captions(on) if of_captions else nullcontext():
        before, version = secret.current(), secret.begin()
        for step in ("createSecret", "setSecret"):
            ends_well(partial(secret.step, step, version))
        ends_denied(lambda: secret.step("finishSecret", version))
        assert secret.current() == before
        yield
        ends_well(lambda: secret.step("finishSecret", version))
        assert secret.current() != before
        on.providers.ever_secret.add(secret.current())


# ---- The schedule -> fetch -------------------------------------------------------------------------------------------


def fetching(on: Ground, name: str) -> Iterator[None]:
    sync, value = on.apis.sync, f"whsec_{on.providers.job(name)}"
    with in_use(on, "sync/signing") as secret, credentials(on, "sync"):
        used, sync.signing_secret = sync.signing_secret, value
        try:
            # A run of the schedule may have read no credentials, and its worker may serve the next run.
            wait_for("it is denied", lambda: secret.invoke({}), lambda error: "AccessDenied" in error)
            yield
            wait_for("it is fetched", lambda: (secret.invoke({}), secret.current()), lambda seen: seen == ("", value))
        finally:
            sync.signing_secret = used
