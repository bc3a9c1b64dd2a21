"""A sweep over what should have been heard of by now: what it learns is recorded as events of the jobs.

Jobs that wait for longer than usual are asked about, the longest silent first; jobs that are finished at the provider
and not here are taken in; media that nothing is heard of are queued again; who is silent for a day calls a person. A
sweep that is interrupted loses nothing: what it did is recorded, and the rest is as due as before.
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
from dailies.provider_api.client import Api
from dailies.providers.contract import Provider
from dailies.steps.poll import Poll

STUCK_SECONDS = 5400.0  # more than the hour that a media host may ask for and the quarter of one that a try may take
GROWS = 0.5  # the next look comes after half the time that a job has been silent for
MAX_GAP = 3600.0  # between two looks, in seconds
MAX_SILENCE = 7 * 86_400.0  # seconds; after a week nobody is asked any more, and nothing queued again


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What a sweep works with. `quiet` takes the place of each provider's usual time, where it is not 0; `silent_after`
    is how long a job may be silent; both in seconds. `apis` are those of the providers that have one, by name."""

    table: Table
    queue: WorkQueue
    telemetry: Telemetry
    providers: Mapping[str, Provider]
    apis: Mapping[str, Api]
    quiet: float
    silent_after: float
    retention_days: int


def reconcile(sweep: Reconciler, *, seconds: float) -> None:
    """Look after all jobs, for about so many seconds at most. Each provider has its share of them, and of that each
    step: a backlog is worked off over several sweeps, and nobody else waits for it."""
    end = time.monotonic() + seconds
    for others, provider in zip(reversed(range(len(sweep.providers))), sweep.providers.values(), strict=True):
        until = _share(end, others + 1)
        requeued = _queue_again(sweep, provider, _share(until, 3))
        silent = _name_silence(sweep, provider, _share(until, 2))
        polled = _poll(sweep, provider, until)
        problem = polled.problem or ("the time was over" if time.monotonic() > until else "")
        fields = {"provider": provider.name, **({"problem": problem} if problem else {})}
        done = {
            "PolledJobs": polled.asked,
            "DiscoveredJobs": polled.taken_in,
            "RequeuedMedia": requeued,
            "SilentJobs": silent,
        }
        # A metric is billed for each hour that has a value of it: one that says nothing is not told.
        sweep.telemetry.count("Sweeps", fields=fields, **{name: count for name, count in done.items() if count})


class Polled(NamedTuple):
    """What a poll came to: the jobs it asked about, the jobs it discovered, and why it stopped early."""

    asked: int = 0
    taken_in: int = 0
    problem: str = ""


def _poll(sweep: Reconciler, provider: Provider, until: float) -> Polled:
    """Ask the provider's API, if it has one, about the jobs that are due."""
    if provider.name not in sweep.apis or not provider.polling:
        return Polled()
    poll = Poll(sweep.table, sweep.apis[provider.name], sweep.retention_days, until)
    poll.ask(list(_due(sweep, provider, _share(until, 2))))
    return Polled(poll.asked, poll.taken_in, poll.problem)


def _share(until: float, of: int) -> float:
    """Until when one of so many parts of the time goes that is left, both by `time.monotonic`."""
    now = time.monotonic()
    return now + (until - now) / of


def _in_time(rows: Iterator[Item], until: float) -> Iterator[Item]:
    return takewhile(lambda _: time.monotonic() <= until, rows)


def next_look(listed: Item, usual: float) -> float:
    """When a job is looked after next, in seconds since 1970: first when it has been silent for as long as is usual,
    then after gaps that grow with its silence."""
    heard, looked = listed["updated_at"], listed.get("reconciled_at", "")
    if looked <= heard:
        return timestamps.seconds(heard) + usual
    return timestamps.seconds(looked) + min((timestamps.seconds(looked) - timestamps.seconds(heard)) * GROWS, MAX_GAP)


def _due(sweep: Reconciler, provider: Provider, until: float) -> Iterator[Item]:
    """The jobs that are due to be asked about, those first that wait for the longest time; then those whose silence
    has a name already, so that they take nothing from the others' rate limit."""
    now = time.time()
    usual = {name: sweep.quiet or inquiry.usual_seconds for name, inquiry in provider.polling.items()}
    list_names: tuple[ListName, ...] = ("waiting", "silent")
    for standing in list_names:
        rows = sweep.table.list_jobs(
            provider.name,
            standing,
            since=timestamps.at(now - MAX_SILENCE),
            until=timestamps.at(now - min(usual.values())),
            newest_first=False,
        )
        for row in _in_time(rows, until):
            if row["webhook"] in usual and next_look(row, usual[row["webhook"]]) <= now:
                yield row


def _queue_again(sweep: Reconciler, provider: Provider, until: float) -> int:
    """Put the media of jobs that are stuck into the archive's queue again: how many. Archiving twice is once."""
    now, count = time.time(), 0
    usual = sweep.quiet or STUCK_SECONDS
    rows = sweep.table.list_jobs(
        provider.name,
        "archiving",
        since=timestamps.at(now - MAX_SILENCE),
        until=timestamps.at(now - usual),
        newest_first=False,
    )
    for row in _in_time(rows, until):
        if next_look(row, usual) > now:
            continue
        job = sweep.table.job(provider.name, row["job_id"])
        if job is None:
            continue
        for found in announcements.still_pending(job):
            sweep.queue.put(announcements.message(found))
            count += 1
        _look(sweep, provider, row)
    return count


def _name_silence(sweep: Reconciler, provider: Provider, until: float) -> int:
    """Give the silence of jobs a name that a person hears: how many."""
    count = 0
    rows = sweep.table.list_jobs(
        provider.name, "waiting", until=timestamps.at(time.time() - sweep.silent_after), newest_first=False
    )
    for row in _in_time(rows, until):
        _look(sweep, provider, row, silent=True)
        count += 1
    return count


def _look(sweep: Reconciler, provider: Provider, row: Item, *, silent: bool = False) -> None:
    """Record that the job was looked after."""
    event = poll_event(provider.name, row["webhook"], nothing(row["job_id"]), b"", at=timestamps.now(), silent=silent)
    sweep.table.record(event, retention_days=sweep.retention_days, written_by="reconcile")
