"""Jobs are listed by the index: under their list name, in the order of their last update, each once."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dailies.aws import table
from dailies.aws.table import MAX_BATCH_ATTEMPTS, PAGE, Table
from dailies.jobs.models import Event, MediaLink
from dailies.jobs.rows import SHARDS, shard_of
from dailies.steps.advance import advance
from testkit.fixtures.aws import TABLE, Cloud

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LINK = MediaLink("output", "https://h.example/o.mp4")


def delivery(number: int, *, completed: bool = False, second: int = 0) -> Event:
    """A delivery about one of many jobs, `number` seconds after the first."""
    return Event(
        event_id=f"{number:064x}",
        provider="sync",
        webhook="generation",
        job_id=f"g-{number}",
        status="completed" if completed else "processing",
        provider_status="",
        origin="webhook",
        received_at=f"2026-01-15T10:{number // 60:02}:{number % 60:02}.{second:06}Z",
        media=(LINK,) if completed else (),
    )


class AtItsLimit:
    """DynamoDB returns no key in the next BatchGetItem calls; `calls` counts all. Retries have no pause."""

    def __init__(self, client: "DynamoDBClient", patched: pytest.MonkeyPatch, times: int) -> None:
        patched.setattr(table, "BATCH_PAUSE", 0)
        self.times = times
        self.calls = 0
        self._asked: dict[str, Any] = {}
        client.meta.events.register("provide-client-params.dynamodb.BatchGetItem", self._count)
        client.meta.events.register("after-call.dynamodb.BatchGetItem", self._answer)

    def _count(self, params: dict[str, Any], **_: object) -> None:
        self._asked = params["RequestItems"]

    def _answer(self, parsed: dict[str, Any], **_: object) -> None:
        self.calls += 1
        if self.calls <= self.times:
            parsed |= {"Responses": {}, "UnprocessedKeys": self._asked}


class TestJobs:
    """Several by their ids."""

    def test_rows_are_returned_unchanged_and_none_for_an_unknown_id(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        stored = [advance(jobs, delivery(number)) for number in range(3)]
        found = jobs.jobs("sync", ["g-0", "g-2", "g-9", "g-2"])
        assert found == {"g-0": replace(stored[0], version=1), "g-2": replace(stored[2], version=1), "g-9": None}
        assert jobs.jobs("sync", []) == {}

    def test_unprocessed_keys_are_requested_again(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        advance(jobs, delivery(1))
        limit = AtItsLimit(cloud.dynamodb, monkeypatch, times=1)
        assert jobs.jobs("sync", ["g-1", "g-9"]) == {"g-1": jobs.job("sync", "g-1"), "g-9": None}
        assert limit.calls == 2

    def test_but_only_a_limited_number_of_times_and_then_they_are_left_out(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        advance(jobs, delivery(1))
        limit = AtItsLimit(cloud.dynamodb, monkeypatch, times=100)
        assert jobs.jobs("sync", ["g-1", "g-9"]) == {}
        assert limit.calls == MAX_BATCH_ATTEMPTS


class TestStandingJobs:
    def test_they_are_listed_from_the_newest_across_shards_and_pages(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        count = PAGE * (SHARDS + 1)  # more than one page in at least one shard
        cloud.put_events(map(delivery, range(count)))
        found = [job["job_id"] for job in jobs.list_jobs("sync", "waiting")]
        assert {shard_of(job_id) for job_id in found} == set(range(SHARDS))
        assert found == [f"g-{number}" for number in reversed(range(count))]

    def test_a_span_of_them_from_the_oldest(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        for number in range(9):
            advance(jobs, delivery(number))
        since, until = delivery(2).received_at, delivery(5).received_at
        found = jobs.list_jobs("sync", "waiting", since=since, until=until, newest_first=False)
        assert [job["job_id"] for job in found] == ["g-2", "g-3", "g-4", "g-5"]

    def test_a_job_that_progresses_changes_its_list(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        advance(jobs, delivery(1))
        advance(jobs, delivery(1, completed=True, second=1))
        assert list(jobs.list_jobs("sync", "waiting")) == []
        assert list(jobs.list_jobs("captions", "archiving")) == []
        (listed,) = jobs.list_jobs("sync", "archiving")
        assert (listed["webhook"], listed["status"], listed["stage"]) == ("generation", "completed", "archiving")
        assert "media" not in listed
