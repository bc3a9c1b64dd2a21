"""Pauses between attempts double up to a maximum, and no two functions wait equally long."""

from hypothesis import given
from hypothesis import strategies as st

from dailies.backoff import backoff

FIRST = st.floats(0.01, 60)
STEADY = (1.0, 1.0)  # no jitter


@given(first=FIRST, attempt=st.integers(1, 20))
def test_each_pause_is_twice_the_one_before(first: float, attempt: int) -> None:
    assert backoff(first, 1, jitter=STEADY) == first
    assert backoff(first, attempt + 1, jitter=STEADY) == 2 * backoff(first, attempt, jitter=STEADY)


@given(first=FIRST, attempt=st.integers(1, 5000), max_seconds=st.floats(1, 600))
def test_no_pause_exceeds_the_maximum_before_the_jitter(first: float, attempt: int, max_seconds: float) -> None:
    assert backoff(first, attempt, max_seconds=max_seconds, jitter=STEADY) <= max_seconds
    assert backoff(first, attempt, max_seconds=max_seconds, jitter=(0.8, 1.2)) <= 1.2 * max_seconds


@given(first=FIRST)
def test_the_jitter_is_a_factor_between_its_two_bounds(first: float) -> None:
    pauses = {backoff(first, jitter=(0.5, 1.5)) for _ in range(20)}
    assert len(pauses) > 1
    assert all(0.5 * first <= pause <= 1.5 * first for pause in pauses)
