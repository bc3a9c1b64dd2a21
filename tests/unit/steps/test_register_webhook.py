"""A stack's webhook at Captions, as CloudFormation creates, updates and deletes it: registered once, its secret stored,
and the same after a crash at any point.

The API is the simulated one, with its five calls a minute; waiting advances its clock. moto keeps the secrets.
"""

from collections.abc import Callable, Iterator
from time import time
from typing import Any

import pytest

from dailies.aws.custom_resource import Outcome
from dailies.aws.secret_versions import SETTLE_SECONDS
from dailies.aws.secrets import UPDATING_UNTIL
from dailies.aws.table import Table
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.captions import CAPTIONS
from dailies.steps.register_webhook import NOT_REGISTERED, PERHAPS_REGISTERED
from simulators.provider_apis import ProviderApis, provider_apis
from simulators.provider_apis.captions_webhooks import Registration
from simulators.webhook_server import webhook
from testkit.fixtures.aws import TABLE, Cloud, Context
from testkit.fixtures.cloudformation import EVENTS, KEY, OTHER_KEY, OTHER_URL, PATIENCE, URL, Formation

START = 1_705_314_600.0
HANGS = 20.0  # seconds after which a call is given up
EARLIER = 120.0  # seconds by which a creation stops earlier than a deletion that began with it
NAMED_BY_CLOUDFORMATION = "dailies-CaptionsWebhook-1ABCDEF"


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


@pytest.fixture
def formation(cloud: Cloud, apis: ProviderApis) -> Formation:
    return Formation(cloud, apis)


class TestCreated:
    def test_it_is_registered_for_all_events_and_its_secret_is_stored(self, formation: Formation) -> None:
        formation.captions.webhooks.events.append("creator.progress")
        outcome = formation.ask("Create")
        (one,) = formation.captions.registrations
        assert formation.holds(one, events=[*EVENTS, "creator.progress"])
        assert outcome == Outcome(one.id, data={"WebhookId": one.id})
        assert formation.tags == []

    @pytest.mark.parametrize("status", [201, 202])
    def test_another_success_status_of_captions_is_a_registration_too(self, formation: Formation, status: int) -> None:
        formation.captions.webhooks.made_status = status
        outcome = formation.ask("Create")
        (one,) = formation.captions.registrations
        assert outcome == Outcome(one.id, data={"WebhookId": one.id})
        assert formation.holds(one)

    def test_again_it_is_the_same_one(self, formation: Formation) -> None:
        """CloudFormation never got the first response."""
        physical_id, before = formation.created(), formation.secret
        assert formation.ask("Create").physical_id == physical_id
        assert (len(formation.captions.registrations), formation.secret) == (1, before)

    def test_a_manual_registration_is_adopted_unchanged(self, formation: Formation) -> None:
        one = formation.captions.register(URL)
        assert formation.ask("Create").physical_id == one.id
        assert formation.captions.registrations == [one]
        assert formation.holds(one)
        assert formation.calls("/webhooks/update") == 0

    def test_of_two_by_that_url_one_stays_and_those_of_other_urls_do(self, formation: Formation) -> None:
        first, other, _ = (formation.captions.register(url) for url in (URL, OTHER_URL, URL))
        assert formation.ask("Create").physical_id == first.id
        assert formation.captions.registrations == [first, other]

    @pytest.mark.parametrize("status", [None, 500, 503])
    @pytest.mark.parametrize("took_effect", [True, False])
    @pytest.mark.parametrize("path", ["/webhooks/events", "/webhooks/list", "/webhooks/register"])
    def test_a_call_without_an_answer_is_made_up_for(
        self, formation: Formation, path: str, took_effect: bool, status: int | None
    ) -> None:
        formation.captions.fail(status, path=path, took_effect=took_effect)
        assert formation.ask("Create").reason == ""
        (one,) = formation.captions.registrations
        assert formation.holds(one)


