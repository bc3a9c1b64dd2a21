"""State that the simulated providers share, and each provider's part: clock, random values, media, callbacks, limits,
faults."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulators.media_host.links import Dialect
from simulators.media_host.server import MediaHost
from simulators.provider_apis.callbacks import Callback, Callbacks
from simulators.provider_apis.clock import Clock
from simulators.provider_apis.exchange import Request
from simulators.provider_apis.faults import Gate, Limit
from simulators.provider_apis.links import Links
from simulators.provider_apis.random_values import Chance


@dataclass
class SharedState:
    """`lock` is held while a request is answered and while a job changes, never during a webhook call."""

    clock: Clock
    chance: Chance
    host: MediaHost
    base_url: str
    requests: list[Request] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def part(self, provider: str, base_path: str, *, dialect: Dialect, limits: Sequence[Limit] = ()) -> "Part":
        """One provider's part."""
        return Part(
            self,
            provider,
            self.base_url + base_path,
            Links(self.host, provider, dialect),
            Callbacks(self.callbacks),
            Gate(limits),
        )


@dataclass
class Pace:
    """How long a submitted job waits and runs, in seconds of the providers' clock, and the share of jobs that fail. The
    seed decides which ones."""

    waiting: float = 2
    working: float = 8
    failing: float = 0


@dataclass
class Part:
    """One provider's part. Without a `pace`, only scripts change submitted jobs."""

    shared: SharedState
    provider: str
    base_url: str
    links: Links
    callbacks: Callbacks
    gate: Gate
    pace: Pace | None = field(default_factory=Pace)

    def fails(self, job_id: str) -> bool:
        """Whether this submitted job fails."""
        return self.pace is not None and self.shared.chance.fraction(self.provider, "fails", job_id) < self.pace.failing

    def work(self, status: Callable[[], str], begin: Callable[[], object], end: Callable[[], object]) -> None:
        """Start a submitted job after a while and end it later, unless a script changes it before."""
        if self.pace is None:
            return
        submitted, working = status(), self.pace.working

        def begin_if_untouched() -> None:
            if status() == submitted:
                begin()
                begun = status()
                self.shared.clock.after(working, lambda: end() if status() == begun else None)

        self.shared.clock.after(self.pace.waiting, begin_if_untouched)

    def notify(self, callback: Callback, *, soon: bool = False) -> None:
        """Call a webhook; `soon`: only after the current API response was sent."""
        if soon:
            self.shared.clock.after(0, lambda: self.callbacks.notify(callback))
        else:
            self.callbacks.notify(callback)
