"""A thread pool that Ctrl-C ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(max_workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of `max_workers` threads. If the block ends early, by Ctrl-C or an error, calls that wait are canceled;
    calls that run are not waited for."""
    executor = ThreadPoolExecutor(max_workers)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()
