"""A provider's rate limit, shared by all functions."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.doctor import MAX_SKEW
from dailies.aws.table import Table
from dailies.provider_api.rate_limit import AHEAD_SECONDS, Reservation, reserve
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.contract import Limit
from local.stack import Stack

NOW = 1_800_000_000.0
OFF = st.floats(-900, 900)  # seconds: AWS rejects signatures from a clock that is further off
WISHES = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 9)), max_size=30)


class TestTake:
    @given(calls=st.integers(1, 12), wishes=WISHES)
    def test_no_span_of_the_limits_seconds_has_more_calls_than_it_allows(
        self, calls: int, wishes: list[tuple[float, int]]
    ) -> None:
        limit, now = Limit(calls, 60), NOW
        taken: list[Reservation] = []
        granted: list[Reservation] = []
        for pause, calls_wanted in wishes:
            now += pause
            got, taken = reserve(taken, limit, calls_wanted, now)
            granted.append(Reservation(now, got))
        for first in granted:
            assert sum(one.calls for one in granted if first.at <= one.at < first.at + limit.seconds) <= calls

    @given(calls=st.integers(1, 12), calls_wanted=st.integers(1, 20))
    def test_what_there_is_room_for_is_granted(self, calls: int, calls_wanted: int) -> None:
        got, taken = reserve([], Limit(calls, 60), calls_wanted, NOW)
        assert got == min(calls, calls_wanted)
        again, _ = reserve(taken, Limit(calls, 60), calls, NOW + 62)
        assert again == calls

    @given(calls=st.integers(1, 12), wishes=WISHES, off=OFF, strangers=st.sets(st.integers(0, 29)))
    @example(calls=2, wishes=[(0, 2), (1, 1), (1, 2)], off=600, strangers={1})
    @example(calls=2, wishes=[(0, 2), (1, 1), (1, 2)], off=900, strangers={1})
    @example(calls=2, wishes=[(0, 2), (1, 1), (1, 1), (1, 2)], off=-900, strangers={1, 2})
    def test_a_wrong_clock_makes_no_room_for_those_that_go_right(
        self, calls: int, wishes: list[tuple[float, int]], off: float, strangers: set[int]
    ) -> None:
        """Some reservations are an operator's, whose clock is ahead or behind."""
        limit, now = Limit(calls, 60), NOW
        taken: list[Reservation] = []
        granted: list[Reservation] = []
        for number, (pause, calls_wanted) in enumerate(wishes):
            now += pause
            got, taken = reserve(taken, limit, calls_wanted, now + (off if number in strangers else 0))
            if number not in strangers:
                granted.append(Reservation(now, got))
        for first in granted:
            assert sum(one.calls for one in granted if first.at <= one.at < first.at + limit.seconds) <= calls

    @given(ahead=st.floats(AHEAD_SECONDS + 0.1, 900), calls=st.integers(1, 12))
    def test_a_reservation_by_a_clock_ahead_delays_no_one_else(self, ahead: float, calls: int) -> None:
        limit = Limit(calls, 60)
        _, taken = reserve([], limit, calls, NOW + ahead)
        assert reserve(taken, limit, calls, NOW)[0] == calls

    @given(ahead=st.floats(0, AHEAD_SECONDS), calls=st.integers(1, 12))
    def test_a_clock_that_doctor_lets_pass_is_counted(self, ahead: float, calls: int) -> None:
        assert ahead <= MAX_SKEW
        limit = Limit(calls, 60)
        _, taken = reserve([], limit, calls, NOW + ahead)
        assert reserve(taken, limit, calls, NOW)[0] == 0

    @pytest.mark.parametrize("off", [0, 600, -600])
    def test_the_row_stays_small_however_much_is_called(self, off: float) -> None:
        """It is written with each reservation: an entry has about 25 bytes, and AWS counts units of 1 KB."""
        taken: list[Reservation] = []
        longest = 0
        for number in range(1500):
            now = NOW + number
            _, taken = reserve(taken, Limit(60), 1, now + (off if number % 2 else 0))
            longest = max(longest, len(taken))
        assert longest < 400
        assert reserve(taken, Limit(60), 60, NOW + 6600)[1] == [Reservation(NOW + 6600, 60)]


def test_concurrent_reservations_stay_within_the_limit_together(stack: Stack) -> None:
    jobs = Table(stack.aws.dynamodb, stack.outputs["TableName"])
    with ThreadPoolExecutor(8) as functions:
        granted = list(functions.map(lambda _: reserve_calls(jobs, "together", Limit(5), 1, NOW), range(24)))
    assert sum(granted) == 5
