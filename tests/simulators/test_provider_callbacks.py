"""The simulated providers call webhooks when jobs change, with valid signatures; Captions calls the registered ones."""

import hmac
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest

from simulators.provider_apis import LOST, SENT, Pace, ProviderApis, provider_apis
from simulators.provider_apis.captions_webhooks import Registration
from simulators.webhook_server import Webhook, webhook
from testkit.support.api_calls import captions, creatify, sync
from testkit.support.wait import wait_for

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z
URL = "https://my-business.com/my/webhook/path"
EVENTS = ["creator.success", "creator.failure"]
INPUT = [{"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"}]
PRODUCT = {"product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg"}


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        running.captions.part.gate.limits = []
        yield running


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


class TestSync:
    def test_a_submitted_job_calls_the_webhook_it_named_once_it_is_done(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        asked = {"model": "lipsync-2", "input": INPUT, "webhookUrl": receiver.url}
        job_id = sync(apis, "/v2/generate", asked)[1]["id"]
        apis.clock.forward(9)
        assert receiver.deliveries == []
        apis.clock.forward(1)
        (delivery,) = receiver.deliveries
        shown = sync(apis, f"/v2/generate/{job_id}")[1]
        assert delivery.body == {
            name: value for name, value in shown.items() if value is not None and name != "outputMediaUrl"
        }
        assert (delivery.path, delivery.headers["content-type"]) == ("/webhook", "application/json")

    def test_both_headers_are_signed_with_the_secret_at_that_time(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.sync.signing_secret = "whsec_new"
        apis.sync.batch("b-1", webhook_url=receiver.url).fails()
        (delivery,) = receiver.deliveries
        at, signature = delivery.headers["sync-signature"].removeprefix("t=").split(",v1=")
        assert abs(int(at) - time.time()) < 60
        assert signature == hmac.digest(b"whsec_new", at.encode() + b"." + delivery.raw, sha256).hex()
        assert delivery.headers["x-signature-primary"] == hmac.digest(b"whsec_new", delivery.raw, sha256).hex()

    def test_only_completed_and_failed_are_delivered(self, apis: ProviderApis, receiver: Webhook) -> None:
        job = apis.sync.job("g-1", webhook_url=receiver.url)
        job.becomes("PROCESSING")
        job.fails(status="REJECTED")
        job.fails()
        assert receiver.told("status") == ["FAILED"]
        assert receiver.told("error_code") == ["generation_pipeline_failed"]


class TestCreatify:
    def test_every_stage_is_delivered_with_the_whole_job_and_unsigned(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        asked = PRODUCT | {"webhook_url": receiver.url}
        job_id = creatify(apis, "product_to_videos/gen_image/", asked)[1]["id"]
        apis.clock.forward(10)
        creatify(apis, f"product_to_videos/{job_id}/gen_video/", {})
        apis.clock.forward(10)
        stages = ["image_generating", "image_generated", "video_generating", "video_generated"]
        assert receiver.told("status") == stages
        assert receiver.deliveries[-1].body == creatify(apis, f"product_to_videos/{job_id}/")[1]
        assert receiver.told("updated_at") == sorted(receiver.told("updated_at"))
        names = {name for delivery in receiver.deliveries for name in delivery.headers}
        assert names == {"host", "accept-encoding", "content-length", "content-type", "user-agent"}


class TestCaptions:
    def test_the_named_webhook_is_called_with_its_secret_as_bearer(self, apis: ProviderApis, receiver: Webhook) -> None:
        one, _other = apis.captions.register(receiver.url), apis.captions.register(receiver.url)
        job_id = captions(apis, "/creator/submit", {"script": "Hello.", "webhookId": one.id})[1]["operationId"]
        apis.clock.forward(10)
        (delivery,) = receiver.deliveries
        assert delivery.headers["authorization"] == f"Bearer {one.secret}"
        url = captions(apis, "/creator/poll", {"operationId": job_id})[1]["url"]
        assert delivery.body == {"url": url, "event": "creator.success", "operationId": job_id, "creditsSpent": 30}

    def test_a_webhook_receives_its_events_only(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.captions.register(receiver.url).enabled_events = ["creator.failure"]
        apis.captions.job("o-1").completes()
        apis.captions.job("o-2").fails("No face was found.")
        assert [delivery.body for delivery in receiver.deliveries] == [
            {"event": "creator.failure", "operationId": "o-2", "error": "No face was found."}
        ]


class TestFates:
    def test_a_lost_callback_is_listed_but_never_sent(self, apis: ProviderApis, receiver: Webhook) -> None:
        for job_id, fate in (("g-1", LOST), ("g-2", SENT)):
            apis.sync.callbacks.are(fate)
            apis.sync.job(job_id, webhook_url=receiver.url).completes()
        apis.clock.forward(3600)
        assert receiver.told("id") == ["g-2"]
        assert [statuses.job_id for statuses in apis.callbacks] == ["g-1", "g-2"]

    def test_they_are_also_sent_by_real_time(self, receiver: Webhook) -> None:
        with provider_apis(seed=1) as apis:
            apis.sync.part.pace = Pace(waiting=0.05, working=0.05)
            sync(apis, "/v2/generate", {"model": "lipsync-2", "input": INPUT, "webhookUrl": receiver.url})
            wait_for("the call", lambda: receiver.told("status"), lambda statuses: statuses == ["COMPLETED"])


def bearers(apis: ProviderApis, receiver: Webhook, number: int = 1) -> list[str]:
    """The bearer token of the next deliveries."""
    receiver.deliveries.clear()
    for operation in range(number):
        apis.captions.job(f"o-{operation}").completes()
    return [delivery.headers["authorization"].removeprefix("Bearer ") for delivery in receiver.deliveries]


class TestRegistrations:
    """https://help.captions.ai/api-reference/webhooks"""

    def test_a_registration_gets_an_id_and_a_secret_and_is_listed(self, apis: ProviderApis) -> None:
        code, body = captions(apis, "/webhooks/register", {"url": URL, "enabledEvents": EVENTS})
        assert (code, [*body]) == (200, ["id", "secret", "url", "enabledEvents"])
        assert (body["url"], body["enabledEvents"]) == (URL, EVENTS)
        assert captions(apis, "/webhooks/list") == (200, {"registeredWebhooks": [body]})
        (one,) = apis.captions.registrations
        assert (one.id, one.secret) == (body["id"], body["secret"])

    def test_a_deleted_one_is_gone_and_receives_nothing(self, apis: ProviderApis, receiver: Webhook) -> None:
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
