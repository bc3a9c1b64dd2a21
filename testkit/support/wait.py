"""How end-to-end tests wait: look until it is as expected, and say what was seen last where nothing goes on."""

import os
import time
from collections.abc import Callable

import psutil
import pytest

PAUSE = 0.1  # seconds after the first look; each is longer than the one before
MAX_PAUSE = 0.5  # seconds: a look is work for the emulated AWS, and three stacks wait most of the time
STALL = 60.0  # seconds in which no function of the stack does anything: what is not there by then does not come
MAX_SPANS = 10  # spans of that length in which something goes on, and still not what is waited for


def wait_for[T](
    what: str, look: Callable[[], T], until: Callable[[T], object], *, stall: float = STALL, pause: float = PAUSE
) -> T:
    """What was seen when `until` held of it.

    Fails the test after a stall of so many seconds. How long it takes otherwise does not matter: on a busy machine a
    function may take a minute to start.
    """
    spans, before, deadline = 0, _work_done(), time.monotonic() + stall
    while True:
        late = time.monotonic() > deadline  # before the look, so that the last one is a whole one
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
    """The processor seconds of each process that a process of ours has started, as the emulated AWS does a function. A
    process of ours itself counts for nothing: the emulated AWS is busy with our looks."""
    done = {}
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if process.ppid() != os.getpid():
                times = process.cpu_times()
                done[process.pid] = times.user + times.system
        except psutil.NoSuchProcess:
            pass
    return done
