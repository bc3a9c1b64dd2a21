"""A provider's rate limits, and the faults that a test requests."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulators.provider_apis.exchange import Request


@dataclass
class Limit:
    """At most `calls` requests in any `seconds` seconds, of those that it counts. Rejected requests do not count."""

    calls: int
    counts: Callable[[Request], bool]
    seconds: float = 60
    _taken: deque[float] = field(default_factory=deque, repr=False)

    def admits(self, request: Request) -> bool:
        """Whether the limit admits a request, which is counted if so."""
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
    """What the next requests get instead of their response; see `Gate.fail`."""

    status: int | None
    times: int
    retry_after: int | None
    path: str
    took_effect: bool
    seconds: float


class Gate:
    """One provider's limits and faults. Tests may change `limits`."""

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
        """Answer the next requests whose path contains `path` with an error; with None, cut the connection.

        `took_effect`: the request is executed, and its response lost. `seconds`: a real delay before the response; with
        status 200 the response is the normal one, late.
        """
        self._faults.append(Fault(status, times, retry_after, path, took_effect, seconds))

    def fault(self, request: Request) -> Fault | None:
        """The fault for this request; removes it from the list."""
        found = next((fault for fault in self._faults if fault.path in request.path), None)
        if found:
            found.times -= 1
            if not found.times:
                self._faults.remove(found)
        return found

    def admits(self, request: Request) -> bool:
        """Whether all limits admit the request."""
        return all(limit.admits(request) for limit in self.limits)
