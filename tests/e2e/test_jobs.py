"""The main job: a provider sends a webhook, and the video is in the owner's bucket, its receipt in the table.

Most deliveries are sent at once before the first test; each test then waits for its own jobs.
"""

import json
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from awscrt.checksums import crc64nvme

from simulators.media_host.samples import SampleMedia
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_batch, sync_batch_result, sync_batch_row, sync_generation
from testkit.fixtures.account_reader import Owner, Row, medium, payload
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.attributes import ARCHIVED, EVENT, HEADER, JOB
from testkit.support.wait import wait_for

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Sent:
    """All deliveries of this file."""

    def __init__(self, providers: Providers) -> None:
        job, link = providers.job, providers.link
        sync, token = providers.sync, providers.creatify
        self.two = sync_generation(
            "completed",
            job("two"),
            sync,
            output_url=link(job("two"), "generation.mp4"),
            segment_output_url=link(job("two"), "segment.mp4"),
        )
        self.failed = sync_generation("failed", job("failed"), sync, proof="Sync-Signature")

        url = providers.host.url(f"/{job('order')}/generation.mp4")  # the same for both, and so their media's ids
        first, other = job("processing-first"), job("completed-first")
        self.in_order = [
            sync_generation("processing", first, sync, proof="X-Signature-Primary, timed"),
            sync_generation("completed", first, sync, output_url=url, proof="X-Signature-Primary, hex"),
        ]
        self.early = sync_generation("completed", other, sync, output_url=url, proof="X-Signature-Primary, sha256=")
        self.late = sync_generation("processing", other, sync)

        self.items = [job("item-1"), job("item-2"), job("item-3")]
        rows = [
            sync_batch_row("request-1", self.items[0], link(self.items[0], "batch-1.mp4")),
            sync_batch_row("request-2", self.items[1], link(self.items[1], "batch-2.mp4")),
            sync_batch_row("request-3", self.items[2], None),
        ]
        self.result = SampleMedia("results.jsonl", "application/jsonl", sync_batch_result(rows))
        providers.host.add(f"/{job('batch')}/results.jsonl", self.result.content, self.result.content_type)
        first_hop = f"/v2/batch/{job('batch')}/result"
        providers.host.redirect(first_hop, to=link(job("batch"), "results.jsonl"))
        self.batch = sync_batch("completed", job("batch"), sync, output_url=providers.host.url(first_hop))
        self.failed_batch = sync_batch(
            "failed", job("no-batch"), sync, output_url="", proof="X-Signature-Primary, base64"
        )

        self.failed_product = creatify_product_to_videos("failed", job("no-product"), token)
        self.regenerated = creatify_product_to_videos(
            "image_generated",
            job("again"),
            token,
            photo_url=link(job("again"), "product.png"),
            regen_source_id=job("product"),
        )
        self.large = captions_creator("success", job("large"), providers.captions, url=link(job("large"), "large.mp4"))
        self.failed_operation = captions_creator("failure", job("no-operation"), providers.captions)

    def calls(self) -> list[Call]:
        return [
            *(self.two, self.failed, *self.in_order, self.early, self.batch, self.failed_batch),
            *(self.failed_product, self.regenerated, self.large, self.failed_operation),
        ]


@pytest.fixture(scope="module")
def sent(providers: Providers, listener: Listener) -> Sent:
    """The deliveries, sent."""
    sent = Sent(providers)
    assert [answer.result for answer in providers.send_all(sent.calls())] == ["recorded"] * len(sent.calls())
    return sent


def in_bucket(owner: Owner, row: Row, role: str, served: SampleMedia) -> None:
    """The object in the bucket has the served bytes, and its receipt describes it."""
    receipt = medium(row, role)
    content, stored = owner.object(receipt["key"], receipt["version_id"])
    assert content == served.content
    extension = served.name.rpartition(".")[2]
    name = f"{role}-{receipt['media_id']}.{extension}"
    assert receipt["key"] == f"media/{row['provider']}/{row['job_id']}/{name}"
    assert receipt["bytes"] == len(served.content)
    assert receipt["checksum"] == f"crc64nvme:{b64encode(crc64nvme(content).to_bytes(8)).decode()}"
    assert stored["ContentType"] == receipt["content_type"]
    assert stored["Metadata"].pop("found-at") <= receipt["found_at"]  # found first, found last
    assert stored["Metadata"] == {
        "provider": row["provider"],
        "webhook": row["webhook"],
        "job-id": row["job_id"],
        "role": role,
    }
    assert ARCHIVED <= set(receipt) <= ARCHIVED | HEADER | {"link_expires_at"}
    assert receipt["state"] == "archived"


