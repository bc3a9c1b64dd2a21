"""A provider's rate limit, as every function of the stack keeps it together: pure. The table holds what was taken."""

from collections.abc import Sequence
from typing import NamedTuple

EDGE_SECONDS = 1.0  # a call arrives a little after it was taken, so the provider's window ends later than ours


class Limit(NamedTuple):
    """At most `calls` in any span of `seconds`."""

    calls: int
    seconds: float = 60.0


class Taken(NamedTuple):
    """So many calls, taken at one moment (seconds since 1970)."""

    at: float
    calls: int


def take(taken: Sequence[Taken], limit: Limit, wanted: int, now: float) -> tuple[int, list[Taken]]:
    """How many of the wanted calls there is room for, and what is taken then."""
    still = [one for one in taken if one.at > now - limit.seconds - EDGE_SECONDS]
    granted = max(0, min(wanted, limit.calls - sum(one.calls for one in still)))
    return granted, [*still, Taken(now, granted)] if granted else still
