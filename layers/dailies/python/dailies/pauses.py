"""How long a host asks to be left alone, as it says in `Retry-After`."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

WHOLE_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def asked_for(said: str) -> float:
    """Seconds from now, given as such or as a date; 0 where it says neither."""
    if WHOLE_SECONDS.fullmatch(said):
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, or one without a zone
        return 0
