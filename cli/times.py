"""Times as people type them: `2h` for two hours ago, or a day or time in ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

import typer

from dailies import timestamps
from dailies.timestamps import Timestamp

SPAN = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_since(text: str) -> datetime:
    """A span before now (`90s 30m 2h 7d 4w`), or a day or time in ISO 8601, in UTC if it has no offset. Raises
    BadParameter for anything else."""
    if span := SPAN.fullmatch(text.strip()):
        try:
            return datetime.now(UTC) - timedelta(**{UNITS[span[2]]: int(span[1])})
        except OverflowError:
            raise typer.BadParameter(f"{text!r} is too long ago; use less, such as 30m, 2h or 7d.") from None
    time = timestamps.parse(text)
    if time is None:
        raise typer.BadParameter(
            f"{text!r} is not a time; use a span (30m, 2h, 7d) or a date (2026-11-25, 2026-11-25T09:30Z)."
        )
    return datetime.fromisoformat(time)


def timestamp_since(text: str) -> Timestamp:
    """The same as a timestamp of the table's rows."""
    return timestamps.from_datetime(parse_since(text))


def since_in_words(text: str) -> str:
    """The same in a sentence: `in the last 30d`, `since 2026-11-01`."""
    text = text.strip()
    return f"in the last {text}" if SPAN.fullmatch(text) else f"since {text}"
