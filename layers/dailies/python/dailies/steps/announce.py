"""Publish what the change of a job means: queue its new media for the archive, write its summary, send its events."""

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
    """What was published: `queued`, the media sent to the archive's queue, and `announced`, the events on the bus."""

    queued: Sequence[Announcement]
    announced: Sequence[Announcement]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes the changes of jobs.

    archive_queue: takes a message for each medium to be archived.
    bucket: takes the summary of a settled job, `job.json`.
    bus: takes the events.
    announces_media_found: whether `Media Found` goes to the bus too.
    """

    archive_queue: WorkQueue
    bucket: Bucket
    bus: Bus
    announces_media_found: bool

    def publish(self, old: Job | None, new: Job, *, latest: Job | None = None) -> Published:
        """Publish the change of a job from `old` (None if it is new) to `new`. `latest`: the job now, if it has changed
        since, for the summary. NotStored if the bus did not take all events.

        The order matters. Media go first, as a link may expire within an hour. The summary goes before the bus, as
        `Job Settled` promises it. Safe to repeat: archiving is idempotent, a summary is overwritten, an event keeps its
        id.
        """
        found, changes = media_found(old, new), announcements(old, new)
        for each in found:
            self.archive_queue.put(message(each))
        if any(each.detail_type == "Job Settled" for each in changes):
            job = latest or new
            self.bucket.put_job(job_key(job.provider, job.job_id), job_summary(job))
        announced = [*found, *changes] if self.announces_media_found else changes
        self.bus.publish(announced)
        return Published(found, announced)
