"""A provider's rate limit, kept by all functions together."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from dailies.allowance import Limit, Taken, take
from dailies.table import Table
from local.stack import Stack

NOW = 1_800_000_000.0
WISHES = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 9)), max_size=30)


class TestTake:
    @given(calls=st.integers(1, 12), wishes=WISHES)
    def test_no_span_of_the_limits_seconds_has_more_calls_than_it_allows(
        self, calls: int, wishes: list[tuple[float, int]]
    ) -> None:
        limit, now = Limit(calls, 60), NOW
        taken: list[Taken] = []
        granted: list[Taken] = []
        for pause, wanted in wishes:
            now += pause
            got, taken = take(taken, limit, wanted, now)
            granted.append(Taken(now, got))
        for first in granted:
            assert sum(one.calls for one in granted if first.at <= one.at < first.at + limit.seconds) <= calls

    @given(calls=st.integers(1, 12), wanted=st.integers(1, 20))
    def test_what_there_is_room_for_is_granted(self, calls: int, wanted: int) -> None:
        got, taken = take([], Limit(calls, 60), wanted, NOW)
        assert got == min(calls, wanted)
        again, _ = take(taken, Limit(calls, 60), calls, NOW + 62)
        assert again == calls


def test_functions_that_take_at_the_same_moment_stay_within_it_together(stack: Stack) -> None:
    jobs = Table(stack.aws.dynamodb, stack.outputs["TableName"])
    with ThreadPoolExecutor(8) as functions:
        granted = list(functions.map(lambda _: jobs.take_calls("together", Limit(5), 1, NOW), range(24)))
    assert sum(granted) == 5