class TestSync:
    def test_both_media_of_a_generation_are_in_the_bucket(self, sent: Sent, owner: Owner, providers: Providers) -> None:
        row = owner.resting("sync", sent.two.job_id)
        assert (row["status"], row["provider_status"], row["webhook"]) == ("completed", "COMPLETED", "generation")
        assert set(row) == JOB
        in_bucket(owner, row, "output", providers.host.media["generation.mp4"])
        in_bucket(owner, row, "segment", providers.host.media["segment.mp4"])
        keys = {key.rpartition("/")[2].partition("-")[0] for key in owner.keys(f"media/sync/{sent.two.job_id}/")}
        assert {"output", "segment"} <= keys <= {"output", "segment", "job.json"}

    def test_a_failed_generation_settles_with_its_error(self, sent: Sent, owner: Owner) -> None:
        row = owner.resting("sync", sent.failed.job_id)
        assert set(row) == JOB | {"error"}
        assert (row["status"], row["provider_status"], row["media"]) == ("failed", "FAILED", [])
        assert row["error"] == {
            "code": "generation_pipeline_failed",
            "message": "An error occurred in the generation pipeline.",
            "retryable": True,
        }

    def test_a_late_processing_event_ends_in_the_same_job_row_as_events_in_order(
        self, sent: Sent, owner: Owner, providers: Providers
    ) -> None:
        job_id = sent.early.job_id
        assert owner.resting("sync", job_id)["status"] == "completed"
        assert providers.send(sent.late).result == "recorded"
        late = max(row["received_at"] for row in owner.events("sync", job_id))
        late_merged = wait_for(
            "the late event is merged", lambda: owner.job("sync", job_id), lambda row: row["updated_at"] == late
        )
        other = owner.resting("sync", sent.in_order[0].job_id)
        assert self.without_times(late_merged) == self.without_times(other)
        assert (other["status"], other["stage"]) == ("completed", "settled")

    def without_times(self, row: Row) -> Row:
        """A job row without what differs between any two jobs: its id and its timestamps."""
        output = {
            name: value
            for name, value in medium(row, "output").items()
            if name not in {"key", "version_id", "found_at", "archived_at"}
        }
        mine = {name: value for name, value in row.items() if not name.endswith("_at")}
        return {**mine, "pk": "", "job_id": "", "listed": "", "version": 0, "media": [output]}

    def test_a_batch_keeps_its_result_and_its_rows_become_jobs_of_their_own(
        self, sent: Sent, owner: Owner, providers: Providers
    ) -> None:
        batch = owner.resting("sync", sent.batch.job_id)
        assert (batch["webhook"], batch["status"]) == ("batch", "completed")
        in_bucket(owner, batch, "result", sent.result)
        assert medium(batch, "result")["content_type"] == "application/x-ndjson"
        for number, item in enumerate(sent.items[:2], start=1):
            row = owner.resting("sync", item)
            assert set(row) == JOB | {"parent"}
            assert (row["parent"], row["webhook"], row["status"]) == (sent.batch.job_id, "generation", "completed")
            in_bucket(owner, row, "output", providers.host.media[f"batch-{number}.mp4"])
        failed = owner.resting("sync", sent.items[2])
        assert (failed["parent"], failed["status"]) == (sent.batch.job_id, "failed")
        assert failed["error"]["message"] == "No audio file was provided in the request."

    def test_a_failed_batch_settles(self, sent: Sent, owner: Owner) -> None:
        row = owner.resting("sync", sent.failed_batch.job_id)
        assert (row["webhook"], row["status"], row["media"]) == ("batch", "failed", [])


class TestCaptions:
    def test_a_video_of_several_parts_is_in_the_bucket(self, sent: Sent, owner: Owner, providers: Providers) -> None:
        row = owner.resting("captions", sent.large.job_id)
        assert set(row) == JOB | {"credits"}
        assert (row["status"], row["credits"]) == ("completed", 30)
        in_bucket(owner, row, "output", providers.host.media["large.mp4"])
        assert medium(row, "output")["bytes"] > 20 * 1024 * 1024  # the size of a part

    def test_a_failed_operation_settles_with_its_error(self, sent: Sent, owner: Owner) -> None:
        row = owner.resting("captions", sent.failed_operation.job_id)
        assert set(row) == JOB | {"error"}
        assert row["error"] == {"code": "", "message": "The operation failed.", "retryable": False}