class TestUpdated:
    def test_another_url_is_the_same_registration_with_a_new_secret(self, formation: Formation) -> None:
        physical_id, before = formation.created(), formation.secret
        outcome = formation.ask("Update", physical_id, Url=OTHER_URL)
        (one,) = formation.captions.registrations
        assert (outcome.physical_id, outcome.reason, one.id) == (physical_id, "", physical_id)
        assert formation.holds(one, OTHER_URL)
        assert formation.secret != before

    def test_so_are_other_events(self, formation: Formation) -> None:
        physical_id, before = formation.created(), formation.secret
        formation.captions.webhooks.events.append("creator.progress")
        formation.ask("Update", physical_id)
        (one,) = formation.captions.registrations
        assert formation.holds(one, events=[*EVENTS, "creator.progress"])
        assert (one.id, formation.secret == before) == (physical_id, False)

    def test_where_nothing_changes_the_secret_stays_too(self, formation: Formation) -> None:
        physical_id, before = formation.created(), formation.secret
        assert formation.ask("Update", physical_id).physical_id == physical_id
        assert (formation.secret, formation.calls("/webhooks/update")) == (before, 0)

    def test_receivers_have_had_the_time_to_notice_before_there_is_a_new_secret(self, formation: Formation) -> None:
        physical_id = formation.created()
        formation.pauses.clear()
        seen: list[tuple[list[str], float, int]] = []
        update = formation.captions.webhooks.update

        def noticed(one: Registration, *changes: Any) -> None:
            seen.append((formation.tags, formation.pauses[0], one.updates))
            update(one, *changes)

        setattr(formation.captions.webhooks, "update", noticed)  # noqa: B010  the simulated API's, to look on
        formation.ask("Update", physical_id, Url=OTHER_URL)
        assert seen == [([UPDATING_UNTIL], SETTLE_SECONDS, 0)]
        assert formation.tags == []

    @pytest.mark.parametrize("status", [None, 500])
    def test_an_update_whose_answer_is_lost_is_not_made_twice(self, formation: Formation, status: int | None) -> None:
        physical_id = formation.created()
        formation.captions.fail(status, path="/webhooks/update", took_effect=True)
        assert formation.ask("Update", physical_id, Url=OTHER_URL).reason == ""
        (one,) = formation.captions.registrations
        assert formation.holds(one, OTHER_URL)
        assert one.updates == 1

    def test_a_secret_that_could_not_be_stored_is_stored_by_the_retry(self, formation: Formation) -> None:
        """CloudFormation asks for the old one back; the URL may be either then."""
        physical_id = formation.created()
        formation.refuse_to_store(1)
        outcome = formation.ask("Update", physical_id, Url=OTHER_URL)
        assert outcome == Outcome(physical_id, "AWS: PutSecretValue answered AccessDeniedException")
        assert formation.tags == [UPDATING_UNTIL]  # Captions uses a secret that we do not have
        formation.ask("Update", physical_id, Url=OTHER_URL)
        (one,) = formation.captions.registrations
        assert formation.holds(one, OTHER_URL)
        assert one.updates == 1

    def test_a_deleted_webhook_is_registered_again_under_the_same_physical_id(self, formation: Formation) -> None:
        """With another id, CloudFormation would delete the current registration by its URL."""
        physical_id = formation.created()
        formation.captions.webhooks.registered.clear()
        outcome = formation.ask("Update", physical_id)
        (one,) = formation.captions.registrations
        assert outcome == Outcome(physical_id, data={"WebhookId": one.id})
        assert formation.holds(one)
        assert formation.ask("Delete", physical_id).reason == ""
        assert formation.captions.registrations == []

    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            (503, "captions /webhooks/events: the provider's API answered 503"),
            (None, "captions /webhooks/events: the provider's API: the host"),
            (401, "captions /webhooks/events: the provider's API answered 401; the API key is invalid"),
        ],
    )
    @pytest.mark.parametrize("before", [{"Release": "layer:1"}, {"Release": "layer:3"}], ids=["update", "rollback"])
    def test_captions_outage_or_a_revoked_key_does_not_hold_up_a_release(
        self, formation: Formation, before: dict[str, str], status: int | None, problem: str
    ) -> None:
        physical_id, secret = formation.created(), formation.secret
        formation.captions.fail(status, path="/webhooks/events", times=1000)
        outcome = formation.ask("Update", physical_id, Release="layer:2", before=before)
        assert outcome.problem.startswith(problem)
        assert outcome == Outcome(physical_id, data={"WebhookId": physical_id}, problem=outcome.problem)
        assert formation.secret == secret

    @pytest.mark.parametrize("changed", [{"Url": OTHER_URL}, {"ApiSecretArn": OTHER_KEY}])
    def test_what_the_owner_changes_fails_where_captions_fails(
        self, formation: Formation, changed: dict[str, str]
    ) -> None:
        physical_id = formation.created()
        formation.set_key(OTHER_KEY, formation.captions.api_key)
        formation.captions.fail(503, path="/webhooks/list", times=1000)
        outcome = formation.ask("Update", physical_id, Release="layer:2", before={"Release": "layer:1"}, **changed)
        assert (outcome.physical_id, outcome.problem) == (physical_id, "")
        assert "answered 503" in outcome.reason

    def test_another_key_of_the_account_is_nothing_new(self, formation: Formation) -> None:
        physical_id, before = formation.created(), formation.secret
        formation.captions.api_key = "the-owners-next-key"
        formation.set_key(OTHER_KEY, "the-owners-next-key")
        assert formation.ask("Update", physical_id, ApiSecretArn=OTHER_KEY).physical_id == physical_id
        assert (len(formation.captions.registrations), formation.secret) == (1, before)

    def test_a_key_of_another_account_is_rejected_before_a_second_webhook_is_registered(
        self, formation: Formation
    ) -> None:
        """It is another account's key, which could not delete the first webhook."""
        physical_id = formation.created()
        formation.captions.webhooks.registered.clear()  # as the other account sees it
        formation.set_key(OTHER_KEY, formation.captions.api_key)
        outcome = formation.ask("Update", physical_id, ApiSecretArn=OTHER_KEY)
        assert outcome.physical_id == physical_id
        assert outcome.reason.startswith("the new API key does not know the webhook")
        assert formation.captions.registrations == []

    def test_at_another_api_it_is_another_one_and_the_first_is_deleted_where_it_is(self, formation: Formation) -> None:
        physical_id = formation.created()
        with provider_apis(seed=2) as others:
            others.captions.api_key = formation.captions.api_key
            new_url = others.captions.base_url
            outcome = formation.ask("Update", physical_id, ApiUrl=new_url)
            (one,) = others.captions.registrations
            assert (outcome.physical_id, formation.secret) == (one.id, one.secret)
            assert formation.ask("Delete", physical_id).reason == ""  # CloudFormation's, for the replaced one
            assert (formation.captions.registrations, others.captions.registrations) == ([], [one])


