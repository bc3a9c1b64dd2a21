"""The bounds of the cost of a million."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.cost.counted import CREATIFY, DEAREST, READ_BACK, USUAL, VIDEOS, Call
from bench.cost.prices import Usage, dollars

RECEIVED, WHOLE, ARCHIVED = "received", "received, merged, announced", "a video of 20 MB archived"
MOST = {RECEIVED: 3.0, WHOLE: 7.0, ARCHIVED: 30.0}  # dollars


@dataclass(frozen=True, slots=True)
class Bound:
    """The max dollars for a million calls of a webhook, or for a million of the media that they name."""

    thing: str
    webhook: str
    usual: float
    dearest: float


def bounds() -> list[Bound]:
    """All bounds."""
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
