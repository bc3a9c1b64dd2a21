"""Replay: a job's recorded events merged again, and its standing told to the bus again.

A merge that changes nothing writes nothing. What is told has the ids that it had, so whoever remembers them hears only
what was missed. Media that nobody has tried yet go to the archive again, by the bus.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.refusal import NothingFound
from cli.stack import Stack
from dailies import bucket
from dailies.announcing import Announcement, announcements, page
from dailies.bucket import Bucket
from dailies.bus import Bus
from dailies.models import Job


@dataclass(frozen=True, slots=True)
class Replayed:
    """A job after its replay: how many events were merged, whether its row changed by that, and what was told."""

    job: Job
    events: int
    changed: bool
    told: tuple[str, ...]


def replay(stack: Stack, provider: str, job_id: str) -> Replayed:
    """Merge all recorded events of a job again, and tell the bus how it stands. NothingFound where there are none."""
    before = stack.table.job(provider, job_id)
    job, count = before, 0
    for count, event in enumerate(stack.table.events(provider, job_id), 1):  # noqa: B007  how many they were
        job = stack.table.advance(event)
    if job is None:
        raise NothingFound(f"nothing is recorded of {provider}/{job_id}; `dailies jobs` lists the jobs there are")
    news = announcements(None, job)
    tell(stack, job, news)
    return Replayed(job, count, job != before, tuple(item.detail_type for item in news))


def tell(stack: Stack, job: Job, news: Sequence[Announcement]) -> None:
    """Do as announce does: the page of a job that settled, then the bus."""
    if any(item.detail_type == "Job Settled" for item in news):
        pages = Bucket(lambda: stack.s3, stack.bucket_name)
        pages.put_job(bucket.job_key(job.provider, job.job_id), page(job))
    Bus(stack.events, stack.output("BusName")).tell(news)
