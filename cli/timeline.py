"""One job's whole story on a time line: what was heard of it and how that was proven, what the archive came to, and
what the bus was told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli.errors import NothingFound
from cli.stack import Stack
from dailies.jobs.announcements import Announcement, announcements, media_found
from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Step:
    """One event, the job as it stood after it, and what its change led to: `queued`, the media that went into the
    archive's queue, and `told`, what the bus was told.

    Neither is recorded anywhere: it follows from the events, in the order of their arrival. It was done within
    a second or so, once or more often, with the same ids.
    """

    event: Event
    job: Job
    queued: tuple[Announcement, ...]
    told: tuple[Announcement, ...]

    @property
    def at(self) -> Timestamp:
        """When it arrived."""
        return self.event.received_at


@dataclass(frozen=True, slots=True)
class Story:
    """A job as its row has it, and its steps, oldest first. Steps older than the retention of event rows are gone."""

    job: Job
    steps: tuple[Step, ...]


def story(stack: Stack, job: Job) -> Story:
    """The story of a job that was found."""
    events = stack.table.events(job.provider, job.job_id)
    return Story(job, tuple(steps(events, announces_media_found=stack.announces_media_found)))


def steps(events: Iterable[Event], *, announces_media_found: bool = False) -> Iterator[Step]:
    """Events in any order as the steps that they make."""
    before: Job | None = None
    for event in sorted(events, key=lambda event: (event.received_at, event.event_id)):
        after = merge(before, event)
        found = tuple(media_found(before, after))
        told = (*(found if announces_media_found else ()), *announcements(before, after))
        yield Step(event, after, found, told)
        before = after


def event_named(story: Story, start: str) -> Event:
    """The one event of a story whose id begins so."""
    found = [step.event for step in story.steps if step.event.event_id.startswith(start)]
    if len(found) != 1:
        many = "no event" if not found else f"{len(found)} events"
        raise NothingFound(f"{many} of this job with an id that begins {start!r}; `dailies job` shows their ids")
    return found[0]
