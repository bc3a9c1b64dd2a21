"""What follows from a change of a job, done: found media go to the archive's queue, a settled job's page goes into the
bucket, and the bus is told. In that order: a link may live for an hour, and `Job Settled` promises the page.

Safe to repeat: archiving twice is once, pages are overwritten, announcements keep their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dailies.aws.bucket import Bucket
from dailies.aws.bus import Bus
from dailies.aws.queues import WorkQueue
from dailies.jobs.announcements import Announcement, announcements, job_summary, media_found, message
from dailies.jobs.models import Job
from dailies.jobs.object_keys import job_key


@dataclass(frozen=True, slots=True)
class Published:
    """What was done: `queued`, the media for the archive, and `announced`, what the bus was told."""

    queued: Sequence[Announcement]
    announced: Sequence[Announcement]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where it goes. `announces_media_found`: the bus is told of found media too, where the owner's systems want it."""

    archive: WorkQueue
    pages: Bucket
    bus: Bus
    announces_media_found: bool

    def publish(self, old: Job | None, new: Job, *, latest: Job | None = None) -> Published:
        """All that follows from the change of a job from `old` to `new`. The page is written from `latest`, where the
        job has changed since. NotStored where the bus did not take all of it."""
        found, news = media_found(old, new), announcements(old, new)
        for each in found:
            self.archive.put(message(each))
        if any(each.detail_type == "Job Settled" for each in news):
            job = latest or new
            self.pages.put_job(job_key(job.provider, job.job_id), job_summary(job))
        announced = [*found, *news] if self.announces_media_found else news
        self.bus.publish(announced)
        return Published(found, announced)
