"""One way to write a moment: UTC, ISO 8601, six digits of a second. The order of the strings is the order in time."""

from datetime import UTC, datetime

Moment = str
"""Such as `2026-11-21T09:30:00.000000Z`."""

DAY = 86_400  # seconds
MOST_SECONDS = 10**11  # until the year 5138; a Unix time above is in milliseconds


def moment(at: datetime) -> Moment:
    """Write a moment. A datetime without an offset is taken as UTC."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")  # %Y of the year 999 has three digits


def now() -> Moment:
    """This moment, by our own clock."""
    return moment(datetime.now(UTC))


def at(seconds: float) -> Moment:
    """The moment so many seconds after 1970."""
    return moment(datetime.fromtimestamp(seconds, UTC))


def unix(number: int) -> float:
    """The seconds since 1970 of a Unix time, which some write in milliseconds."""
    return number / 1000 if number > MOST_SECONDS else number


def read(text: str) -> Moment | None:
    """The moment that a provider wrote in ISO 8601 with any offset; None where it wrote something else."""
    try:
        return moment(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def seconds(at: Moment) -> float:
    """Seconds since 1970 of a moment."""
    return datetime.fromisoformat(at).timestamp()
