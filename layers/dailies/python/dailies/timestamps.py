"""Timestamps: UTC, ISO 8601, to the microsecond. The strings sort by time."""

from datetime import UTC, datetime

Timestamp = str
"""Such as `2026-11-21T09:30:00.000000Z`."""

DAY = 86_400  # seconds
MAX_SECONDS = 10**11  # until the year 5138; a Unix time above is in milliseconds


def from_datetime(at: datetime) -> Timestamp:
    """The timestamp of a datetime, which is in UTC if it has no offset."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")  # %Y of the year 999 has three digits


def now() -> Timestamp:
    """The current time, by our clock."""
    return from_datetime(datetime.now(UTC))


def at(seconds: float) -> Timestamp:
    """The timestamp of a Unix time in seconds."""
    return from_datetime(datetime.fromtimestamp(seconds, UTC))


def unix(number: int) -> float:
    """The seconds since 1970 of a Unix time in seconds or milliseconds."""
    return number / 1000 if number > MAX_SECONDS else number


def parse(text: str) -> Timestamp | None:
    """The timestamp of a provider's ISO 8601 text with any offset. None for another text."""
    try:
        return from_datetime(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def seconds(at: Timestamp) -> float:
    """A timestamp's seconds since 1970. ValueError for another text."""
    return datetime.fromisoformat(at).timestamp()
