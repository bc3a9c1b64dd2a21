"""A stack's jobs, newest first, in pages. Reads the index, never scans.

A page reads the same partitions of the index whether the table has a thousand jobs or a million.
"""

import base64
import binascii
import heapq
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Self, cast, get_args

from cli.errors import CliError, NothingFound
from cli.stack import Stack
from dailies.jobs.models import FINISHED, Job, ListName, Stage, Status
from dailies.jobs.rows import LIST_NAMES, Item
from dailies.providers import every_provider
from dailies.timestamps import Timestamp

PROVIDERS = tuple(every_provider())
STATUSES: tuple[Status, ...] = get_args(Status.__value__)
STAGES: tuple[Stage, ...] = get_args(Stage.__value__)

PAGE = 50
MAX_LOOKED_AT = 1000
"""Rows of the index read for one page. If a filter matches few of them, the page ends here; its cursor goes on."""

# The lists that can hold jobs at a stage, and with a status that has no list of its own.
OF_STAGE: dict[Stage, tuple[ListName, ...]] = {
    "waiting": ("waiting",),
    "archiving": ("archiving",),
    "attention": ("attention", "silent"),
    "settled": ("completed", "failed", "canceled"),
}
UNDECIDED: tuple[ListName, ...] = ("archiving", "attention")  # finished jobs of any status
UNFINISHED: tuple[ListName, ...] = ("waiting", "silent", "attention")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs to read; None matches all. `since` and `until` bound the time of the last update, both included."""

    provider: str | None = None
    status: Status | None = None
    stage: Stage | None = None
    since: Timestamp = ""
    until: Timestamp = "~"  # sorts after every timestamp

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose lists to read."""
        return (self.provider,) if self.provider else PROVIDERS

    @property
    def list_names(self) -> tuple[ListName, ...]:
        """The lists that can hold matching jobs."""
        of_stage = OF_STAGE[self.stage] if self.stage else LIST_NAMES
        if self.status is None:
            return of_stage
        of_status = (cast("ListName", self.status), *UNDECIDED) if self.status in FINISHED else UNFINISHED
        return tuple(name for name in of_stage if name in of_status)

    def matches(self, row: Item) -> bool:
        """Whether a row of those lists matches."""
        return self.status in {None, row["status"]} and self.stage in {None, row["stage"]}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the last row that was read."""

    updated_at: Timestamp
    pk: str

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.updated_at, self.pk]).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a page's cursor. Raises CliError for anything else."""
        try:
            updated_at, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls(str(updated_at), str(pk))
        except (ValueError, TypeError, binascii.Error):
            raise CliError("This is not a cursor that a page printed. Start again without --cursor.") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the index (`provider webhook job_id status provider_status stage first_seen_at updated_at`), and the
    cursor of the next page; None after the last one."""

    rows: tuple[Item, ...]
    cursor: Cursor | None


def page(stack: Stack, criteria: Filter, *, after: Cursor | None = None, limit: int = PAGE) -> Page:
    """The newest matching jobs, or the next ones after a page's cursor; `limit` at most."""
    rows: list[Item] = []
    for looked_at, row in enumerate(_newest_first(stack, criteria, after), 1):
        if criteria.matches(row):
            rows.append(row)
        if len(rows) == limit or looked_at == max(limit, MAX_LOOKED_AT):
            return Page(tuple(rows), Cursor(row["updated_at"], row["pk"]))
    return Page(tuple(rows), None)


def every(stack: Stack, criteria: Filter) -> Iterator[Item]:
    """All matching jobs, newest first. Reads only as far as it is iterated."""
    return filter(criteria.matches, _newest_first(stack, criteria, None))


def find(stack: Stack, name: str) -> Job:
    """The job with this id, or `provider/id`. Raises NothingFound, or CliError if two providers use the id."""
    provider, slash, rest = name.partition("/")
    candidates = [(provider, rest)] if slash and provider in PROVIDERS else [(one, name) for one in PROVIDERS]
    found = [job for job in (stack.table.job(*pair) for pair in candidates) if job]
    if not found:
        raise NothingFound(f"No job {name}. List the jobs with `dailies jobs`.")
    if len(found) > 1:
        choices = " or ".join(f"{job.provider}/{name}" for job in found)
        raise CliError(f"{len(found)} jobs have this id. Use {choices}.")
    return found[0]


def _newest_first(stack: Stack, criteria: Filter, after: Cursor | None) -> Iterator[Item]:
    until = after.updated_at if after else criteria.until
    lists = [
        stack.table.list_jobs(provider, list_name, since=criteria.since, until=until)
        for provider in criteria.providers
        for list_name in criteria.list_names
    ]
    merged = heapq.merge(*_started(lists), key=itemgetter("updated_at"), reverse=True)
    # The index sorts by time alone. Equal times are sorted by key, so that a cursor separates them.
    rows = chain.from_iterable(
        sorted(tied, key=itemgetter("pk"), reverse=True) for _, tied in groupby(merged, key=itemgetter("updated_at"))
    )
    if after is None:
        return rows
    return (row for row in rows if (row["updated_at"], row["pk"]) < (after.updated_at, after.pk))


def _started(lists: Sequence[Iterator[Item]]) -> list[Iterator[Item]]:
    """The lists with the first page of each already read, in parallel."""
    if not lists:
        return []
    with ThreadPoolExecutor(len(lists)) as readers:
        firsts = list(readers.map(lambda one: next(one, None), lists))
    return [chain([first], rest) for first, rest in zip(firsts, lists, strict=True) if first is not None]
