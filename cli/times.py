"""Moments as people type and read them: `2h` ago, and the time of the day, in UTC."""

import re
from datetime import UTC, datetime, timedelta

import typer

from dailies import timestamps
from dailies.timestamps import Timestamp

SPAN = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def since(text: str) -> datetime:
    """How long ago (`90s 30m 2h 7d 4w`), or a day or moment in ISO 8601, UTC where it names no offset. BadParameter
    where it is neither."""
    if ago := SPAN.fullmatch(text.strip()):
        try:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise typer.BadParameter(f"{text!r} ago is before all time; say less (30m, 2h, 7d)") from None
    moment = timestamps.parse(text)
    if moment is None:
        raise typer.BadParameter(
            f"{text!r} is no time; say how long ago (30m, 2h, 7d) or when (2026-11-25, 2026-11-25T09:30Z)"
        )
    return datetime.fromisoformat(moment)


def words_since(text: str) -> str:
    """The same in a sentence: `in the last 30d`, `since 2026-11-01`."""
    text = text.strip()
    return f"in the last {text}" if SPAN.fullmatch(text) else f"since {text}"


def moment_since(text: str) -> Timestamp:
    """The same, as rows have it."""
    return timestamps.from_datetime(since(text))


def shown(moment: Timestamp) -> str:
    """A moment to the second, without what today goes without saying."""
    day, _, time = moment.partition("T")
    return time[:8] if day == timestamps.now()[:10] else f"{day} {time[:8]}"


def ago(moment: Timestamp) -> str:
    """How long ago it was, roughly."""
    return duration((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def duration(seconds: float) -> str:
    """Seconds in the largest unit that says something."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if abs(seconds) < 10 else f"{seconds:.0f} s"
