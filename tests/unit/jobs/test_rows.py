"""Events and jobs read from their rows equal the originals; the rows have the names of the table's contract."""

from dataclasses import fields, replace

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from dailies.jobs import rows
from dailies.jobs.models import Event, Job, JobError, MediaItem, MediaLink, Receipt, Upload
from dailies.jobs.rows import Item, event_item, event_of, job_item, job_of, quarantine_item
from testkit.support.strategies import JOBS, SIGNED, events, receipts


def through_dynamodb(item: Item) -> Item:
    """The item as read from a row."""
    write, read = TypeSerializer().serialize, TypeDeserializer().deserialize
    return {name: read(write(value)) for name, value in item.items()}


class TestRoundTrip:
    @given(job=JOBS, version=st.integers(0, 10**9))
    def test_a_job_comes_back_as_it_was(self, job: Job, version: int) -> None:
        job = replace(job, version=version)
        assert job_of(through_dynamodb(job_item(job))) == job

    @given(happened=events())
    def test_an_event_comes_back_as_it_was_without_its_payload(self, happened: Event) -> None:
        item = through_dynamodb(event_item(happened, expires_at=2_000_000_000, payload=b"\x1f\x8b"))
        assert event_of(item) == replace(happened, payload=b"")

    @given(happened=events(), receipt=receipts())
    def test_a_receipt_comes_back_in_its_event(self, happened: Event, receipt: Receipt) -> None:
        happened = replace(happened, receipt=receipt)
        assert event_of(through_dynamodb(event_item(happened, expires_at=0))).receipt == receipt


class TestFields:
    """A field of a model without a column in its row's table would be lost."""

    @pytest.mark.parametrize(
        ("model", "columns", "elsewhere"),
        [
            (Event, rows.EVENT, {"payload"}),  # stored by the caller, in the row or in the bucket
            (Job, rows.JOB, set()),
            (MediaItem, rows.MEDIUM, set()),
            (MediaLink, rows.LINK, set()),
            (Receipt, rows.RECEIPT, set()),
            (Upload, rows.UPLOAD, set()),
            (JobError, rows.ERROR, set()),
        ],
    )
    def test_each_field_is_read_from_a_column(self, model: type, columns: rows.Columns, elsewhere: set[str]) -> None:
        read = {column[1] if isinstance(column, tuple) else name for name, column in columns.items()} - {""}
        assert read | elsewhere == {field.name for field in fields(model)}


class TestContract:
    """`media`, `error`, `credits` and the like are omitted if empty."""

    EVENT = frozenset({
        *("pk", "sk", "event_id", "provider", "webhook", "job_id", "status", "provider_status", "occurred_at"),
        *("received_at", "origin", "payload", "media", "error", "credits", "proof", "expires_at", "parent", "receipt"),
        *("clock", "upload", "contradiction", "silent"),
    })  # fmt: skip
    JOB = frozenset({
        *("pk", "sk", "provider", "webhook", "job_id", "status", "provider_status", "stage", "first_seen_at"),
        *("updated_at", "media", "error", "parent", "credits", "version", "occurred_at"),
        *("listed", "reconciled_at", "silent_at", "confirmed_at", "contradiction"),
    })  # fmt: skip
    MEDIUM = frozenset({
        *("role", "media_id", "state", "reason", "link_expires_at", "source_host", "key", "version_id", "bytes"),
        *("checksum", "content_type", "archived_at", "tried_at", "found_at", "link_host", "served_by"),
        *("seconds", "width", "height", "note"),
    })  # fmt: skip

    @given(happened=events())
    def test_an_event_row(self, happened: Event) -> None:
        item = event_item(happened, expires_at=5, payload=b"p")
        assert set(item) <= self.EVENT
        assert (item["pk"], item["sk"]) == ("job#sync#j-1", f"event#{happened.event_id}")
        assert (item["payload"], item["expires_at"], item["origin"]) == (b"p", 5, happened.origin)
        assert item["occurred_at"] == (happened.occurred_at or happened.received_at)
        assert None not in item.values()

    @given(job=JOBS)
    def test_a_job_row(self, job: Job) -> None:
        item = job_item(job)
        assert set(item) <= self.JOB
        assert (item["pk"], item["sk"], item["stage"]) == ("job#sync#j-1", "job", job.stage)
        for medium in item["media"]:
            assert set(medium) <= self.MEDIUM
            assert ("archived_at" in medium) == (medium["state"] == "archived")

    @given(job=JOBS)
    def test_a_job_row_has_nothing_of_a_link_but_its_host(self, job: Job) -> None:
        assert SIGNED not in repr(job_item(job))
        assert ".mp4?" not in repr(job_item(job))

    def test_a_quarantine_row_is_in_its_days_partition_and_does_not_expire(self) -> None:
        item = quarantine_item(
            "0" * 64,
            "batch",
            provider="sync",
            received_at="2026-01-15T10:30:00.000000Z",
            reason="r",
            proof="p",
            payload=b"",
        )
        assert (item["pk"], item["sk"]) == ("quarantine#sync#2026-01-15", "event#" + "0" * 64)
        assert "expires_at" not in item
