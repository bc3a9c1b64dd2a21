"""Timestamps: UTC, ISO 8601, six digits of a second. The order of the strings is the order in time."""

from datetime import UTC, datetime

Timestamp = str
"""Such as `2026-11-21T09:30:00.000000Z`."""

DAY = 86_400  # seconds
MAX_SECONDS = 10**11  # until the year 5138; a Unix time above is in milliseconds


def from_datetime(at: datetime) -> Timestamp:
    """The timestamp of a datetime. One without an offset is taken as UTC."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")  # %Y of the year 999 has three digits


def now() -> Timestamp:
    """The time now, by our own clock."""
    return from_datetime(datetime.now(UTC))


def at(seconds: float) -> Timestamp:
    """The timestamp of a Unix time in seconds."""
    return from_datetime(datetime.fromtimestamp(seconds, UTC))


def unix(number: int) -> float:
    """The seconds since 1970 of a Unix time, which some write in milliseconds."""
    return number / 1000 if number > MAX_SECONDS else number


def parse(text: str) -> Timestamp | None:
    """The timestamp that a provider wrote in ISO 8601 with any offset; None where it wrote something else."""
    try:
        return from_datetime(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def seconds(at: Timestamp) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(at).timestamp()
