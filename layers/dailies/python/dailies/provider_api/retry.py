"""Policies for sending a request to a provider's API again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dailies.backoff import backoff
from dailies.errors import ApiError, RateLimited, RateLimitReached

MAX_BACKOFF = 5.0  # seconds; if the provider asks for a longer pause, a later run tries again
PATIENT_PAUSE = 15.0  # seconds between attempts while the rate limit is used up


class Retry(Protocol):
    """Decides after each failed attempt whether another one follows."""

    def wait(self, attempt: int, error: ApiError) -> bool:
        """Wait before the next attempt and return True, or return False at once if there is none. `attempt`: the
        number of the failed one, from 1. `error` is ApiUnavailable or RateLimited; other errors are never retried."""


class Once:
    """One attempt: for requests that must not be repeated without a look at what the first one did."""

    def wait(self, attempt: int, error: ApiError) -> bool:  # noqa: ARG002  part of Retry
        """Return False."""
        return False


@dataclass(frozen=True, slots=True)
class ShortRetries:
    """A few attempts within seconds, for requests that only read.

    `max_attempts` counts the first one. `first_pause`: seconds after it, doubled after each further attempt.
    """

    max_attempts: int
    first_pause: float

    def wait(self, attempt: int, error: ApiError) -> bool:
        """False also if our own rate limit is used up, or the provider asks for more than MAX_BACKOFF seconds."""
        pause = max(backoff(self.first_pause, attempt), error.retry_after)
        if attempt >= self.max_attempts or isinstance(error, RateLimitReached) or pause > MAX_BACKOFF:
            return False
        time.sleep(pause)
        return True


class Patience:
    """Waits while the rate limit is used up, until a deadline.

    An attempt that got no answer is not repeated here: it may have taken effect, and only the caller can find out.
    `seconds`: the time from now to the deadline, requests included. `sleep` and `now` are the clock.
    """

    def __init__(
        self,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._now = now
        self._deadline = now() + seconds

    def wait(self, attempt: int, error: ApiError) -> bool:  # noqa: ARG002  part of Retry
        """True if a rate limit was the reason and the deadline has not come."""
        return isinstance(error, RateLimited) and self.pause()

    def pause(self, *, leave: float = 0.0) -> bool:
        """Wait about PATIENT_PAUSE seconds. False at once if less than `leave` seconds would be left after it."""
        seconds = backoff(PATIENT_PAUSE, jitter=(0.8, 1.2))
        if self._now() + seconds > self._deadline - leave:
            return False
        self._sleep(seconds)
        return True


ONCE = Once()
