"""What comes in: events of all jobs and calls into quarantine, in the order of their arrival. By the index, no scan."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli import jobs, quarantine
from cli.concurrency import threads
from cli.jobs import Filter
from cli.quarantine import Call
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import Event
from dailies.timestamps import Timestamp

READERS = 16  # jobs whose events are read at once
BEHIND = timedelta(seconds=15)  # how far back a look goes: the index follows the table, and advance the events


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event of a job, or a call that could not be read."""

    at: Timestamp
    what: Event | Call

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return f"{type(self.what).__name__} {self.what.event_id} {self.at}"


def recent(stack: Stack, since: datetime, *, provider: str | None = None) -> list[Arrival]:
    """All that came in since then, the oldest first. Reads the events of every job that has news since."""
    first = timestamps.from_datetime(since)
    changed = jobs.every(stack, Filter(provider=provider, since=first))
    with threads(READERS) as readers:
        read = readers.map(lambda row: list(stack.table.events(row["provider"], row["job_id"])), changed)
        events = [Arrival(event.received_at, event) for of_job in read for event in of_job]
    refused = [Arrival(call.received_at, call) for call in quarantine.calls(stack, since, provider=provider)]
    return sorted((one for one in events + refused if one.at >= first), key=lambda one: (one.at, one.name))


def follow(
    stack: Stack, since: datetime, *, provider: str | None = None, pause: Callable[[], None] = lambda: time.sleep(1)
) -> Iterator[Arrival]:
    """What came in since then and what comes, each once, without an end. `pause` waits between two looks."""
    seen: dict[str, Timestamp] = {}
    while True:
        for arrival in recent(stack, since, provider=provider):
            if arrival.name not in seen:
                seen[arrival.name] = arrival.at
                yield arrival
        since = max(since, datetime.now(UTC) - BEHIND)
        first = timestamps.from_datetime(since)
        seen = {name: at for name, at in seen.items() if at >= first}
        pause()
