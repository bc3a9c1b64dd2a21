"""A provider's rate limit, which all functions of a stack share. Pure: the table holds the reservations."""

from collections.abc import Sequence
from typing import NamedTuple

from dailies.providers.contract import Limit

AHEAD_SECONDS = 30.0  # by which another clock may be ahead of ours: `dailies doctor` accepts as much
WORST_SECONDS = 1800.0  # between two clocks, one ahead and one behind: AWS rejects signatures that are 900 s off
STEP_SECONDS = 10.0
EDGE_SECONDS = 1.0  # a request arrives a little after its reservation, so the provider's window ends later than ours


class Reservation(NamedTuple):
    """A number of API calls, reserved at a time in seconds since 1970."""

    at: float
    calls: int


def reserve(
    reservations: Sequence[Reservation], limit: Limit, requested: int, now: float
) -> tuple[int, list[Reservation]]:
    """The number of calls that are granted, up to `requested`, and the reservations including these.

    `now`: seconds since 1970. Each reservation has its writer's time, and an operator's clock may be wrong. A time far
    ahead of ours does not count: it would block all others for as long as that clock is ahead. But reservations that
    may count by any clock stay in the row, so a wrong clock cannot make room for the others.
    """
    begins, ends = now - limit.seconds - EDGE_SECONDS, now + AHEAD_SECONDS
    counted = [one for one in reservations if begins < one.at <= ends]
    kept = [
        one for one in reservations if not begins < one.at <= ends and abs(one.at - now) < limit.seconds + WORST_SECONDS
    ]
    granted = max(0, min(requested, limit.calls - sum(one.calls for one in counted)))
    return granted, [*_merged(kept), *counted, *([Reservation(now, granted)] if granted else [])]


def _merged(reservations: Sequence[Reservation]) -> list[Reservation]:
    """The same calls in fewer entries, so that the row stays small: one per STEP_SECONDS, at its latest time."""
    steps: dict[float, Reservation] = {}
    for one in reservations:
        known = steps.get(one.at // STEP_SECONDS, Reservation(one.at, 0))
        steps[one.at // STEP_SECONDS] = Reservation(max(known.at, one.at), known.calls + one.calls)
    return list(steps.values())
