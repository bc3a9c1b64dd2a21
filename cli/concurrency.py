"""Much at once, by threads that Ctrl-C ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(most: int) -> Iterator[ThreadPoolExecutor]:
    """So many at once. Where the block is left early, by Ctrl-C or an error, what has not begun is left undone; what
    has begun comes to its end, and nobody waits for it here."""
    executor = ThreadPoolExecutor(most)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()
