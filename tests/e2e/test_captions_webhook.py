"""A stack that is created, updated and deleted leaves the simulated Captions with exactly 1, 1 and 0 registrations.

The stack is the part of the template that registers, with the URL as a parameter. The role, the function and the layer
are the real ones. The API accepts its five calls a minute.
"""

import json
import time
from collections.abc import Iterator

import pytest

from local import emulator_gaps
from local.logs import lines
from local.stack import Stack
from simulators.provider_apis import ProviderApis, provider_apis
from testkit.fixtures.captions_stack import make_room
from testkit.fixtures.partial_stack import SmallStack, part
from testkit.fixtures.provider_client import Providers

NAME = "registering"
NOTHING = {"Ref": "AWS::NoValue"}  # with a domain, a key: what the webhook would depend on
URL = "https://{}.example.com/webhooks/captions/creator"


@pytest.fixture(scope="module")
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=3) as running:
        yield running


@pytest.fixture(scope="module")
def small(stack: Stack, apis: ProviderApis) -> Iterator[SmallStack]:
    """Missing at the start, deleted in the end."""
    template = part(
        emulator_gaps.processed_template(stack.aws, stack.stack_name),
        "CaptionsWebhook",
        Url={"Ref": "Url"},
        Release={"Ref": "Release"},
        Mapping=NOTHING,
        Key=NOTHING,
    )
    template["Parameters"] |= {name: {"Type": "String"} for name in ("Url", "Release")}
    small = SmallStack(stack.aws, NAME, template)
    yield small
    small.delete()


@pytest.fixture(scope="module")
def key(stack: Stack, apis: ProviderApis, providers: Providers) -> str:
    """The ARN of the owner's secret with the API key."""
    providers.ever_secret.add(apis.captions.api_key)  # is in no log, as test_silence.py checks
    made = stack.aws.secretsmanager.create_secret(
        Name="owners/captions", SecretString=json.dumps(apis.captions.credentials)
    )
    return made["ARN"]


def secret(stack: Stack, apis: ProviderApis, providers: Providers) -> str:
    """The stored secret is that of the only registration."""
    (one,) = apis.captions.registrations
    held = stack.aws.secretsmanager.get_secret_value(SecretId=f"{NAME}/captions/signing")["SecretString"]
    assert held == one.secret
    providers.ever_secret.add(held)
    return held


def test_one_registration_one_with_a_new_secret_none(
    stack: Stack, small: SmallStack, apis: ProviderApis, key: str, providers: Providers
) -> None:
    def a_minute_later() -> None:
        apis.clock.forward(60)
        make_room(stack.aws, small.resource("Table"))

    began = time.time()
    given = {"CaptionsApiSecretArn": key, "CaptionsApiUrl": apis.captions.base_url, "Release": "1"}
    assert small.create(Url=URL.format("first"), **given) == "CREATE_COMPLETE"
    (one,) = apis.captions.registrations
    assert (small.resource("CaptionsWebhook"), one.url) == (one.id, URL.format("first"))
    first = secret(stack, apis, providers)

    a_minute_later()  # no need to wait for the rate limit; another test does
    assert small.update(Url=URL.format("second"), **given) == "UPDATE_COMPLETE"
    (one,) = apis.captions.registrations
    assert (small.resource("CaptionsWebhook"), one.url) == (one.id, URL.format("second"))
    second = secret(stack, apis, providers)
    assert second != first

    a_minute_later()
    apis.captions.webhooks.events.append("creator.progress")
    assert small.update(Url=URL.format("second"), **(given | {"Release": "2"})) == "UPDATE_COMPLETE"
    (one,) = apis.captions.registrations
    assert sorted(one.enabled_events) == ["creator.failure", "creator.progress", "creator.success"]
    assert secret(stack, apis, providers) not in (first, second)

    groups = {NAME: small.resource("RegisterCaptionsWebhookLogs")}
    logged = "\n".join(line.message for line in lines(stack.aws, groups, int(began * 1000)))
    assert "REPORT" in logged
    assert apis.captions.api_key not in logged

    a_minute_later()
    small.delete()
    assert apis.captions.registrations == []
    assert {request.headers["x-api-key"] for request in apis.requests} == {apis.captions.api_key}


def test_a_creation_that_fails_says_why_and_leaves_none(
    stack: Stack, small: SmallStack, apis: ProviderApis, key: str
) -> None:
    apis.clock.forward(60)
    apis.captions.fail(403, path="/webhooks/register")
    given = {"CaptionsApiSecretArn": key, "CaptionsApiUrl": apis.captions.base_url, "Release": "1"}
    assert small.create(Url=URL.format("third"), **given) in ("ROLLBACK_COMPLETE", "CREATE_FAILED")
    assert "captions /webhooks/register: the provider's API answered 403" in "\n".join(small.failures())
    assert apis.captions.registrations == []
