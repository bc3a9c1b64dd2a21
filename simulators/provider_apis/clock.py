"""The providers' time: it can be moved forward, and what is due happens on the way.

Without a start it runs as real time does, from now, and `run` does what falls due; with a start it stands still until
it is moved.
"""

import heapq
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count


class Clock:
    """Seconds since 1970. Whatever is due is done one after the other, in the order of its time."""

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._moved = 0.0
        self._numbers = count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._changed = threading.Condition()
        self._doing = threading.RLock()
        self._stopped = False

    def now(self) -> float:
        """The present time."""
        return (time.time() if self._start is None else self._start) + self._moved

    def date(self) -> datetime:
        """The present time in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Have something done at a time; what is due now waits for `run` or `forward` too."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), action))
            self._changed.notify()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Have something done so much later."""
        self.at(self.now() + seconds, action)

    def forward(self, seconds: float) -> None:
        """Move on; returns when all that fell due on the way has been done, each thing at its own time."""
        with self._doing:
            until = self.now() + seconds
            while (due := self._next(until)) is not None:
                self._move_to(due[0])
                due[2]()
            self._move_to(until)

    def run(self) -> None:
        """Do what falls due until `stop`; for a thread of its own."""
        while True:
            with self._changed:
                while not self._stopped and not (self._due and self._due[0][0] <= self.now()):
                    self._changed.wait(self._seconds_to_next())
                if self._stopped:
                    return
            self.forward(0)

    def stop(self) -> None:
        """End `run`."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _seconds_to_next(self) -> float | None:
        if not self._due or self._start is not None:
            return None  # until something is put on the list, or `forward` moves a clock that stands
        return max(0.0, self._due[0][0] - self.now())

    def _next(self, until: float) -> tuple[float, int, Callable[[], object]] | None:
        with self._changed:
            return heapq.heappop(self._due) if self._due and self._due[0][0] <= until else None

    def _move_to(self, when: float) -> None:
        with self._changed:
            self._moved += max(0.0, when - self.now())
            self._changed.notify()
