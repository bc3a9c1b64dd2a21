"""Ends responses that stall, or that are not complete when the transfer's time limit is reached."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Self

from dailies.outbound.media import MediaResponse

STALL_SECONDS = 60.0  # without 256 KB: a host slower than 4 KB/s would not finish before its link expires
CHECK_SECONDS = 0.5  # between two checks


class Watchdog:
    """A thread that checks all responses that are being read. Use it as a context. `seconds`: the time limit."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._media: set[MediaResponse] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    @property
    def left(self) -> float:
        """Seconds until the time limit; negative after it."""
        return self._deadline - time.monotonic()

    @contextmanager
    def closing(self, medium: MediaResponse) -> Iterator[MediaResponse]:
        """Watch a response while it is read inside, then close it."""
        with closing(medium), self.watching(medium):
            yield medium

    @contextmanager
    def watching(self, medium: MediaResponse) -> Iterator[None]:
        """Watch a response while it is read inside. Its connection stays open."""
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

    def _run(self) -> None:
        while not self._ended.wait(CHECK_SECONDS):
            now = time.monotonic()
            with self._lock:
                media = tuple(self._media)
            for medium in media:
                if now > self._deadline:
                    medium.cut("not finished within the time limit")
                elif now - medium.progressed_at > STALL_SECONDS:
                    medium.cut(f"stalled: less than 256 KB in {STALL_SECONDS:.0f} s")