class TestDeleted:
    def test_what_is_the_stacks_is_gone_and_nothing_else(self, formation: Formation) -> None:
        physical_id = formation.created()
        other = formation.captions.register(OTHER_URL)
        assert formation.ask("Delete", physical_id) == Outcome(physical_id)
        assert formation.captions.registrations == [other]

    def test_again_nothing_is_left_to_do(self, formation: Formation) -> None:
        physical_id = formation.created()
        for _ in range(2):
            assert formation.ask("Delete", physical_id).reason == ""

    def test_a_rejection_by_captions_is_reported_to_cloudformation(self, formation: Formation) -> None:
        """The stack remains, so nobody assumes that the webhook is gone."""
        physical_id = formation.created()
        formation.captions.api_key = "revoked"
        answered = "captions /webhooks/list: the provider's API answered 403"
        reason = f"{answered}; the API key is invalid, or its contract does not include webhooks"
        assert formation.ask("Delete", physical_id) == Outcome(physical_id, reason)

    def test_by_a_name_of_cloudformations_own_it_is_found_by_its_url(self, formation: Formation) -> None:
        """It creates a webhook if the creation got no response."""
        formation.created()
        assert formation.ask("Delete", NAMED_BY_CLOUDFORMATION).reason == ""
        assert formation.captions.registrations == []

    def test_so_is_one_that_the_creation_registers_only_while_it_is_being_deleted(self, formation: Formation) -> None:
        """Another resource of the new stack has failed: CloudFormation does not wait for the creation's response."""
        other = formation.captions.register(OTHER_URL)
        came: list[Registration] = []
        pause = formation.pause

        def registers_meanwhile(seconds: float) -> None:
            pause(seconds)
            if sum(formation.pauses) > HANGS and not came:
                came.append(formation.captions.register(URL))

        setattr(formation, "pause", registers_meanwhile)  # noqa: B010
        assert formation.ask("Delete", NAMED_BY_CLOUDFORMATION) == Outcome(NAMED_BY_CLOUDFORMATION)
        assert len(came) == 1
        assert formation.captions.registrations == [other]

    def test_where_the_creation_has_answered_nothing_is_waited_for(self, formation: Formation) -> None:
        physical_id = formation.created()
        formation.pauses.clear()
        assert formation.ask("Delete", physical_id).reason == ""
        assert formation.pauses == []


