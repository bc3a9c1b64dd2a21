"""Waiting in end-to-end tests: poll until the condition is true, and report the last value after a stall."""

import os
import time
from collections.abc import Callable

import psutil
import pytest

PAUSE = 0.1  # seconds after the first poll; each pause is longer than the one before
MAX_PAUSE = 0.5  # seconds: a poll is work for the emulated AWS, and three stacks wait most of the time
STALL = 60.0  # seconds without work in any function of the stack; results that are missing by then will not come
MAX_SPANS = 10  # periods of that length with work, but still without the expected result


def wait_for[T](
    what: str, look: Callable[[], T], until: Callable[[T], object], *, stall: float = STALL, pause: float = PAUSE
) -> T:
    """Poll until `until` accepts the value; returns it.

    Fails the test after `stall` seconds without progress. The total time does not matter: on a busy machine a function
    may take a minute to start.
    """
    spans, before, deadline = 0, _work_done(), time.monotonic() + stall
    while True:
        late = time.monotonic() > deadline  # before the poll, so that the last one is complete
        seen = look()
        if until(seen):
            return seen
        if late:
            spans, after = spans + 1, _work_done()
            if after == before or spans == MAX_SPANS:
                pytest.fail(f"{what}: it does not come; seen last: {seen!r}", pytrace=False)
            before, deadline = after, time.monotonic() + stall
        time.sleep(pause)
        pause = max(pause, min(1.3 * pause, MAX_PAUSE))


def _work_done() -> dict[int, float]:
    """The CPU seconds of each grandchild process, such as a function in the emulated AWS. Direct children do not count:
    the emulated AWS is busy with the polls."""
    done = {}
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if process.ppid() != os.getpid():
                times = process.cpu_times()
                done[process.pid] = times.user + times.system
        except psutil.NoSuchProcess:
            pass
    return done
