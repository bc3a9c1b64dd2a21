"""What follows a failed attempt to archive a medium: retry it, queue it again, or give it up. No I/O."""

from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from dailies.backoff import backoff
from dailies.errors import (
    ApiError,
    AwsUnavailable,
    HostFailed,
    LinkDead,
    MediumRefused,
    RateLimited,
    RateLimitReached,
    TransferError,
)

MAX_BACKOFF = 600  # seconds between two attempts: more would waste a link that lives for an hour
MAX_RETRY_AFTER = 3600  # seconds that a host may ask for: if its link names no expiry, it may live for an hour
RATE_LIMIT_PATIENCE = 86_400  # seconds after a medium was found in which waiting for a rate limit costs no attempt
LAST_CHANCE_SECONDS = 60  # before a link expires there is an attempt, however long the backoff is
JITTER = (0.8, 1.2)  # of a backoff: two jobs that failed together do not retry together
REQUEUE_JITTER = (0.1, 0.3)  # of the time waited so far: the longer a crowd waits, the less it costs

type Failure = TransferError | ApiError | AwsUnavailable
"""An error of the media host, the provider's API, or AWS that ends an attempt without an archived medium."""


class Retry(NamedTuple):
    """Leave the message in the queue and show it again after `delay` seconds. SQS continues to count its receives."""

    delay: float


class Requeue(NamedTuple):
    """Put the message into the queue again, to be shown after `delay` seconds. SQS counts its receives from 0, so the
    wait costs no attempt."""

    delay: float


class Fail(NamedTuple):
    """Give the medium up, and keep its message in the failure queue: a person can redrive it."""


class Lost(NamedTuple):
    """Give the medium up: its link has expired, and a redrive would not help."""


type Decision = Retry | Requeue | Fail | Lost


def decide(
    error: Failure | BotoCoreError | ClientError | None,
    attempt: int,
    *,
    max_attempts: int,
    first_pause: float,
    link_expires_at: float | None,
    found_at: float | None,
    now: float,
) -> Decision:
    """What follows the failed attempt with this number, which counts from 1.

    `error`: why it failed; None if the time limit stopped a transfer that another run can continue. `first_pause`:
    seconds after the first attempt, then doubled. `link_expires_at`, `found_at`, `now`: seconds since 1970, None if
    unknown. An error of botocore is never the last one: it is not about the medium.
    """
    if isinstance(error, RateLimitReached) and found_at is not None and now - found_at < RATE_LIMIT_PATIENCE:
        return Requeue(max(error.retry_after, backoff(now - found_at, jitter=REQUEUE_JITTER)))
    if isinstance(error, MediumRefused) and not error.not_ready:
        return Fail()
    if attempt < max_attempts or isinstance(error, BotoCoreError | ClientError):
        pause = backoff(first_pause, attempt, max_seconds=MAX_BACKOFF, jitter=JITTER)
        return Retry(_delay(error, pause, link_expires_at, now))
    return Lost() if isinstance(error, LinkDead) else Fail()


def _delay(error: Exception | None, pause: float, link_expires_at: float | None, now: float) -> float:
    """The pause, or a longer one that the host asked for, but not beyond the link's last chance.

    After the last chance the pause is the usual one. Short pauses would use up the attempts while the host still fails.
    An attempt after the link's expiry gets a fresh link, or finds it lost. A rate limit's pause is not shortened: the
    API's answer contains a link.
    """
    retry_after = error.retry_after if isinstance(error, HostFailed | ApiError) else 0
    pause = max(pause, min(MAX_RETRY_AFTER, retry_after))
    if link_expires_at is not None and not isinstance(error, RateLimited):
        left = link_expires_at - now
        if left > LAST_CHANCE_SECONDS:
            pause = min(pause, left - LAST_CHANCE_SECONDS)
    return pause