class TestCreationThatFailed:
    def test_leaves_nothing_behind(self, formation: Formation) -> None:
        formation.refuse_to_store(1)
        outcome = formation.ask("Create")
        assert outcome == Outcome(NOT_REGISTERED, "AWS: PutSecretValue answered AccessDeniedException")
        assert formation.captions.registrations == []
        formation.requests.clear()
        assert formation.ask("Delete", NOT_REGISTERED).reason == ""
        assert formation.requests == []  # also if the key was never a key

    def test_what_it_could_not_take_away_the_deletion_does(self, formation: Formation) -> None:
        formation.refuse_to_store(1)
        formation.captions.fail(400, path="/webhooks/delete")
        assert formation.ask("Create").physical_id == PERHAPS_REGISTERED
        assert len(formation.captions.registrations) == 1
        assert formation.ask("Delete", PERHAPS_REGISTERED).reason == ""
        assert formation.captions.registrations == []

    @pytest.mark.parametrize(
        ("key", "reason"),
        [
            ("wrong", "captions /webhooks/events: the provider's API answered 403"),
            ("ключ", "captions /webhooks/events: the API key cannot be sent"),
            ("", "no credentials are set for captions: its API secret must have api_key"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, formation: Formation, key: str, reason: str) -> None:
        formation.set_key(OTHER_KEY, key)
        outcome = formation.ask("Create", ApiSecretArn=OTHER_KEY)
        assert outcome.reason.startswith(reason)
        assert "\n" not in outcome.reason
        assert outcome.physical_id == NOT_REGISTERED

    def test_so_it_does_where_the_secret_of_the_key_is_not_there(self, formation: Formation) -> None:
        assert formation.ask("Create", ApiSecretArn="not/there").reason.startswith(
            "no credentials are set for captions"
        )

    def test_an_unexpected_error_is_reported_too(self, formation: Formation) -> None:
        assert formation.ask("Create", ApiUrl="ftp://[").reason != ""

    def test_a_provider_that_is_called_too_often_is_waited_for_but_not_for_ever(self, formation: Formation) -> None:
        formation.captions.fail(429, times=10**6)
        outcome = formation.ask("Create")
        assert outcome == Outcome(NOT_REGISTERED, "captions /webhooks/events: the provider's API answered 429")
        assert 100 < sum(formation.pauses) <= PATIENCE

    def test_requests_that_hang_use_up_the_patience_as_pauses_do(self, formation: Formation, cloud: Cloud) -> None:
        """CloudFormation needs a response before the function's timeout, and a created webhook is removed."""
        formation.captions.fail(None, times=10**6)
        formation.table = Table(cloud.dynamodb, TABLE)
        limits = Limits(cloud)
        limits.when_read(lambda: formation.clock.forward(HANGS))  # as if each request took that long
        limits.when_read(limits.empty)
        assert formation.ask("Create").reason.startswith("captions /webhooks/events: the provider's API: the host")
        assert PATIENCE - HANGS < formation.clock.now() - START <= PATIENCE + HANGS

    def test_cloudformation_gets_its_response_without_a_pause_if_time_runs_out(
        self, formation: Formation, cloud: Cloud
    ) -> None:
        class Late(Context):
            def get_remaining_time_in_millis(self) -> int:
                return int(101_000 + EARLIER * 1000)

        formation.captions.fail(429, times=10**6)
        about = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "CaptionsWebhook"}
        with webhook() as waiting:
            event = {"RequestType": "Create", "ResourceProperties": formation.properties(), **about}
            function = cloud.function("register_captions_webhook")
            function.lambda_handler({**event, "ResponseURL": waiting.url}, Late())
            (answer,) = waiting.deliveries
        assert (answer.body["Status"], answer.body["Reason"]) == (
            "FAILED",
            "captions /webhooks/events: the provider's API answered 429",
        )


def test_create_update_and_delete_within_a_minute_wait_and_lose_no_request(formation: Formation) -> None:
    physical_id = formation.ask("Create").physical_id
    assert formation.ask("Update", physical_id, Url=OTHER_URL).reason == ""
    assert formation.ask("Delete", physical_id, Url=OTHER_URL).reason == ""
    assert formation.captions.registrations == []
    assert sum(request.status == 200 for request in formation.requests) == 3 + 3 + 2


def test_it_waits_for_the_shared_rate_limit_before_its_request(formation: Formation, cloud: Cloud) -> None:
    formation.table = Table(cloud.dynamodb, TABLE)
    reserve_calls(formation.table, "captions", CAPTIONS.api_limit, CAPTIONS.api_limit.calls, time())
    limits = Limits(cloud)
    limits.when_read(lambda: limits.empty() if len(formation.pauses) == 2 else None)
    assert formation.ask("Create").reason == ""
    assert len(formation.pauses) == 2
    assert [request.status for request in formation.requests] == [200] * 3


class Limits:
    """The count of Captions' rate limit, in the table."""

    def __init__(self, cloud: Cloud) -> None:
        self._dynamodb = cloud.dynamodb

    def when_read(self, then: Callable[[], object]) -> None:
        def read(**_: object) -> None:
            then()  # a returned value would replace the call's response

        self._dynamodb.meta.events.register("before-call.dynamodb.GetItem", read)

    def empty(self) -> None:
        key = {"pk": {"S": "allowance#captions"}, "sk": {"S": "allowance"}}
        self._dynamodb.delete_item(TableName=TABLE, Key=key)


def test_the_key_goes_to_the_api_and_nowhere_else(formation: Formation, capsys: pytest.CaptureFixture[str]) -> None:
    formation.captions.fail(400, path="/webhooks/register")
    outcome = formation.ask("Create")
    shown = [outcome.reason, repr(formation.registrar(formation.api_url, KEY)), *capsys.readouterr()]
    assert not [text for text in shown if formation.captions.api_key in text]
