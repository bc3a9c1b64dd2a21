"""The delay before a retry."""

import random

MAX_DOUBLINGS = 30  # more would overflow a float after a thousand attempts; every caller's limit is far below


def backoff(
    first: float, attempt: int = 1, *, max_seconds: float = float("inf"), jitter: tuple[float, float] = (0.5, 1.5)
) -> float:
    """Seconds to wait after the failed attempt with this number, which counts from 1.

    `first` seconds after attempt 1, doubled after each further attempt, at most `max_seconds`. The result is then
    multiplied by a random factor between the two of `jitter`, so that functions that failed together do not retry
    together.
    """
    doubled = first * 2.0 ** min(attempt - 1, MAX_DOUBLINGS)
    return min(max_seconds, doubled) * random.uniform(*jitter)  # noqa: S311  no secret
