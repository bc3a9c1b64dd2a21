"""Jobs are listed by the index: under their standing, in the order of their last news, each once."""

from dailies.models import Event, Media
from dailies.rows import SHARDS, shard_of
from dailies.table import PAGE, Table
from tests.cloud import TABLE, Cloud

LINK = Media("output", "https://h.example/o.mp4")


def told(number: int, *, completed: bool = False, second: int = 0) -> Event:
    """A delivery about one of many jobs, so many seconds after another."""
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


class TestStandingJobs:
    def test_they_are_listed_from_the_newest_across_shards_and_pages(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        count = PAGE * (SHARDS + 1)  # more than a page in one shard at least
        for number in range(count):
            jobs.advance(told(number))
        found = [job["job_id"] for job in jobs.standing_jobs("sync", "waiting")]
        assert {shard_of(job_id) for job_id in found} == set(range(SHARDS))
        assert found == [f"g-{number}" for number in reversed(range(count))]

    def test_a_span_of_them_from_the_oldest(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        for number in range(9):
            jobs.advance(told(number))
        since, until = told(2).received_at, told(5).received_at
        found = jobs.standing_jobs("sync", "waiting", since=since, until=until, newest_first=False)
        assert [job["job_id"] for job in found] == ["g-2", "g-3", "g-4", "g-5"]

    def test_a_job_that_goes_on_changes_its_list(self, cloud: Cloud) -> None:
        jobs = Table(cloud.dynamodb, TABLE)
        jobs.advance(told(1))
        jobs.advance(told(1, completed=True, second=1))
        assert list(jobs.standing_jobs("sync", "waiting")) == []
        assert list(jobs.standing_jobs("captions", "archiving")) == []
        (listed,) = jobs.standing_jobs("sync", "archiving")
        assert (listed["webhook"], listed["status"], listed["stage"]) == ("generation", "completed", "archiving")
        assert "media" not in listed
