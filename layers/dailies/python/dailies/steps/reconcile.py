"""Find overdue work, and record what the providers say about it.

A run polls overdue jobs, the longest overdue first; takes in finished jobs that it does not know; queues media again
whose result is missing; and marks jobs that had no update for a day. An interrupted run loses nothing: its results are
recorded, and the rest is still due.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from dailies import timestamps
from dailies.aws.queues import WorkQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.jobs import announcements
from dailies.jobs.models import ListName
from dailies.jobs.new_events import nothing, poll_event
from dailies.jobs.rows import Item
from dailies.provider_api.client import ProviderApi
from dailies.providers.contract import Provider
from dailies.steps.poll import Poll

STUCK_SECONDS = 5400.0  # more than a media host's longest Retry-After (1 h) and an attempt (15 min) together
GAP_FACTOR = 0.5  # the gap between two polls, as a part of the time without an update
MAX_GAP = 3600.0  # seconds between two polls
MAX_AGE = 7 * 86_400.0  # seconds without an update; older jobs are neither polled nor queued again
LIST_NAMES: tuple[ListName, ...] = ("waiting", "silent")  # in the order in which their jobs are polled


class Polled(NamedTuple):
    """The jobs that were polled, the jobs that were discovered, and why the run stopped early."""

    polled: int = 0
    discovered: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Polls and requeues overdue work of all providers.

    - `table`: has the jobs, and gets the events.
    - `queue`: the archive's queue.
    - `telemetry`: gets a `Sweeps` line per provider and run.
    - `providers`: by name.
    - `apis`: clients by the provider's name, for the providers that have an API.
    - `quiet`: seconds without an update after which work is overdue; 0 uses each webhook's usual time.
    - `silent_after`: seconds without an update after which a job is marked as silent.
    - `retention_days`: how long to keep the events.
    """

    table: Table
    queue: WorkQueue
    telemetry: Telemetry
    providers: Mapping[str, Provider]
    apis: Mapping[str, ProviderApi]
    quiet: float
    silent_after: float
    retention_days: int

    def run(self, *, seconds: float) -> None:
        """Reconcile all providers within about `seconds`. Each provider gets an equal share of the time, and each step
        a share of that. So a backlog takes several runs, and does not delay other providers."""
        end = time.monotonic() + seconds
        for others, provider in zip(reversed(range(len(self.providers))), self.providers.values(), strict=True):
            self._reconcile(provider, _share(end, others + 1))

    def _reconcile(self, provider: Provider, until: float) -> None:
        requeued = self._queue_again(provider, _share(until, 3))
        silent = self._mark_silent(provider, _share(until, 2))
        polled = self._poll(provider, until)
        problem = polled.problem or ("the time was over" if time.monotonic() > until else "")
        fields = {"provider": provider.name, **({"problem": problem} if problem else {})}
        done = {
            "PolledJobs": polled.polled,
            "DiscoveredJobs": polled.discovered,
            "RequeuedMedia": requeued,
            "SilentJobs": silent,
        }
        # A metric is billed for each hour in which it has a value, so zeros are left out.
        self.telemetry.count("Sweeps", fields=fields, **{name: count for name, count in done.items() if count})

    def _poll(self, provider: Provider, until: float) -> Polled:
        """Poll the provider's API, if it has one, for the jobs that are due."""
        if provider.name not in self.apis or not provider.polling:
            return Polled()
        poll = Poll(self.table, self.apis[provider.name], self.retention_days, until)
        poll.run(list(self._due(provider, _share(until, 2))))
        return Polled(poll.polled, poll.discovered, poll.problem)

    def _due(self, provider: Provider, until: float) -> Iterator[Item]:
        """The jobs to poll, the longest overdue first."""
        now = time.time()
        usual = {webhook: self.quiet or polling.usual_seconds for webhook, polling in provider.polling.items()}
        for list_name in LIST_NAMES:
            for row in self._rows(provider, list_name, now, min(usual.values()), until):
                if row["webhook"] in usual and next_poll(row, usual[row["webhook"]]) <= now:
                    yield row

    def _queue_again(self, provider: Provider, until: float) -> int:
        """Queue the media of stuck jobs again, and return their number. The archive copies a medium once, however often
        it is queued."""
        now, count = time.time(), 0
        overdue_after = self.quiet or STUCK_SECONDS
        for row in self._rows(provider, "archiving", now, overdue_after, until):
            if next_poll(row, overdue_after) > now:
                continue
            job = self.table.job(provider.name, row["job_id"])
            if job is None:
                continue
            for announcement in announcements.still_pending(job):
                self.queue.put(announcements.message(announcement))
                count += 1
            self._record_poll(provider, row)
        return count

    def _mark_silent(self, provider: Provider, until: float) -> int:
        """Mark the waiting jobs that had no update for `silent_after` seconds, and return their number."""
        count = 0
        rows = self.table.list_jobs(
            provider.name, "waiting", until=timestamps.at(time.time() - self.silent_after), newest_first=False
        )
        for row in _in_time(rows, until):
            self._record_poll(provider, row, silent=True)
            count += 1
        return count

    def _rows(
        self, provider: Provider, list_name: ListName, now: float, overdue_after: float, until: float
    ) -> Iterator[Item]:
        """The rows of this list without an update for `overdue_after` seconds, the oldest first."""
        rows = self.table.list_jobs(
            provider.name,
            list_name,
            since=timestamps.at(now - MAX_AGE),
            until=timestamps.at(now - overdue_after),
            newest_first=False,
        )
        return _in_time(rows, until)

    def _record_poll(self, provider: Provider, row: Item, *, silent: bool = False) -> None:
        """Record a poll without a result, so that the job's next turn comes later."""
        report = nothing(row["job_id"])
        event = poll_event(provider.name, row["webhook"], report, b"", at=timestamps.now(), silent=silent)
        self.table.record(event, retention_days=self.retention_days, written_by="reconcile")


def next_poll(row: Item, usual: float) -> float:
    """When to poll a job next, in seconds since 1970: first after `usual` seconds without an update, then after growing
    gaps. `row` has `updated_at` and, after the first poll, `reconciled_at`."""
    updated, polled = row["updated_at"], row.get("reconciled_at", "")
    if polled <= updated:
        return timestamps.seconds(updated) + usual
    silence = timestamps.seconds(polled) - timestamps.seconds(updated)
    return timestamps.seconds(polled) + min(silence * GAP_FACTOR, MAX_GAP)


def _share(until: float, of: int) -> float:
    """When the first of `of` equal parts of the remaining time ends, by `time.monotonic`."""
    now = time.monotonic()
    return now + (until - now) / of


def _in_time(rows: Iterator[Item], until: float) -> Iterator[Item]:
    return takewhile(lambda _: time.monotonic() <= until, rows)
