"""The jobs of a stack, newest first: by the index, never by a scan, in pages.

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

from cli.errors import NothingFound, Refusal
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
"""Rows of the index in one page, where a filter lets few through: the page ends then, and its cursor goes on."""

# The lists where jobs of a stage and of a status that is not a list's own are found.
OF_STAGE: dict[Stage, tuple[ListName, ...]] = {
    "waiting": ("waiting",),
    "archiving": ("archiving",),
    "attention": ("attention", "silent"),
    "settled": ("completed", "failed", "canceled"),
}
UNDECIDED: tuple[ListName, ...] = ("archiving", "attention")  # finished, whatever their status
UNFINISHED: tuple[ListName, ...] = ("waiting", "silent", "attention")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs; None and empty: all. `since` and `until` bound the moment of a job's last news, both included."""

    provider: str | None = None
    status: Status | None = None
    stage: Stage | None = None
    since: Timestamp = ""
    until: Timestamp = "~"  # after every moment

    @property
    def providers(self) -> tuple[str, ...]:
        """Whose lists to read."""
        return (self.provider,) if self.provider else PROVIDERS

    @property
    def list_names(self) -> tuple[ListName, ...]:
        """Which lists can hold such jobs."""
        of_stage = OF_STAGE[self.stage] if self.stage else LIST_NAMES
        if self.status is None:
            return of_stage
        of_status = (cast("ListName", self.status), *UNDECIDED) if self.status in FINISHED else UNFINISHED
        return tuple(standing for standing in of_stage if standing in of_status)

    def lets_through(self, row: Item) -> bool:
        """Whether a row of those lists is such a job."""
        return self.status in {None, row["status"]} and self.stage in {None, row["stage"]}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the last row that was looked at."""

    updated_at: Timestamp
    pk: str

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.updated_at, self.pk]).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """As a page gave it; a Refusal where it did not."""
        try:
            updated_at, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls(str(updated_at), str(pk))
        except (ValueError, TypeError, binascii.Error):
            raise Refusal("that is no cursor of a page; begin again without --cursor") from None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the index: `provider webhook job_id status provider_status stage first_seen_at updated_at`, and where to
    go on; None at the end."""

    rows: tuple[Item, ...]
    cursor: Cursor | None


def page(stack: Stack, wanted: Filter, *, after: Cursor | None = None, most: int = PAGE) -> Page:
    """The newest jobs that are wanted, or the next ones after a page's cursor."""
    rows: list[Item] = []
    for looked_at, row in enumerate(_newest_first(stack, wanted, after), 1):
        if wanted.lets_through(row):
            rows.append(row)
        if len(rows) == most or looked_at == max(most, MAX_LOOKED_AT):
            return Page(tuple(rows), Cursor(row["updated_at"], row["pk"]))
    return Page(tuple(rows), None)


def every(stack: Stack, wanted: Filter) -> Iterator[Item]:
    """All jobs that are wanted, newest first, read as far as they are asked for."""
    return filter(wanted.lets_through, _newest_first(stack, wanted, None))


def find(stack: Stack, name: str) -> Job:
    """The job of an id, or of `provider/id` where two providers use the same. NothingFound or a Refusal."""
    provider, slash, rest = name.partition("/")
    asked = [(provider, rest)] if slash and provider in PROVIDERS else [(one, name) for one in PROVIDERS]
    found = [job for job in (stack.table.job(*pair) for pair in asked) if job]
    if not found:
        raise NothingFound(f"no job {name}; `dailies jobs` lists those there are")
    if len(found) > 1:
        raise Refusal(f"{len(found)} jobs have that id; say {' or '.join(f'{job.provider}/{name}' for job in found)}")
    return found[0]


def _newest_first(stack: Stack, wanted: Filter, after: Cursor | None) -> Iterator[Item]:
    until = after.updated_at if after else wanted.until
    lists = [
        stack.table.list_jobs(provider, standing, since=wanted.since, until=until)
        for provider in wanted.providers
        for standing in wanted.list_names
    ]
    merged = heapq.merge(*_begun(lists), key=itemgetter("updated_at"), reverse=True)
    # The index orders by the moment alone: of the same one, the key decides, so that a cursor parts them.
    rows = chain.from_iterable(
        sorted(tied, key=itemgetter("pk"), reverse=True) for _, tied in groupby(merged, key=itemgetter("updated_at"))
    )
    if after is None:
        return rows
    return (row for row in rows if (row["updated_at"], row["pk"]) < (after.updated_at, after.pk))


def _begun(lists: Sequence[Iterator[Item]]) -> list[Iterator[Item]]:
    """The lists with the first page of each read, all at once."""
    if not lists:
        return []
    with ThreadPoolExecutor(len(lists)) as readers:
        firsts = list(readers.map(lambda one: next(one, None), lists))
    return [chain([first], rest) for first, rest in zip(firsts, lists, strict=True) if first is not None]
