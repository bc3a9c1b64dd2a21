"""Timestamps are strings whose order is the order in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies import timestamps

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001  the zones are drawn


@given(a=TIMES, b=TIMES)
def test_they_sort_as_the_times_they_stand_for(a: datetime, b: datetime) -> None:
    assert (timestamps.from_datetime(a) < timestamps.from_datetime(b)) == (a < b)
    assert len(timestamps.from_datetime(a)) == len("2026-11-21T09:30:00.000000Z")


@given(at=TIMES)
def test_what_was_written_is_read_as_it_was(at: datetime) -> None:
    assert timestamps.parse(timestamps.from_datetime(at)) == timestamps.from_datetime(at)
    assert timestamps.parse(at.isoformat()) == timestamps.from_datetime(at)
    assert timestamps.seconds(timestamps.from_datetime(at)) == pytest.approx(at.timestamp(), abs=1e-5)


def test_a_time_without_an_offset_is_utc() -> None:
    assert timestamps.parse("2026-11-21T09:30:00") == "2026-11-21T09:30:00.000000Z"
    assert timestamps.parse(" 2026-11-21T09:30:00.5+02:00\n") == "2026-11-21T07:30:00.500000Z"


@given(text=st.text() | st.integers().map(str))
def test_no_text_is_too_odd(text: str) -> None:
    read = timestamps.parse(text)
    assert read is None or timestamps.parse(read) == read


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    assert timestamps.from_datetime(before) <= timestamps.now() <= timestamps.from_datetime(datetime.now(UTC))
