"""Moments are strings whose order is the order in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies import clock

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001  the zones are drawn


@given(a=TIMES, b=TIMES)
def test_they_sort_as_the_times_they_stand_for(a: datetime, b: datetime) -> None:
    assert (clock.moment(a) < clock.moment(b)) == (a < b)
    assert len(clock.moment(a)) == len("2026-11-21T09:30:00.000000Z")


@given(at=TIMES)
def test_what_was_written_is_read_as_it_was(at: datetime) -> None:
    assert clock.read(clock.moment(at)) == clock.moment(at)
    assert clock.read(at.isoformat()) == clock.moment(at)
    assert clock.seconds(clock.moment(at)) == pytest.approx(at.timestamp(), abs=1e-5)


def test_a_time_without_an_offset_is_utc() -> None:
    assert clock.read("2026-11-21T09:30:00") == "2026-11-21T09:30:00.000000Z"
    assert clock.read(" 2026-11-21T09:30:00.5+02:00\n") == "2026-11-21T07:30:00.500000Z"


@given(text=st.text() | st.integers().map(str))
def test_no_text_is_too_odd(text: str) -> None:
    read = clock.read(text)
    assert read is None or clock.read(read) == read


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    assert clock.moment(before) <= clock.now() <= clock.moment(datetime.now(UTC))
