"""The decision after a failed attempt, by its error, its number, and the life of the link."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from dailies.errors import (
    ApiUnavailable,
    AwsUnavailable,
    Contradicted,
    CredentialsRejected,
    HostFailed,
    LinkDead,
    MediumRefused,
    NoCredentials,
    ObjectExists,
    RateLimited,
    RateLimitReached,
    StorageFailed,
)
from dailies.steps.archive_retry import (
    LAST_CHANCE_SECONDS,
    MAX_BACKOFF,
    MAX_RETRY_AFTER,
    RATE_LIMIT_PATIENCE,
    Decision,
    Fail,
    Failure,
    Lost,
    Requeue,
    Retry,
    decide,
)

NOW = 1_768_473_000.0  # seconds since 1970
MAX_ATTEMPTS = 9
FIRST_PAUSE = 15.0  # seconds
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")

type Of = Failure | ClientError | ConnectTimeoutError | None


def decided(error: Of, attempt: int = 1, *, link_left: float | None = None, found_ago: float | None = 10.0) -> Decision:
    """The decision if the link expires in `link_left` seconds, and the medium was found `found_ago` seconds ago."""
    return decide(
        error,
        attempt,
        max_attempts=MAX_ATTEMPTS,
        first_pause=FIRST_PAUSE,
        link_expires_at=None if link_left is None else NOW + link_left,
        found_at=None if found_ago is None else NOW - found_ago,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("error", "before", "last"),
    [
        (HostFailed("the host answered 500"), Retry, Fail),
        (StorageFailed("S3 answered SlowDown"), Retry, Fail),
        (ObjectExists("there is one"), Retry, Fail),
        (ApiUnavailable("no answer"), Retry, Fail),
        (NoCredentials("none"), Retry, Fail),
        (CredentialsRejected("answered 401"), Retry, Fail),
        (RateLimited("answered 429"), Retry, Fail),
        (AwsUnavailable("the secret could not be read"), Retry, Fail),
        (None, Retry, Fail),  # stopped by the time limit
        (LinkDead("the host answered 403"), Retry, Lost),
        (MediumRefused("another medium"), Fail, Fail),
        (MediumRefused("an HTML page", not_ready=True), Retry, Fail),
        (Contradicted("the API says failed"), Fail, Fail),
        (RateLimitReached("no room", 60), Requeue, Requeue),
        (THROTTLED, Retry, Retry),
        (ConnectTimeoutError(endpoint_url="https://dynamodb.example"), Retry, Retry),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_by_the_error_and_whether_it_is_the_last_attempt(
    error: Of, before: type[Decision], last: type[Decision]
) -> None:
    for attempt in (1, MAX_ATTEMPTS - 1):
        assert isinstance(decided(error, attempt), before)
    for attempt in (MAX_ATTEMPTS, MAX_ATTEMPTS + 1):
        assert isinstance(decided(error, attempt), last)


class TestTheDelayOfARetry:
    """Each row: the seconds that it lies between."""

    FAILED = HostFailed("the host answered 500")

    @pytest.mark.parametrize(
        ("error", "attempt", "link_left", "between"),
        [
            # doubled, at most ten minutes, 20 % more or less
            (FAILED, 1, None, (12, 18)),
            (FAILED, 2, None, (24, 36)),
            (FAILED, 5, None, (192, 288)),
            (FAILED, 7, None, (0.8 * MAX_BACKOFF, 1.2 * MAX_BACKOFF)),
            (THROTTLED, 400, None, (0.8 * MAX_BACKOFF, 1.2 * MAX_BACKOFF)),
            (None, 2, None, (24, 36)),
            (LinkDead("the host answered 403"), 2, None, (24, 36)),
            # the longer pause that a host or an API asks for, at most an hour
            (HostFailed("busy", 120), 1, None, (120, 120)),
            (HostFailed("busy", 5), 1, None, (12, 18)),
            (HostFailed("busy", 604_800), 1, None, (MAX_RETRY_AFTER, MAX_RETRY_AFTER)),
            (ApiUnavailable("answered 503", 120), 1, None, (120, 120)),
            # never later than a minute before the link expires
            (FAILED, 7, 200, (140, 140)),
            (HostFailed("busy", 120), 1, 100, (40, 40)),
            (THROTTLED, 7, 200, (140, 140)),
            (FAILED, 7, 10_000, (0.8 * MAX_BACKOFF, 1.2 * MAX_BACKOFF)),
            (FAILED, 7, 61, (1, 1)),
            # in the last minute, and after it, the usual ones
            (FAILED, 2, LAST_CHANCE_SECONDS, (24, 36)),
            (FAILED, 2, 5, (24, 36)),
            (FAILED, 2, -10, (24, 36)),
            # a rate limit's pause is not shortened: the API gives a link with its response
            (RateLimited("answered 429", 60), 1, 100, (60, 60)),
        ],
    )
    def test_by_the_attempt_the_host_and_the_life_of_the_link(
        self, error: Of, attempt: int, link_left: float | None, between: tuple[float, float]
    ) -> None:
        for _ in range(20):
            retry = decided(error, attempt, link_left=link_left)
            assert isinstance(retry, Retry)
            assert between[0] <= retry.delay <= between[1]

    def test_two_that_failed_together_do_not_retry_together(self) -> None:
        assert len({decided(self.FAILED) for _ in range(20)}) > 1


class TestOurOwnRateLimit:
    """It costs no attempt for a day."""

    FULL = RateLimitReached("no room", 60)

    @pytest.mark.parametrize(
        ("found_ago", "between"),
        [
            (10, (60, 60)),
            (600, (60, 180)),
            (10_000, (1000, 3000)),
            (-30, (60, 60)),  # a clock that is behind
        ],
    )
    def test_the_wait_grows_with_the_time_waited(self, found_ago: float, between: tuple[float, float]) -> None:
        for _ in range(20):
            again = decided(self.FULL, MAX_ATTEMPTS, found_ago=found_ago, link_left=5)
            assert isinstance(again, Requeue)
            assert between[0] <= again.delay <= between[1]

    @pytest.mark.parametrize("found_ago", [RATE_LIMIT_PATIENCE, RATE_LIMIT_PATIENCE + 1, None])
    def test_after_a_day_or_without_a_beginning_it_counts_as_any_other(self, found_ago: float | None) -> None:
        assert decided(self.FULL, 1, found_ago=found_ago, link_left=70) == Retry(60)
        assert decided(self.FULL, MAX_ATTEMPTS, found_ago=found_ago) == Fail()
