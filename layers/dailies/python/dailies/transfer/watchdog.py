"""Watches over media as they come: one that stalls, or is not done when the time is over, is cut off."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Self

from dailies.outbound.media import MediaResponse

STALL_SECONDS = 60.0  # for a piece of 256 KB: a host slower than 4 KB/s would not end within any link's life
LOOK_SECONDS = 0.5


class Watchdog:
    """A thread that looks at all media under way. Use it as a context."""

    def __init__(self, seconds: float) -> None:
        self._over_at = time.monotonic() + seconds
        self._media: set[MediaResponse] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._over_at - time.monotonic()

    @contextmanager
    def over(self, medium: MediaResponse) -> Iterator[MediaResponse]:
        """Watch over a medium while it is read, and close it."""
        with closing(medium), self.reading(medium):
            yield medium

    @contextmanager
    def reading(self, medium: MediaResponse) -> Iterator[None]:
        """Watch over a medium while it is read. Its connection may serve again."""
        with self._lock:
            self._media.add(medium)
        try:
            yield
        finally:
            with self._lock:
                self._media.discard(medium)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                media = tuple(self._media)
            for medium in media:
                if now > self._over_at:
                    medium.cut("not finished in the time there was")
                elif now - medium.progressed_at > STALL_SECONDS:
                    medium.cut(f"stalled: no {STALL_SECONDS:.0f} s of it brought 256 KB")
