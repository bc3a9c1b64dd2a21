"""A thread with work wants a core, whether it gets one or not; a waiting thread does not."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from dailies.transfer.thread_time import runnable_seconds

SECONDS = 0.4


@pytest.fixture
def busy_core() -> Iterator[None]:
    """This test's threads run on one core, which an endless process keeps busy until then."""
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    spinning = subprocess.Popen(
        [sys.executable, "-S", "-c", f"import os\nos.sched_setaffinity(0, {{{one}}})\nwhile 1: pass"]
    )
    os.sched_setaffinity(0, {one})
    yield
    os.sched_setaffinity(0, allowed)
    spinning.kill()
    spinning.wait()


def share(work: Callable[[Event], object]) -> tuple[float, float]:
    """Of a thread's time: the seconds it was runnable, and the seconds it ran."""
    ended = Event()
    ran = []

    def working() -> None:
        began = time.thread_time()
        work(ended)
        ran.append(time.thread_time() - began)

    thread = Thread(target=working)
    thread.start()
    before, began = runnable_seconds(thread), time.monotonic()
    time.sleep(SECONDS)
    after, seconds = runnable_seconds(thread), time.monotonic() - began
    ended.set()
    thread.join()
    return (after - before) / seconds, ran[0] / seconds


def spin(ended: Event) -> None:
    while not ended.is_set():
        pass


def test_one_that_works_wants_it_though_another_process_has_it(busy_core: None) -> None:
    wants, runs = share(spin)
    assert wants > 0.8
    assert runs < 0.8


def test_one_that_waits_does_not() -> None:
    assert share(lambda ended: ended.wait())[0] < 0.1


def test_of_one_that_has_ended_nothing_is_known() -> None:
    thread = Thread(target=time.time)
    thread.start()
    thread.join()
    assert runnable_seconds(thread) == 0