class TestCreatify:
    def test_a_failed_product_settles_with_its_error(self, sent: Sent, owner: Owner) -> None:
        row = owner.resting("creatify", sent.failed_product.job_id)
        assert set(row) == JOB | {"error", "occurred_at"}
        assert row["error"]["message"] == "The product could not be found in the picture."

    def test_a_regeneration_names_the_job_that_it_was_made_from(
        self, sent: Sent, owner: Owner, providers: Providers
    ) -> None:
        row = owner.resting("creatify", sent.regenerated.job_id)
        assert row["parent"] == providers.job("product")
        in_bucket(owner, row, "photo", providers.host.media["product.png"])

    def test_a_picture_settles_its_job_until_a_newer_stage_makes_its_video(
        self, owner: Owner, providers: Providers, listener: Listener
    ) -> None:
        job_id = providers.job("product")
        photo = providers.host.url(f"/{job_id}/product.png", lifetime=None)
        video = providers.host.url(f"/{job_id}/product.mp4", lifetime=None)
        began = datetime.now(UTC) - timedelta(minutes=3)

        def deliver(stage: str, minute: int, **links: str) -> None:
            at = began + timedelta(minutes=minute)
            call = creatify_product_to_videos(stage, job_id, providers.creatify, at=at, **links)
            assert providers.send(call).result == "recorded"

        deliver("image_generated", 1, photo_url=photo)
        pictured = owner.resting("creatify", job_id)
        in_bucket(owner, pictured, "photo", providers.host.media["product.png"])
        assert set(pictured) == JOB | {"occurred_at"}

        deliver("image_generating", 0)  # older by Creatify's own clock, though received later
        deliver("video_generating", 2, photo_url=photo)
        making = owner.resting("creatify", job_id, "waiting")
        assert (making["status"], making["provider_status"]) == ("processing", "video_generating")
        assert medium(making, "photo")["state"] == "archived"

        deliver("video_generated", 3, photo_url=photo, video_url=video)
        row = wait_for(
            "the video",
            lambda: owner.job("creatify", job_id),
            lambda row: row["stage"] == "settled" and row["media"][1:],
        )
        assert row["status"] == "completed"
        in_bucket(owner, row, "video", providers.host.media["product.mp4"])
        in_bucket(owner, row, "photo", providers.host.media["product.png"])
        wait_for(
            "settled, and settled again",
            lambda: {event["detail"]["id"] for event in listener.of(job_id, "Job Settled")},
            lambda ids: len(ids) == 2,
        )

    def test_the_token_that_a_body_repeats_is_not_kept(self, sent: Sent, owner: Owner, providers: Providers) -> None:
        (event,) = owner.events("creatify", sent.failed_product.job_id)
        kept = payload(event)
        assert providers.creatify.encode() in sent.failed_product.body
        assert kept == sent.failed_product.body.replace(providers.creatify.encode(), b"[redacted]")


class TestRows:
    def test_an_event_row_has_the_contracts_attributes(self, sent: Sent, owner: Owner) -> None:
        owner.resting("sync", sent.two.job_id)
        (event,) = owner.events("sync", sent.two.job_id, "webhook")
        assert set(event) == EVENT | {"payload", "media", "proof"}
        digest = sha256(b"sync/generation\n" + sent.two.body).hexdigest()
        assert (event["event_id"], event["sk"]) == (digest, f"event#{digest}")
        assert payload(event) == sent.two.body
        assert event["proof"] == "sync-signature t,v1 (current)"
        assert event["occurred_at"] == event["received_at"]
        assert MOMENT.fullmatch(event["received_at"])
        received = datetime.fromisoformat(event["received_at"]).timestamp()
        assert 0 <= received + 90 * 86_400 - int(event["expires_at"]) < 1
        assert [(m["role"], set(m)) for m in event["media"]] == [
            ("output", {"role", "media_id", "url", "seconds"}),  # Sync reports its output's duration
            ("segment", {"role", "media_id", "url"}),
        ]

    def test_a_receipt_is_an_event_row(self, sent: Sent, owner: Owner) -> None:
        owner.resting("sync", sent.two.job_id)
        receipts = owner.events("sync", sent.two.job_id, "archive")
        assert [set(row) for row in receipts] == [EVENT | {"receipt"}] * 2
        assert {row["receipt"]["role"] for row in receipts} == {"output", "segment"}
        assert {row["receipt"]["state"] for row in receipts} == {"archived"}

    def test_a_row_of_a_batchs_result_is_an_event_row(self, sent: Sent, owner: Owner) -> None:
        owner.resting("sync", sent.items[0])
        (event,) = owner.events("sync", sent.items[0], "batch")
        assert set(event) == EVENT | {"payload", "media", "parent"}
        assert event["parent"] == sent.batch.job_id

    def test_an_error_and_credits_are_in_the_event_row(self, sent: Sent, owner: Owner) -> None:
        owner.resting("captions", sent.large.job_id)
        (success,) = owner.events("captions", sent.large.job_id, "webhook")
        assert set(success) == EVENT | {"payload", "media", "proof", "credits"}
        (failure,) = owner.events("captions", sent.failed_operation.job_id)
        assert set(failure) == EVENT | {"payload", "proof", "error"}
        assert failure["proof"] == "bearer (current)"

    def test_the_providers_own_time_is_in_the_event_row(self, sent: Sent, owner: Owner) -> None:
        (event,) = owner.events("creatify", sent.failed_product.job_id)
        assert event["clock"] == "provider"
        assert datetime.fromisoformat(event["occurred_at"]) == datetime.fromisoformat(
            json.loads(sent.failed_product.body)["updated_at"]
        )
