"""What a million may cost, and where it costs more."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.cost.counted import BATCH, CAPTIONS, CREATIFY, DEAREST, READ_BACK, SYNC, USUAL, VIDEOS, Call
from bench.cost.prices import Usage, dollars

RECEIVED, WHOLE, ARCHIVED = "received", "received, merged, told", "a video of 20 MB archived"
MOST = {RECEIVED: 3.0, WHOLE: 7.0, ARCHIVED: 30.0}  # dollars


@dataclass(frozen=True, slots=True)
class Bound:
    """What a million of a webhook's calls, or of the media that they tell of, costs, in dollars."""

    thing: str
    webhook: str
    usual: float
    dearest: float


@dataclass(frozen=True, slots=True)
class Miss:
    """A dearest case that costs more than it may: how much, to the cent, and why."""

    dollars: float
    why: str


_MOVES = "its job has a row already, whose entry in the index moves: a write unit more"
MISSED = {
    (WHOLE, SYNC): Miss(7.57, _MOVES),
    (WHOLE, BATCH): Miss(7.53, _MOVES),
    (WHOLE, CREATIFY): Miss(9.22, f"its row of two links takes two write units, and a second medium is told; {_MOVES}"),
    (WHOLE, CAPTIONS): Miss(7.54, _MOVES),
    (ARCHIVED, CREATIFY): Miss(
        38.32, "read back at its API: what that says is recorded and merged too, six write units, and takes its time"
    ),
}


def bounds() -> list[Bound]:
    """All of them."""
    return [
        *(_of_calls(RECEIVED, webhook, lambda call: call.received) for webhook in USUAL),
        *(_of_calls(WHOLE, webhook, lambda call: call.whole) for webhook in USUAL),
        *(_of_videos(webhook, usage) for webhook, usage in VIDEOS.items()),
    ]


def _of_calls(thing: str, webhook: str, usage: Callable[[Call], Usage]) -> Bound:
    usual = [dollars(usage(call)) for call in USUAL[webhook]]
    return Bound(thing, webhook, sum(usual) / len(usual), dollars(usage(DEAREST[webhook])))


def _of_videos(webhook: str, usage: Usage) -> Bound:
    return Bound(ARCHIVED, webhook, dollars(usage), dollars(READ_BACK if webhook == CREATIFY else usage))
