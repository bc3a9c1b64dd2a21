"""A found medium is copied into the bucket, and the result of each attempt is recorded.

The function is called as its queue calls it. Its S3 is the simulator with S3's rules; the media host and the provider
APIs are on the loopback.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from dailies.aws.table import Table
from dailies.jobs.models import Event, MediaLink, Receipt
from dailies.jobs.rows import event_item, event_of
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import S3Simulator, s3_simulator
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY
from testkit.fixtures.aws import BUCKET, TABLE, Cloud, Context, account
from testkit.support.recorded_events import event

CLIP = "generation.mp4"
NOW = "2026-01-15T10:30:00.000000Z"
TRIES = 3  # of testkit/fixtures/aws.py

type Handler = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Simulator]:
    with s3_simulator(keep=True) as running:
        yield running


class Archive:
    """The function, and a job of the test's own for it."""

    def __init__(self, cloud: Cloud, handler: Handler) -> None:
        self.cloud = cloud
        self.job_id = uuid4().hex
        self.table = Table(cloud.dynamodb, TABLE)
        self._handler = handler

    def found(self, *media: MediaLink, provider: str = "sync", webhook: str = "generation", at: str = NOW) -> None:
        """A delivery has reported these media."""
        happened = Event(
            event_id=sha256("".join(medium.url for medium in media).encode()).hexdigest(),
            provider=provider,
            webhook=webhook,
            job_id=self.job_id,
            status="completed",
            provider_status="COMPLETED",
            media=media,
            origin="webhook",
            received_at=at,
        )
        self.table.put_once(event_item(happened, expires_at=2_000_000_000), written_by="test")

    def run(self, medium: MediaLink, *, tries: int = 1, provider: str = "sync", webhook: str = "generation") -> bool:
        """Process the message that names a medium; whether the message is done."""
        about = {"role": medium.role, "media_id": medium.media_id}
        detail = {"provider": provider, "webhook": webhook, "job_id": self.job_id, "media": [about]}
        return self.message(json.dumps({"detail": detail}), tries)

    def message(self, body: str, tries: int = 1) -> bool:
        queue = self.cloud.queue_url("found")
        self.cloud.sqs.send_message(QueueUrl=queue, MessageBody=body)
        (received,) = self.cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
        (record,) = event("archive/found")["Records"]
        record |= {"messageId": "m-1", "body": body, "receiptHandle": received["ReceiptHandle"]}
        record["attributes"]["ApproximateReceiveCount"] = str(tries)
        answer = self._handler({"Records": [record]}, Context())
        assert answer in ({"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "m-1"}]})
        return not answer["batchItemFailures"]

    def events(self) -> list[Event]:
        """All records of the job and of those that it lists, except deliveries."""
        happened = (event_of(row) for row in self.cloud.rows() if row.get("origin", "webhook") != "webhook")
        ours = (one for one in happened if self.job_id in (one.job_id, one.parent))
        return sorted(ours, key=lambda one: one.received_at)

    def receipts(self) -> list[Receipt]:
        return [happened.receipt for happened in self.events() if happened.receipt]

    def key(self, medium: MediaLink) -> str:
        return f"media/sync/{self.job_id}/{medium.role}-{medium.media_id}.mp4"


def loaded(cloud: Cloud, s3: S3Simulator, host: MediaHost, secret: str, **environment: str) -> Handler:
    """The function, with this secret for Sync's API."""
    named = cloud.secretsmanager.create_secret(Name=f"dailies/sync/{uuid4().hex}", SecretString=secret)
    where = {"AWS_ENDPOINT_URL_S3": s3.endpoint_url, "SYNC_API_URL": host.base_url}
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    handler: Handler = cloud.function(
        "archive", SYNC_API_SECRET_ID=named["Name"], **where, **keys, **environment
    ).lambda_handler
    return handler


@pytest.fixture(scope="module")
def shared(host: MediaHost, s3: S3Simulator) -> Iterator[tuple[Cloud, Handler]]:
    """An account that the tests share."""
    with account() as cloud:
        yield cloud, loaded(cloud, s3, host, "not-set")


@pytest.fixture
def archive(shared: tuple[Cloud, Handler]) -> Archive:
    shared[0].failed()  # what other tests have left there
    return Archive(*shared)


class TestArchived:
    def test_a_medium_is_in_the_bucket_and_its_receipt_is_recorded(
        self, archive: Archive, s3: S3Simulator, host: MediaHost
    ) -> None:
        medium = MediaLink("output", host.url(f"/j-1/{CLIP}"))
        archive.found(medium)
        assert archive.run(medium)
        key = archive.key(medium)
        assert s3.object(key, BUCKET).content == host.media[CLIP].content
        (receipt,) = archive.receipts()
        assert (receipt.role, receipt.media_id, receipt.state) == ("output", medium.media_id, "archived")
        assert (receipt.key, receipt.bytes) == (key, len(host.media[CLIP].content))
        assert (receipt.content_type, receipt.width, receipt.source_host) == ("video/mp4", 320, "127.0.0.1")
        metadata = s3.client().head_object(Bucket=BUCKET, Key=key)["Metadata"]
        assert (metadata["provider"], metadata["job-id"], metadata["role"]) == ("sync", archive.job_id, "output")

    def test_again_it_does_nothing(self, archive: Archive, s3: S3Simulator, host: MediaHost) -> None:
        medium = MediaLink("output", host.url(f"/again/{CLIP}"))
        archive.found(medium)
        archive.run(medium)
        before = (archive.receipts(), len(host.requests), len(s3.requests))
        assert archive.run(medium, tries=2)
        assert (archive.receipts(), len(host.requests), len(s3.requests)) == before

    def test_one_that_was_stored_by_a_run_that_fell_is_recorded_by_the_next(
        self, archive: Archive, s3: S3Simulator, host: MediaHost
    ) -> None:
        medium = MediaLink("output", host.url(f"/fell/{CLIP}"))
        archive.found(medium)
        key = archive.key(medium)
        s3.client().put_object(Bucket=BUCKET, Key=key, Body=host.media[CLIP].content)
        assert archive.run(medium)
        assert [receipt.state for receipt in archive.receipts()] == ["archived"]

    def test_a_row_among_the_jobs_events_that_cannot_be_read_does_not_stop_it(
        self, archive: Archive, host: MediaHost
    ) -> None:
        """Found by the fault matrix: advance had put the row into its failure queue, and the archive failed."""
        medium = MediaLink("output", host.url(f"/strange/{CLIP}"))
        archive.found(medium)
        strange = {"pk": f"job#sync#{archive.job_id}", "sk": "event#0", "origin": "webhook"}
        archive.cloud.dynamodb.put_item(TableName=TABLE, Item={name: {"S": text} for name, text in strange.items()})
        assert archive.run(medium)
        assert [receipt.state for receipt in archive.receipts()] == ["archived"]

    def test_of_several_links_the_newest_is_taken(self, archive: Archive, s3: S3Simulator, host: MediaHost) -> None:
        dead, fresh = (MediaLink("output", host.url(f"/signed/{CLIP}", issued=at)) for at in (1.0, None))
        assert dead.media_id == fresh.media_id
        archive.found(dead)
        archive.found(fresh, at="2026-01-15T11:00:00.000000Z")
        assert archive.run(fresh)
        assert [receipt.state for receipt in archive.receipts()] == ["archived"]

    def test_a_medium_that_lists_jobs_makes_an_event_of_each(self, archive: Archive, host: MediaHost) -> None:
        rows = [
            {"requestId": "r-1", "status": "COMPLETED", "generationId": "g-1", "outputMediaUrl": "https://h.example/o"},
            {"requestId": "r-2", "status": "FAILED", "generationId": "g-2", "error": "why"},
        ]
        host.add("/rows.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows), "application/jsonl")
        result = MediaLink("result", host.url("/rows.jsonl"))
        archive.found(result, webhook="batch")
        assert archive.run(result, webhook="batch")
        listed = [happened for happened in archive.events() if happened.origin == "batch"]
        assert {(one.webhook, one.job_id, one.status, one.parent) for one in listed} == {
            ("generation", "g-1", "completed", archive.job_id),
            ("generation", "g-2", "failed", archive.job_id),
        }


class TestNotArchived:
    def tried(self, archive: Archive, host: MediaHost, fault: str, tries: int) -> tuple[bool, Receipt]:
        medium = MediaLink("output", host.url(f"/bad/{CLIP}", fault=fault))
        archive.found(medium)
        done = False
        for number in range(1, tries + 1):
            done = archive.run(medium, tries=number)
        receipt = archive.receipts()[-1]
        assert len(archive.receipts()) == tries
        assert "http" not in receipt.reason
        return done, receipt

    @pytest.mark.parametrize("fault", ["missing", "broken", "cut-with-length"])
    def test_a_temporary_failure_is_retried(
        self, archive: Archive, s3: S3Simulator, host: MediaHost, fault: str
    ) -> None:
        done, receipt = self.tried(archive, host, fault, tries=1)
        assert (done, receipt.state) == (False, "pending")
        assert archive.cloud.failed() == []
        assert not any(archive.job_id in key for key in s3.keys)

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [("missing", (True, "lost")), ("broken", (True, "failed")), ("html-page", (True, "failed"))],
    )
    def test_after_the_last_attempt_it_fails_with_its_reason(
        self, archive: Archive, host: MediaHost, fault: str, expected: tuple[bool, str]
    ) -> None:
        done, receipt = self.tried(archive, host, fault, tries=TRIES)
        assert (done, receipt.state) == expected
        assert receipt.reason

    def test_a_permanent_failure_is_dead_lettered_at_once_with_its_original_message(
        self, archive: Archive, host: MediaHost
    ) -> None:
        done, receipt = self.tried(archive, host, "redirect-to-itself", tries=1)
        assert (done, receipt.state, receipt.reason) == (True, "failed", "more than 5 redirects")
        ((reason, work),) = archive.cloud.failed()
        assert reason == receipt.reason
        assert work["detail"]["media"][0]["media_id"] == receipt.media_id

    @pytest.mark.parametrize(
        "body",
        [
            "{",
            "[]",
            "{}",
            '{"detail":{"provider":"sync","webhook":"generation","job_id":"j-1","media":[]}}',
            '{"detail":{"provider":"nobody","webhook":"w","job_id":"j-1","media":[{"role":"output","media_id":"0"}]}}',
            '{"detail":{"provider":"sync","webhook":"w","job_id":"j-1","media":[{"role":"poster","media_id":"0"}]}}',
        ],
    )
    def test_a_message_that_names_no_medium_goes_whole_to_the_failure_queue(self, archive: Archive, body: str) -> None:
        assert archive.message(body)
        (message,) = archive.cloud.sqs.receive_message(QueueUrl=archive.cloud.queue_url("failures"))["Messages"]
        assert message["Body"] == body
        assert archive.events() == []

    def test_unauthenticated_links_are_fetched_only_from_the_providers_hosts(self, archive: Archive) -> None:
        photo = MediaLink("photo", "https://elsewhere.example/photo.png")
        archive.found(photo, provider="creatify", webhook="product_to_videos")
        assert archive.run(photo, provider="creatify", webhook="product_to_videos")
        (receipt,) = archive.receipts()
        assert (receipt.state, "is not among the hosts" in receipt.reason) == ("failed", True)

    def test_where_the_table_does_not_answer_it_comes_again(
        self, shared: tuple[Cloud, Handler], s3: S3Simulator, host: MediaHost
    ) -> None:
        archive = Archive(shared[0], loaded(shared[0], s3, host, "not-set", TABLE_NAME="gone"))
        assert not archive.run(MediaLink("output", host.url(f"/{CLIP}")))


class TestRenewed:
    """A dead link is requested again if the owner has set the provider's API credentials."""

    @pytest.fixture
    def renewing(self, shared: tuple[Cloud, Handler], s3: S3Simulator, host: MediaHost) -> Archive:
        return Archive(shared[0], loaded(shared[0], s3, host, '{"api_key":"k-0123"}'))

    def dead(self, archive: Archive, host: MediaHost) -> MediaLink:
        """A medium with a dead link, for which Sync's API has a fresh one."""
        medium = MediaLink("output", host.url(f"/dead/{CLIP}", issued=1.0))
        archive.found(medium)
        fresh = host.url(f"/renewed/{CLIP}").encode()
        host.add(f"/v2/generations/{archive.job_id}/download", fresh, "text/plain")
        host.requests.clear()
        return medium

    def test_the_fresh_link_serves_the_requested_medium(
        self, renewing: Archive, s3: S3Simulator, host: MediaHost
    ) -> None:
        medium = self.dead(renewing, host)
        assert renewing.run(medium)
        assert s3.object(renewing.key(medium), BUCKET).content == host.media[CLIP].content
        poll, *others = renewing.events()
        assert (poll.origin, [found.media_id for found in poll.media]) == ("poll", [medium.media_id])
        assert [one.receipt and one.receipt.state for one in others] == ["archived"]

    def test_the_key_goes_to_the_api_and_nowhere_else(self, renewing: Archive, host: MediaHost) -> None:
        renewing.run(self.dead(renewing, host))
        with_key = [request.path for request in host.requests if request.header("x-api-key")]
        assert with_key == [f"/v2/generations/{renewing.job_id}/download"]
        assert len(host.requests) == 3


def test_log_lines_report_what_was_archived_and_no_link(
    archive: Archive, host: MediaHost, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for fault in (None, "missing", "redirect-to-itself"):
        medium = MediaLink("output", host.url(f"/told/{CLIP}", fault=fault))
        archive.found(medium)
        archive.run(medium)
    printed = capsys.readouterr().out
    lines: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    assert [line["result"] for line in lines] == ["archived", "pending", "failed"]
    assert lines[0]["MediaBytes"] == len(host.media[CLIP].content)
    assert "http" not in printed
    assert "X-Amz" not in printed
