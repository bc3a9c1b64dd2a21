"""Statistics of the jobs updated in the last day: their number, the time from a delivery to the archived medium, and
the time that was left until its link expired.

Only the newest jobs of a busy day are read, so that a million jobs cost as much as a thousand.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from math import ceil

from cli import complete_jobs, jobs
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import Job, MediaItem, Receipt
from dailies.jobs.rows import Item
from dailies.timestamps import Timestamp

HOURS = 24
MAX_JOBS = 2000  # jobs counted: about 100 reads of the index
MAX_WHOLE = 500  # jobs whose media are read: about 300 reads


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour, and the number of jobs with their last update in it, by status or stage."""

    begins: Timestamp
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """`to_bucket` and `margins` are seconds, shortest first: from the delivery that named a medium to its object, and
    from there to the end of its link. `is_part`: there were more jobs than MAX_JOBS."""

    hours: Sequence[Hour]
    stages: Mapping[str, int]
    to_bucket: Sequence[float]
    margins: Sequence[float]
    is_part: bool


def figures(stack: Stack, now: Timestamp) -> Figures:
    """The figures of the last HOURS hours."""
    since = timestamps.from_datetime(datetime.fromisoformat(now) - timedelta(hours=HOURS))
    rows = list(islice(jobs.every(stack, jobs.Filter(since=since)), MAX_JOBS + 1))
    counted = rows[:MAX_JOBS]
    settled = [row for row in counted if row["stage"] in {"settled", "archiving", "attention"}][:MAX_WHOLE]
    media = complete_jobs.whole(stack, settled).values()
    return Figures(
        hours=by_hour(counted, now),
        stages=Counter(row["stage"] for row in counted),
        to_bucket=to_bucket(media),
        margins=margins(media),
        is_part=len(rows) > MAX_JOBS,
    )


def by_hour(rows: Iterable[Item], now: Timestamp) -> list[Hour]:
    """The last HOURS hours, oldest first. Settled jobs are counted by status, others by stage."""
    current = datetime.fromisoformat(now).replace(minute=0, second=0, microsecond=0)
    begins = [timestamps.from_datetime(current - timedelta(hours=ago)) for ago in reversed(range(HOURS))]
    counts: dict[str, Counter[str]] = {at[:13]: Counter() for at in begins}
    for row in rows:
        hour = counts.get(row["updated_at"][:13])
        if hour is not None:
            hour[row["status"] if row["stage"] == "settled" else row["stage"]] += 1
    return [Hour(at, counts[at[:13]]) for at in begins]


def to_bucket(found: Iterable[Job]) -> list[float]:
    """Seconds from the delivery that named each archived medium to its object, shortest first."""
    return sorted(seconds for job in found for medium in job.media if (seconds := wait(medium)) is not None)


def margins(found: Iterable[Job]) -> list[float]:
    """Seconds that were left on each archived medium's link, shortest first; of links that say when they expire."""
    return sorted(seconds for job in found for medium in job.media if (seconds := margin(medium)) is not None)


def wait(medium: MediaItem) -> float | None:
    """Seconds from the delivery that named a medium to its object; None if it is not archived or not known."""
    receipt = _by_its_link(medium)
    return timestamps.seconds(receipt.at) - timestamps.seconds(medium.found_at) if receipt and medium.found_at else None


def margin(medium: MediaItem) -> float | None:
    """Seconds that were left on an archived medium's link; None if not known."""
    receipt, expires_at = _by_its_link(medium), medium.link_expires_at
    return timestamps.seconds(expires_at) - timestamps.seconds(receipt.at) if receipt and expires_at else None


def _by_its_link(medium: MediaItem) -> Receipt | None:
    """The receipt of a medium archived by its current link. None if a later delivery named it again with a new link, as
    Creatify's delivery about the video does with the photo."""
    receipt = medium.receipt if medium.state == "archived" else None
    return receipt if receipt and medium.found_at <= receipt.at else None


def percentile(ordered: Sequence[float], part: float) -> float:
    """The smallest value that a `part` (0 to 1) of all values do not exceed. `ordered` is sorted and not empty."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)]
