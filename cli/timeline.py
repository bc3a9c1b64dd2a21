"""A job's timeline: its events with their verification, the archive's results, and what was announced on the bus."""

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
    """One event, the job after it, and the effects: `queued` media for the archive, `announced` events on the bus.

    The effects are not recorded. They follow from the events in the order of arrival, and happened within about a
    second, once or more often, with the same ids.
    """

    event: Event
    job: Job
    queued: tuple[Announcement, ...]
    announced: tuple[Announcement, ...]

    @property
    def at(self) -> Timestamp:
        """When the event arrived."""
        return self.event.received_at


@dataclass(frozen=True, slots=True)
class Timeline:
    """A job's row and its steps, oldest first. Steps whose event rows have expired are missing."""

    job: Job
    steps: tuple[Step, ...]


def timeline(stack: Stack, job: Job) -> Timeline:
    """The timeline of a job."""
    events = stack.table.events(job.provider, job.job_id)
    return Timeline(job, tuple(steps(events, announces_media_found=stack.announces_media_found)))


def steps(events: Iterable[Event], *, announces_media_found: bool = False) -> Iterator[Step]:
    """The steps that events make, given in any order."""
    before: Job | None = None
    for event in sorted(events, key=lambda event: (event.received_at, event.event_id)):
        after = merge(before, event)
        found = tuple(media_found(before, after))
        announced = (*(found if announces_media_found else ()), *announcements(before, after))
        yield Step(event, after, found, announced)
        before = after


def find_event(of: Timeline, start: str) -> Event:
    """The event whose id begins with `start`. Raises NothingFound unless exactly one does."""
    found = [step.event for step in of.steps if step.event.event_id.startswith(start)]
    if len(found) != 1:
        count = "No event" if not found else f"{len(found)} events"
        raise NothingFound(f"{count} of this job with an id that begins with {start!r}. `dailies job` lists the ids.")
    return found[0]
