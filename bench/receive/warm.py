"""Warm CPU per delivery: each receiver in the real runtime client, in turn with one bare write of the same row."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import urllib3

from bench.receive.functions import Function
from bench.receive.rig import aws, fresh, started


@dataclass(frozen=True)
class Warm:
    """Median CPU microseconds of one function's process per invocation, and those of each round. `revision`: empty for
    the working tree."""

    name: str
    microseconds: float
    rounds: list[float]
    revision: str = ""


def measure(functions: Sequence[Function], bare: Function, *, rounds: int, deliveries: int) -> list[Warm]:
    """Call each function in turn, `rounds` times. The result has the order of `functions`, then `bare`, the bare write.
    One and a half times as many deliveries come first, uncounted."""
    warm_up = deliveries * 3 // 2
    with contextlib.ExitStack() as stack:
        aws_port = stack.enter_context(aws())
        running = [stack.enter_context(started(function, aws_port)) for function in (*functions, bare)]
        taken: list[list[float]] = [[] for _ in running]
        for one in running[:-1]:
            one.cpu(list(fresh(one.name, warm_up)))
        row = urllib3.request("GET", f"http://127.0.0.1:{aws_port}/last").json()["Item"]
        running[-1].cpu([json.dumps(row).encode()] * warm_up)
        for turn in range(rounds):
            order = range(len(running))
            for place in order if turn % 2 == 0 else reversed(order):
                one = running[place]
                events = (
                    [json.dumps(row).encode()] * deliveries if one is running[-1] else list(fresh(one.name, deliveries))
                )
                taken[place].append(one.cpu(events))
    measured = zip((*functions, bare), taken, strict=True)
    return [Warm(one.name, median(found), found, one.revision) for one, found in measured]
