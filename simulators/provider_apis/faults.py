"""What stands before a provider's calls: its rate limits, and the faults that a test wants of it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulators.provider_apis.exchange import Request


@dataclass
class Limit:
    """At most so many calls in any span of so many seconds, of those it counts. A call that is refused is not one."""

    calls: int
    counts: Callable[[Request], bool]
    seconds: float = 60
    _taken: deque[float] = field(default_factory=deque, repr=False)

    def admits(self, request: Request) -> bool:
        """Whether there is room for a call; takes it."""
        if not self.counts(request):
            return True
        while self._taken and self._taken[0] <= request.at - self.seconds:
            self._taken.popleft()
        if len(self._taken) >= self.calls:
            return False
        self._taken.append(request.at)
        return True


@dataclass
class Fault:
    """What becomes of the next calls instead of their answer; see `Gate.fail`."""

    status: int | None
    times: int
    retry_after: int | None
    path: str
    took_effect: bool
    seconds: float


class Gate:
    """One provider's. `limits` may be set to others."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = list(limits)
        self._faults: list[Fault] = []

    def fail(
        self,
        status: int | None = 503,
        *,
        times: int = 1,
        retry_after: int | None = None,
        path: str = "",
        took_effect: bool = False,
        seconds: float = 0,
    ) -> None:
        """Answer the next calls, those whose path contains `path`, with an error; with None, cut the connection.

        `took_effect`: the call is carried out, and its answer lost. `seconds`: real ones, before the answer; with
        status 200 the answer is the true one, late.
        """
        self._faults.append(Fault(status, times, retry_after, path, took_effect, seconds))

    def fault(self, request: Request) -> Fault | None:
        """What is to happen to this call; takes it off what is to happen."""
        found = next((fault for fault in self._faults if fault.path in request.path), None)
        if found:
            found.times -= 1
            if not found.times:
                self._faults.remove(found)
        return found

    def admits(self, request: Request) -> bool:
        """Whether the limits leave room."""
        return all(limit.admits(request) for limit in self.limits)
