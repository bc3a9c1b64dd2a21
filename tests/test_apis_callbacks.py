"""The simulated providers call webhooks when jobs change: with the right proof, and as a script or a seed has it."""

import hmac
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

import pytest

from local.apis import DOUBLED, LOST, OVERTAKEN, SENT, Pace, ProviderApis, late, provider_apis
from tests.api_calls import captions, creatify, sync
from tests.webhook import Webhook, webhook

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z
INPUT = [{"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"}]
PRODUCT = {"product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg"}


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
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

    def test_both_headers_prove_it_by_the_signing_secret_at_that_time(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        apis.sync.signing_secret = "whsec_new"
        apis.sync.batch("b-1", webhook_url=receiver.url).fails()
        (delivery,) = receiver.deliveries
        at, signature = delivery.headers["sync-signature"].removeprefix("t=").split(",v1=")
        assert abs(int(at) - time.time()) < 60
        assert signature == hmac.digest(b"whsec_new", at.encode() + b"." + delivery.raw, sha256).hex()
        assert delivery.headers["x-signature-primary"] == hmac.digest(b"whsec_new", delivery.raw, sha256).hex()

    def test_only_completed_and_failed_are_told(self, apis: ProviderApis, receiver: Webhook) -> None:
        job = apis.sync.job("g-1", webhook_url=receiver.url)
        job.becomes("PROCESSING")
        job.fails(status="REJECTED")
        job.fails()
        assert receiver.told("status") == ["FAILED"]
        assert receiver.told("error_code") == ["generation_pipeline_failed"]

    def test_a_forged_one_is_signed_with_another_secret_and_changes_nothing_at_the_provider(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        job = apis.sync.job("g-1", webhook_url=receiver.url)
        apis.sync.callbacks.are(LOST)
        reply = job.forge(status="COMPLETED", outputUrl="https://hostile.example/x.mp4")
        (delivery,) = receiver.deliveries
        assert reply
        assert (reply.status, delivery.body["outputUrl"]) == (200, "https://hostile.example/x.mp4")
        right = hmac.digest(apis.sync.signing_secret.encode(), delivery.raw, sha256)
        assert delivery.headers["x-signature-primary"] not in (right.hex(), b64encode(right).decode())
        assert sync(apis, "/v2/generate/g-1")[1]["status"] == "PENDING"


class TestCreatify:
    def test_every_stage_is_told_with_the_whole_job_and_no_proof(self, apis: ProviderApis, receiver: Webhook) -> None:
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

    def test_whoever_knows_the_url_can_forge_even_for_a_job_that_does_not_exist(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        job = apis.creatify.job("p-1", webhook_url=receiver.url)
        apis.creatify.forget("p-1")
        job.forge(status="video_generated", generated_video_url="https://hostile.example/x.mp4")
        assert receiver.told("generated_video_url") == ["https://hostile.example/x.mp4"]
        assert creatify(apis, "product_to_videos/p-1/")[0] == 404


class TestCaptions:
    def test_the_named_webhook_is_told_with_its_secret_as_bearer(self, apis: ProviderApis, receiver: Webhook) -> None:
        one, _other = apis.captions.register(receiver.url), apis.captions.register(receiver.url)
        job_id = captions(apis, "/creator/submit", {"script": "Hello.", "webhookId": one.id})[1]["operationId"]
        apis.clock.forward(10)
        (delivery,) = receiver.deliveries
        assert delivery.headers["authorization"] == f"Bearer {one.secret}"
        url = captions(apis, "/creator/poll", {"operationId": job_id})[1]["url"]
        assert delivery.body == {"url": url, "event": "creator.success", "operationId": job_id, "creditsSpent": 30}

    def test_a_submission_that_names_none_tells_none(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.captions.register(receiver.url)
        captions(apis, "/creator/submit", {"script": "Hello."})
        apis.clock.forward(10)
        assert receiver.deliveries == []

    def test_a_webhook_hears_its_events_only(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.captions.register(receiver.url).enabled_events = ["creator.failure"]
        apis.captions.job("o-1").completes()
        apis.captions.job("o-2").fails("No face was found.")
        assert [delivery.body for delivery in receiver.deliveries] == [
            {"event": "creator.failure", "operationId": "o-2", "error": "No face was found."}
        ]

    def test_a_forged_one_bears_another_secret(self, apis: ProviderApis, receiver: Webhook) -> None:
        one = apis.captions.register(receiver.url)
        apis.captions.job("o-1").forge(receiver.url, url="https://hostile.example/x.mp4")
        (delivery,) = receiver.deliveries
        assert delivery.headers["authorization"] != f"Bearer {one.secret}"
        assert delivery.body["url"] == "https://hostile.example/x.mp4"


class TestFates:
    def test_a_lost_one_is_told_of_but_never_sent(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.sync.callbacks.are(LOST, times=1)
        for job_id in ("g-1", "g-2"):
            apis.sync.job(job_id, webhook_url=receiver.url).completes()
        apis.clock.forward(3600)
        assert receiver.told("id") == ["g-2"]
        assert [(told.job_id, told.fate) for told in apis.callbacks] == [("g-1", LOST), ("g-2", SENT)]

    def test_a_doubled_one_comes_twice_byte_for_byte(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.sync.callbacks.are(DOUBLED, job_id="g-1")
        for job_id in ("g-1", "g-2"):
            apis.sync.job(job_id, webhook_url=receiver.url).completes()
        first, second, other = receiver.deliveries
        assert first.raw == second.raw != other.raw
        assert [len(told.replies) for told in apis.sync.callbacks.told] == [2, 1]

    def test_a_late_one_comes_in_its_time_with_what_was_true_at_the_change(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        apis.creatify.callbacks.are(late(30), times=1)
        job = apis.creatify.job("p-1", webhook_url=receiver.url)
        job.has_image()
        job.becomes("video_generating")
        apis.clock.forward(29)
        assert receiver.told("status") == ["video_generating"]
        apis.clock.forward(1)
        assert receiver.told("status") == ["video_generating", "image_generated"]

    def test_an_overtaken_one_comes_after_the_jobs_next_one(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.creatify.callbacks.are(OVERTAKEN, times=1)
        job = apis.creatify.job("p-1", webhook_url=receiver.url)
        job.has_image()
        apis.creatify.job("p-2", webhook_url=receiver.url).has_image()
        assert receiver.told("id") == ["p-2"]
        job.becomes("video_generating")
        assert receiver.told("status")[1:] == ["video_generating", "image_generated"]
        apis.clock.forward(3600)
        assert len(receiver.deliveries) == 3

    def test_one_that_nothing_overtakes_comes_after_all(self, apis: ProviderApis, receiver: Webhook) -> None:
        apis.sync.callbacks.are(OVERTAKEN)
        apis.sync.job("g-1", webhook_url=receiver.url).completes()
        assert receiver.deliveries == []
        apis.clock.forward(60)
        assert receiver.told("id") == ["g-1"]

    def test_one_that_is_not_stored_comes_again_only_where_a_test_wants_it(
        self, apis: ProviderApis, receiver: Webhook
    ) -> None:
        receiver.answers = [503, 200, 503, 503, 503]
        apis.sync.job("g-1", webhook_url=receiver.url).completes()
        apis.clock.forward(3600)
        assert len(receiver.deliveries) == 1
        apis.sync.callbacks.comes_again = (5, 30)
        for job_id in ("g-2", "g-3"):
            apis.sync.job(job_id, webhook_url=receiver.url).completes()
        apis.clock.forward(3600)
        told = {told.job_id: [reply.status for reply in told.replies if reply] for told in apis.callbacks}
        assert told == {"g-1": [503], "g-2": [200], "g-3": [503, 503, 503]}

    def test_nobody_there_is_noted_and_breaks_nothing(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1", webhook_url="http://127.0.0.1:9/nobody").completes()
        assert apis.callbacks[0].replies == [None]

    def test_the_seed_draws_the_fates_of_a_mix(self, receiver: Webhook) -> None:
        def fates(seed: int) -> list[object]:
            with provider_apis(seed=seed, start=START) as apis:
                apis.sync.callbacks.mix(lost=0.25, doubled=0.25, delayed=0.25, overtaken=0.2)
                for number in range(60):
                    apis.sync.job(f"g-{number}", webhook_url=receiver.url).completes()
                apis.clock.forward(3600)
                return [told.fate for told in apis.callbacks]

        first = fates(1)
        assert first == fates(1) != fates(2)
        assert {LOST, DOUBLED, OVERTAKEN, SENT} < {*first}
        assert 5 < first.count(LOST) < 25

    def test_real_time_brings_them_without_being_asked(self, receiver: Webhook) -> None:
        with provider_apis(seed=1) as apis:
            apis.sync.part.pace = Pace(waiting=0.05, working=0.05)
            sync(apis, "/v2/generate", {"model": "lipsync-2", "input": INPUT, "webhookUrl": receiver.url})
            until = time.monotonic() + 10
            while not receiver.deliveries and time.monotonic() < until:
                time.sleep(0.01)
        assert receiver.told("status") == ["COMPLETED"]
