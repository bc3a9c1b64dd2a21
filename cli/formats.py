"""Times, spans, sizes and counts for people, in the command and the console. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

import humanize

from dailies import timestamps
from dailies.timestamps import Timestamp

MINUTE, HOUR, DAY = 60, 3600, 86_400


def size(count: int) -> str:
    """Bytes, in units of 1000: `999 Bytes`, `24.1 kB`, `26.7 MB`."""
    return humanize.naturalsize(count)


def span(seconds: float | Decimal) -> str:
    """A length of time, by its two largest units: `0.35 seconds`, `3 minutes and 20 seconds`, `6 days and 4 hours`."""
    total = float(seconds)
    if total < 0:
        return f"−{span(-total)}"
    if total < 10:
        return humanize.precisedelta(timedelta(seconds=total), format="%.2g")
    unit, length = next(
        (unit, length)
        for limit, unit, length in ((HOUR, "seconds", 1), (DAY, "minutes", MINUTE), (float("inf"), "hours", HOUR))
        if total < limit
    )
    return humanize.precisedelta(timedelta(seconds=round(total / length) * length), minimum_unit=unit, format="%d")


def ago(at: Timestamp, now: Timestamp) -> str:
    """How long ago, by the largest unit: `now`, `12 seconds ago`, `3 minutes ago`, `2 days ago`."""
    return humanize.naturaltime(timedelta(seconds=max(0.0, _seconds(now) - _seconds(at))))


def after(first: Timestamp, at: Timestamp) -> str:
    """The time since the first: `+3 minutes and 20 seconds`. Empty for the first itself."""
    passed = _seconds(at) - _seconds(first)
    return f"+{span(passed)}" if passed > 0 else ""


def short_time(at: Timestamp) -> str:
    """To the second, with the day only if it is not today: `14:03:07`, `2026-11-25 14:03:07`."""
    day_of, _, time = at.partition("T")
    return time[:8] if day_of == timestamps.now()[:10] else f"{day_of} {time[:8]}"


def clock_time(at: Timestamp) -> str:
    """The time of day: `14:03:07.213`."""
    return f"{datetime.fromisoformat(at):%H:%M:%S}.{at[20:23]}"


def day(at: Timestamp) -> str:
    """The day: `25 November 2026`."""
    return f"{datetime.fromisoformat(at):%-d %B %Y}"


def full_time(at: Timestamp) -> str:
    """Day and time: `25 Nov 2026, 14:03:07 UTC`."""
    return f"{datetime.fromisoformat(at):%-d %b %Y, %H:%M:%S} UTC"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 job`, `2,000 jobs`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _seconds(at: Timestamp) -> float:
    return datetime.fromisoformat(at).timestamp()
