"""The operator registers the stack's webhook at Captions by hand, with the stack's own key."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.stack import Stack
from simulators.provider_apis import ProviderApis
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.captions_stack import make_room
from testkit.fixtures.cli import MediaSite, dailies
from testkit.fixtures.provider_client import NOT_SET, Providers
from testkit.support.wait import wait_for


@pytest.fixture
def captions(site: MediaSite, stack: Stack, stack_apis: ProviderApis, providers: Providers) -> Iterator[ProviderApis]:
    """Its key is set, and its rate limit is raised: a test makes more than five calls a minute."""
    secret_id = f"{stack.stack_name}/captions/api"
    providers.ever_secret.update(stack_apis.captions.credentials.values())
    stack.aws.secretsmanager.put_secret_value(
        SecretId=secret_id, SecretString=json.dumps(stack_apis.captions.credentials)
    )
    limits, stack_apis.captions.part.gate.limits = stack_apis.captions.part.gate.limits, []
    yield stack_apis
    stack_apis.captions.part.gate.limits = limits
    stack.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=NOT_SET)


def with_room(stack: Stack) -> None:
    """A minute has passed: the stack's own count of calls to Captions starts over."""
    make_room(stack.aws, stack.outputs["TableName"])


def test_it_is_registered_once_given_a_new_secret_and_deleted(
    captions: ProviderApis, stack: Stack, providers: Providers
) -> None:
    before = {one.id for one in captions.captions.registrations}
    with_room(stack)
    assert "creator.success" in dailies("webhooks", "captions", "events").out
    first = dailies("webhooks", "captions", "register", "--json").json
    with_room(stack)
    again = dailies("webhooks", "captions", "register", "--json").json
    assert (first["is_new"], again["is_new"], again["id"]) == (True, False, first["id"])
    (made,) = [one for one in captions.captions.registrations if one.id not in before]
    assert made.url == f"{stack.webhook_base_url}/webhooks/captions/creator"
    with_room(stack)
    found = {one["about"]: one["status"] for one in json.loads(dailies("doctor", "--json").out)}
    assert found["Captions' webhook"] == "ok"
    unknown = providers.proven("captions/creator", b"{}", secret="what Captions may have made a moment ago")
    with ThreadPoolExecutor(1) as beside:
        updated = beside.submit(dailies, "webhooks", "captions", "update", made.id, "--yes")
        wait_for(
            "whom nobody knows comes again", lambda: providers.send_once(unknown).status, lambda status: status == 503
        )
        assert updated.result().code == 0
    assert providers.send(unknown).status == 401  # again
    providers.use_secret("captions/signing", made.secret)
    listed = dailies("webhooks", "captions", "list", "--json")
    assert [one["is_this_stack"] for one in listed.json if one["id"] == made.id] == [True]
    assert made.secret not in listed.out
    call = providers.proven("captions/creator", b'{"event":"creator.failure","operationId":"hooked"}')
    wait_for("its new secret verifies", lambda: providers.send(call).status, lambda status: status == 200)
    with_room(stack)
    refused = dailies("webhooks", "captions", "delete", made.id)
    assert (refused.code, "Delete" in refused.err) == (1, True)
    assert dailies("webhooks", "captions", "delete", made.id, "--yes").code == 0
    assert {one.id for one in captions.captions.registrations} == before
    with_room(stack)
    for command in ("update", "delete"):
        gone = dailies("webhooks", "captions", command, made.id, "--yes")
        assert (gone.code, f"has no webhook {made.id}" in gone.err) == (1, True)


def test_one_that_lacks_events_is_not_in_order_and_registering_gives_it_all_of_them(
    captions: ProviderApis, stack: Stack, providers: Providers
) -> None:
    made = captions.captions.register(f"{stack.webhook_base_url}/webhooks/captions/creator")
    made.enabled_events, old_secret = ["creator.success"], made.secret
    everything = sorted(captions.captions.webhooks.events)
    try:
        with_room(stack)
        (found,) = [one for one in json.loads(dailies("doctor", "--json").out) if one["about"] == "Captions' webhook"]
        assert (found["status"], "is not registered for creator.failure" in found["message"]) == ("error", True)
        assert found["next_step"] == "`dailies webhooks captions register`"
        with_room(stack)
        done = dailies("webhooks", "captions", "register", "--json").json
        assert (done["id"], done["is_new"], done["events"]) == (made.id, False, everything)
        assert sorted(made.enabled_events) == everything
        assert made.secret != old_secret
        providers.use_secret("captions/signing", made.secret)
        call = providers.proven("captions/creator", b'{"event":"creator.failure","operationId":"all-events"}')
        wait_for("its new secret verifies", lambda: providers.send(call).status, lambda status: status == 200)
    finally:
        del captions.captions.webhooks.registered[made.id]


def test_another_stacks_webhook_keeps_its_secret(captions: ProviderApis, stack: Stack) -> None:
    other = captions.captions.register("https://staging.example.com/webhooks/captions/creator")
    secret = other.secret
    with_room(stack)
    try:
        done = dailies("webhooks", "captions", "update", other.id, "--yes")
        assert (done.code, "which is not this stack's URL" in done.err) == (1, True)
        assert (other.secret, other.updates) == (secret, 0)
    finally:
        captions.captions.webhooks.registered.pop(other.id)


def test_a_job_is_submitted_with_a_webhook_that_is_registered_and_tracked(
    captions: ProviderApis, stack: Stack, owner: Owner, tmp_path: Path
) -> None:
    made = captions.captions.register(f"{stack.webhook_base_url}/webhooks/captions/creator")
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"script": "Hello.", "webhookId": made.id}))
    with_room(stack)
    try:
        submitted = dailies("submit", "captions/submit", str(body), "--json").json
        assert captions.captions.job(submitted["job_id"]).webhook_id == made.id
        owner.resting("captions", submitted["job_id"], "waiting")
    finally:
        del captions.captions.webhooks.registered[made.id]
