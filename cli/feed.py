"""Incoming work in order of arrival: events of all jobs, and quarantined deliveries. Reads the index, never scans."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli import jobs, quarantine
from cli.concurrency import threads
from cli.jobs import Filter
from cli.quarantine import Delivery
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import Event
from dailies.timestamps import Timestamp

READERS = 16  # jobs whose events are read at the same time
OVERLAP = timedelta(seconds=15)  # each poll goes back this far: the index lags behind the table, advance behind events


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job's event, or a delivery that could not be parsed."""

    at: Timestamp
    what: Event | Delivery

    @property
    def name(self) -> str:
        """A key that is unique among arrivals."""
        return f"{type(self.what).__name__} {self.what.event_id} {self.at}"


def recent(stack: Stack, since: datetime, *, provider: str | None = None) -> list[Arrival]:
    """Everything that arrived since then, oldest first. Reads the events of every job updated since."""
    first = timestamps.from_datetime(since)
    changed = jobs.every(stack, Filter(provider=provider, since=first))
    with threads(READERS) as readers:
        read = readers.map(lambda row: list(stack.table.events(row["provider"], row["job_id"])), changed)
        events = [Arrival(event.received_at, event) for of_job in read for event in of_job]
    refused = [Arrival(one.received_at, one) for one in quarantine.deliveries(stack, since, provider=provider)]
    return sorted((one for one in events + refused if one.at >= first), key=lambda one: (one.at, one.name))


def follow(
    stack: Stack, since: datetime, *, provider: str | None = None, pause: Callable[[], None] = lambda: time.sleep(1)
) -> Iterator[Arrival]:
    """Everything that arrived since then, then everything that arrives, each once, without end. `pause` waits between
    polls."""
    seen: dict[str, Timestamp] = {}
    while True:
        for arrival in recent(stack, since, provider=provider):
            if arrival.name not in seen:
                seen[arrival.name] = arrival.at
                yield arrival
        since = max(since, datetime.now(UTC) - OVERLAP)
        first = timestamps.from_datetime(since)
        seen = {name: at for name, at in seen.items() if at >= first}
        pause()
