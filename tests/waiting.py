"""How end-to-end tests wait: look until it is as awaited, with a deadline, and tell what was seen last."""

import time
from collections.abc import Callable

import pytest

PAUSE = 0.1  # seconds between two looks
PATIENCE = 60.0  # seconds: what takes two on an idle machine may take twenty when functions start cold on a busy one


def wait_for[T](what: str, look: Callable[[], T], until: Callable[[T], object], *, seconds: float = PATIENCE) -> T:
    """What was seen when `until` held of it. Fails the test after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline  # before the look, so that the last one is a whole one
        seen = look()
        if until(seen):
            return seen
        if late:
            pytest.fail(f"{what}: not within {seconds:.0f} s; seen last: {seen!r}", pytrace=False)
        time.sleep(PAUSE)
