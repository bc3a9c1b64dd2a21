"""The providers' clock. A test can move it forward; events that are due happen on the way.

Without a start it runs in real time from now, and `run` executes due events. With a start it stops until a test moves
it.
"""

import heapq
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count


class Clock:
    """Seconds since 1970. Due events happen one after the other, in the order of their times."""

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
        """Schedule an event. Events that are due now also wait for `run` or `forward`."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), action))
            self._changed.notify()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Schedule an event after some seconds."""
        self.at(self.now() + seconds, action)

    def forward(self, seconds: float) -> None:
        """Move forward. Returns when all events due on the way have happened, each at its own time."""
        with self._doing:
            until = self.now() + seconds
            while (due := self._next(until)) is not None:
                self._move_to(due[0])
                due[2]()
            self._move_to(until)

    def run(self) -> None:
        """Execute due events until `stop`; for a thread of its own."""
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
            return None  # until an event is scheduled, or `forward` moves a stopped clock
        return max(0.0, self._due[0][0] - self.now())

    def _next(self, until: float) -> tuple[float, int, Callable[[], object]] | None:
        with self._changed:
            return heapq.heappop(self._due) if self._due and self._due[0][0] <= until else None

    def _move_to(self, when: float) -> None:
        with self._changed:
            self._moved += max(0.0, when - self.now())
            self._changed.notify()
