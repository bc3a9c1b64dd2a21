"""How moments, sizes and spans are written for people. Pure."""

import json
from datetime import datetime
from decimal import Decimal

from dailies.timestamps import Timestamp

MINUTE, HOUR, DAY = 60, 3600, 86_400
UNITS = ("bytes", "kB", "MB", "GB", "TB")  # of 1000, as networks and AWS's prices count


def size(count: int) -> str:
    """Bytes: `999 bytes`, `24.1 kB`, `26.7 MB`."""
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:  # 999.5 kB would be written 1000 kB
        amount, unit = amount / 1000, unit + 1
    return f"{count:,} {UNITS[0]}" if unit == 0 else f"{amount:.3g} {UNITS[unit]}"


def span(seconds: float | Decimal) -> str:
    """A length of time by its two greatest units: `0.35 s`, `14 s`, `3 min 20 s`, `6 d 4 h`."""
    total = float(seconds)
    if total < 0:
        return f"−{span(-total)}"
    if total < 10:
        return f"{total:.2g} s"
    whole = round(total)
    if whole < MINUTE:
        return f"{whole} s"
    for unit, name, next_unit, next_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // next_unit
            return f"{whole // unit} {name}" + (f" {rest} {next_name}" if rest else "")
    raise AssertionError("unreachable: it has at least a minute")


def ago(at: Timestamp, now: Timestamp) -> str:
    """How long ago, roughly: `just now`, `12 s ago`, `3 min ago`, `2 d ago`."""
    passed = _seconds(now) - _seconds(at)
    if passed < 5:
        return "just now"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s")):
        if passed >= unit:
            return f"{int(passed // unit)} {name} ago"
    raise AssertionError("unreachable: five seconds have passed")


def after(first: Timestamp, at: Timestamp) -> str:
    """A moment as what had passed since the first: `+0.35 s`, `+3 min 20 s`; empty of the first itself."""
    passed = _seconds(at) - _seconds(first)
    return f"+{span(passed)}" if passed > 0 else ""


def clock_time(at: Timestamp) -> str:
    """The time of day: `14:03:07.213`."""
    return f"{datetime.fromisoformat(at):%H:%M:%S}.{at[20:23]}"


def day(at: Timestamp) -> str:
    """The day: `25 November 2026`."""
    return f"{datetime.fromisoformat(at):%-d %B %Y}"


def moment(at: Timestamp) -> str:
    """The whole of it: `25 Nov 2026, 14:03:07 UTC`."""
    return f"{datetime.fromisoformat(at):%-d %b %Y, %H:%M:%S} UTC"


def seconds_between(first: Timestamp, last: Timestamp) -> float:
    """From the one to the other, negative where it is the other way round."""
    return _seconds(last) - _seconds(first)


def payload(content: bytes) -> str:
    """What a provider sent, to be read: JSON set out in lines, anything else as it came."""
    text = content.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _seconds(at: Timestamp) -> float:
    return datetime.fromisoformat(at).timestamp()
