"""A provider's rate limit, as every function of the stack keeps it together: pure. The table holds what was taken."""

from collections.abc import Sequence
from typing import NamedTuple

from dailies.providers.contract import Limit

AHEAD_SECONDS = 30.0  # that a clock may be ahead of ours: `dailies doctor` lets it pass
WORST_SECONDS = 1800.0  # between two clocks, one ahead and one behind: AWS refuses what is signed 900 s off its own
STEP_SECONDS = 10.0
EDGE_SECONDS = 1.0  # a call arrives a little after it was taken, so the provider's window ends later than ours


class Reservation(NamedTuple):
    """So many calls, taken at one moment (seconds since 1970)."""

    at: float
    calls: int


def reserve(taken: Sequence[Reservation], limit: Limit, wanted: int, now: float) -> tuple[int, list[Reservation]]:
    """How many of the wanted calls there is room for, and what is taken then.

    Each entry bears its writer's clock, and an operator's may be wrong. What is far ahead of ours counts for nothing:
    it would for as long as that clock is ahead. But all that may still count by any clock stays in the row, so that a
    wrong one cannot make room for the others.
    """
    begins, ends = now - limit.seconds - EDGE_SECONDS, now + AHEAD_SECONDS
    counts = [one for one in taken if begins < one.at <= ends]
    others = [one for one in taken if not begins < one.at <= ends and abs(one.at - now) < limit.seconds + WORST_SECONDS]
    granted = max(0, min(wanted, limit.calls - sum(one.calls for one in counts)))
    return granted, [*_fewer(others), *counts, *([Reservation(now, granted)] if granted else [])]


def _fewer(taken: Sequence[Reservation]) -> list[Reservation]:
    """The same in fewer entries, so that the row stays small: one for each STEP_SECONDS, at the latest moment in it."""
    steps: dict[float, Reservation] = {}
    for one in taken:
        known = steps.get(one.at // STEP_SECONDS, Reservation(one.at, 0))
        steps[one.at // STEP_SECONDS] = Reservation(max(known.at, one.at), known.calls + one.calls)
    return list(steps.values())
