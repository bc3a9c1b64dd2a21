"""How a stack fares, of the jobs with news in the last day: how many there were, how long a medium took from the call
to the bucket, and how much was left of its link's life by then.

Of a busy day the newest jobs alone are read, so that figures cost the same of a million jobs as of a thousand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from math import ceil

from cli import job_rows, jobs
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import Job, MediaItem, Receipt
from dailies.jobs.rows import Item
from dailies.timestamps import Timestamp

HOURS = 24
MAX_JOBS = 2000  # counted: about 100 reads of the index
MAX_WHOLE = 500  # whose media are looked at: about 300 reads


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour, and how many jobs had their latest news in it, by what they have come to."""

    begins: Timestamp
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures. `to_bucket` and `margins` are in seconds, the shortest first: from the call that named a medium to
    its object, and from there to the death of its link. `is_part`: there were more jobs than are counted."""

    hours: Sequence[Hour]
    stages: Mapping[str, int]
    to_bucket: Sequence[float]
    margins: Sequence[float]
    is_part: bool


def figures(stack: Stack, now: Timestamp) -> Figures:
    """The figures of the last HOURS."""
    since = timestamps.from_datetime(datetime.fromisoformat(now) - timedelta(hours=HOURS))
    rows = list(islice(jobs.every(stack, jobs.Filter(since=since)), MAX_JOBS + 1))
    counted = rows[:MAX_JOBS]
    settled = [row for row in counted if row["stage"] in {"settled", "archiving", "attention"}][:MAX_WHOLE]
    media = job_rows.whole(stack, settled).values()
    return Figures(
        hours=by_hour(counted, now),
        stages=Counter(row["stage"] for row in counted),
        to_bucket=to_bucket(media),
        margins=margins(media),
        is_part=len(rows) > MAX_JOBS,
    )


def by_hour(rows: Iterable[Item], now: Timestamp) -> list[Hour]:
    """The last HOURS, the oldest first: of each, the jobs by status where they are settled, else by stage."""
    this = datetime.fromisoformat(now).replace(minute=0, second=0, microsecond=0)
    begins = [timestamps.from_datetime(this - timedelta(hours=ago)) for ago in reversed(range(HOURS))]
    counts: dict[str, Counter[str]] = {at[:13]: Counter() for at in begins}
    for row in rows:
        hour = counts.get(row["updated_at"][:13])
        if hour is not None:
            hour[row["status"] if row["stage"] == "settled" else row["stage"]] += 1
    return [Hour(at, counts[at[:13]]) for at in begins]


def to_bucket(found: Iterable[Job]) -> list[float]:
    """Seconds from the call that named each archived medium to its object."""
    return sorted(seconds for job in found for medium in job.media if (seconds := wait(medium)) is not None)


def margins(found: Iterable[Job]) -> list[float]:
    """Seconds that were left of each archived medium's link, where the link says when it dies."""
    return sorted(seconds for job in found for medium in job.media if (seconds := margin(medium)) is not None)


def wait(medium: MediaItem) -> float | None:
    """Seconds from the call that named a medium to its object; None where it is not there, or that is not known."""
    receipt = _by_its_link(medium)
    return timestamps.seconds(receipt.at) - timestamps.seconds(medium.found_at) if receipt and medium.found_at else None


def margin(medium: MediaItem) -> float | None:
    """Seconds that were left of an archived medium's link; None where that is not known."""
    receipt, dies_at = _by_its_link(medium), medium.link_expires_at
    return timestamps.seconds(dies_at) - timestamps.seconds(receipt.at) if receipt and dies_at else None


def _by_its_link(medium: MediaItem) -> Receipt | None:
    """The receipt of what was archived by the link that is known. That is the one that was named last: where it was
    named again once it was in the bucket, as Creatify's photo is in the call about the video, there is none."""
    receipt = medium.receipt if medium.state == "archived" else None
    return receipt if receipt and medium.found_at <= receipt.at else None


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value that this part of all (0 to 1) do not exceed; of values in order, at least one."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]
