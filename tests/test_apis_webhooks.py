"""Captions' registered webhooks, simulated: the documented calls, and an old secret that dies at once or late."""

from collections.abc import Iterator

import pytest

from local.apis import ProviderApis, provider_apis
from local.apis.captions_webhooks import Registration
from tests.api_calls import captions
from tests.webhook import Webhook, webhook

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z
URL = "https://my-business.com/my/webhook/path"
EVENTS = ["creator.success", "creator.failure"]


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        running.captions.part.gate.limits = []
        yield running


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


def bearers(apis: ProviderApis, receiver: Webhook, number: int = 1) -> list[str]:
    """With what the next calls prove themselves."""
    receiver.deliveries.clear()
    for operation in range(number):
        apis.captions.job(f"o-{operation}").completes()
    return [delivery.headers["authorization"].removeprefix("Bearer ") for delivery in receiver.deliveries]


class TestCalls:
    """https://help.captions.ai/api-reference/webhooks"""

    def test_a_registration_gets_an_id_and_a_secret_and_is_listed(self, apis: ProviderApis) -> None:
        code, body = captions(apis, "/webhooks/register", {"url": URL, "enabledEvents": EVENTS})
        assert (code, [*body]) == (200, ["id", "secret", "url", "enabledEvents"])
        assert (body["url"], body["enabledEvents"]) == (URL, EVENTS)
        assert captions(apis, "/webhooks/list") == (200, {"registeredWebhooks": [body]})
        (one,) = apis.captions.registrations
        assert (one.id, one.secret) == (body["id"], body["secret"])

    def test_a_deleted_one_is_gone_and_hears_nothing(self, apis: ProviderApis, receiver: Webhook) -> None:
        one, other = apis.captions.register(receiver.url), apis.captions.register(URL)
        assert captions(apis, "/webhooks/delete", {"id": one.id}) == (200, {"success": True})
        assert apis.captions.registrations == [other]
        assert captions(apis, "/webhooks/delete", {"id": one.id}) == (404, {"detail": "Webhook not found"})
        captions(apis, "/webhooks/delete", {"id": other.id})
        assert bearers(apis, receiver) == []


class TestUpdate:
    @pytest.fixture
    def one(self, apis: ProviderApis, receiver: Webhook) -> Registration:
        return apis.captions.register(receiver.url)

    def test_it_changes_what_it_names_and_the_secret_always(self, apis: ProviderApis, one: Registration) -> None:
        before = one.shown()
        for change in ({}, {"url": URL}, {"enabledEvents": ["creator.success"]}):
            code, body = captions(apis, "/webhooks/update", {"id": one.id, **change})
            assert (code, body["secret"] == before["secret"]) == (200, False)
            assert body == before | change | {"secret": body["secret"]}
            before = body
        assert captions(apis, "/webhooks/list")[1] == {"registeredWebhooks": [before]}
        assert captions(apis, "/webhooks/update", {"id": "unknown"})[0] == 404

    def test_the_old_secret_dies_at_once(self, apis: ProviderApis, receiver: Webhook, one: Registration) -> None:
        assert bearers(apis, receiver) == [one.secret]
        new = captions(apis, "/webhooks/update", {"id": one.id})[1]["secret"]
        assert bearers(apis, receiver) == [new]

    def test_the_old_secret_stays_in_use_for_a_while(
        self, apis: ProviderApis, receiver: Webhook, one: Registration
    ) -> None:
        apis.captions.webhooks.changeover_seconds = 60
        old = one.secret
        new = captions(apis, "/webhooks/update", {"id": one.id})[1]["secret"]
        apis.clock.forward(59)
        assert bearers(apis, receiver) == [old]
        apis.clock.forward(1)
        assert bearers(apis, receiver) == [new]

    def test_both_are_in_use_for_a_while(self, apis: ProviderApis, receiver: Webhook, one: Registration) -> None:
        apis.captions.webhooks.changeover_seconds, apis.captions.webhooks.mixed = 60, True
        old = one.secret
        new = captions(apis, "/webhooks/update", {"id": one.id})[1]["secret"]
        seen = bearers(apis, receiver, 40)
        assert {*seen} == {old, new}
        assert 5 < seen.count(new) < 35
        apis.clock.forward(60)
        assert {*bearers(apis, receiver, 40)} == {new}
