"""The console's charts and their figures."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.console import charts
from cli.console.charts import BOTTOM, LEFT, RIGHT, TOP, Chart
from cli.stats import Hour, by_hour, margins, percentile, to_bucket
from dailies import timestamps
from dailies.jobs.models import Job, MediaItem, Receipt

NOW = "2026-11-25T14:03:07.213456Z"
LATER = timestamps.from_datetime(datetime.fromtimestamp(1.8e9, UTC))
SECONDS = st.lists(st.floats(-1e6, 1e7), max_size=50).map(sorted)


def heights(chart: Chart) -> dict[str, float]:
    """The total height of the bars of each colour."""
    return {
        kind: sum(bar.height for bar in chart.bars if bar.kind == kind) for kind in {bar.kind for bar in chart.bars}
    }


def hours(*counts: dict[str, int]) -> list[Hour]:
    return [Hour(f"2026-11-25T{number:02}:00:00.000000Z", count) for number, count in enumerate(counts)]


class TestCharts:
    def test_a_bar_is_as_high_as_its_count(self) -> None:
        chart = charts.by_hour(hours({"completed": 6}, {}, {"completed": 1, "failed": 2}))
        assert heights(chart)["completed"] / heights(chart)["failed"] == pytest.approx(7 / 2, rel=0.01)
        assert chart.rows == [["00:00", "6", "0"], ["02:00", "1", "2"]]
        assert chart.summary == "9 jobs updated in the last 3 hours: 7 completed, 2 failed."

    def test_a_stacked_bar_begins_where_the_lower_one_ends(self) -> None:
        lower, upper = charts.by_hour(hours({"completed": 3, "attention": 2})).bars
        assert lower.y == pytest.approx(upper.y + upper.height)
        assert lower.y + lower.height == pytest.approx(BOTTOM)

    @given(SECONDS)
    def test_every_medium_is_in_one_bar_and_every_bar_in_the_picture(self, seconds: Sequence[float]) -> None:
        for chart in (charts.to_bucket(seconds), charts.margins(seconds)):
            assert sum(int(count) for _, count in chart.rows) == len(seconds)
            for bar in chart.bars:
                assert LEFT <= bar.x <= bar.x + bar.width <= RIGHT
                assert TOP - 0.01 <= bar.y <= bar.y + bar.height <= BOTTOM + 0.02
                assert bar.height > 0

    def test_less_than_ten_minutes_left_is_alarming(self) -> None:
        chart = charts.margins([-5.0, 30.0, 599.0, 600.0, 86_400.0])
        assert heights(chart)["attention"] / heights(chart)["plain"] == pytest.approx(3 / 2, rel=0.01)
        assert chart.summary.endswith("half had 9 minutes and 59 seconds or less; 3 had less than ten minutes.")

    def test_without_anything_the_words_say_so(self) -> None:
        empty = [charts.by_hour(hours({}, {})), charts.to_bucket([]), charts.margins([])]
        assert [chart.summary for chart in empty] == [
            "No jobs were updated.",
            "No media were archived.",
            "No archived link has a known end.",
        ]
        assert not [bar for chart in empty for bar in chart.bars]


class TestFigures:
    def test_jobs_are_counted_in_the_hour_of_their_last_update(self) -> None:
        rows = [
            {"updated_at": "2026-11-25T14:00:00.000000Z", "stage": "settled", "status": "failed"},
            {"updated_at": "2026-11-25T13:59:59.999999Z", "stage": "attention", "status": "completed"},
            {"updated_at": "2026-11-24T15:00:00.000000Z", "stage": "waiting", "status": "pending"},
            {"updated_at": "2026-11-24T14:30:00.000000Z", "stage": "settled", "status": "completed"},  # a day ago
        ]
        counted = {hour.begins[:13]: dict(hour.counts) for hour in by_hour(rows, NOW) if hour.counts}
        assert counted == {
            "2026-11-25T14": {"failed": 1},
            "2026-11-25T13": {"attention": 1},
            "2026-11-24T15": {"waiting": 1},
        }
        assert len(by_hour(rows, NOW)) == 24

    def test_times_are_of_media_in_the_bucket_alone(self) -> None:
        found_at, died_at = "2026-11-25T14:00:00.000000Z", "2026-11-25T15:00:00.000000Z"

        def medium(state: str, at: str, dies: str | None = died_at) -> MediaItem:
            receipt = Receipt(role="output", media_id=at[-4:], state=state, at=at)  # type: ignore[arg-type]
            return MediaItem(role="output", media_id=at[-4:], found_at=found_at, link_expires_at=dies, receipt=receipt)

        job = Job(
            provider="sync",
            webhook="generation",
            job_id="g-1",
            media=(
                medium("archived", "2026-11-25T14:00:30.000000Z"),
                medium("archived", "2026-11-25T14:00:05.000000Z", None),
                medium("failed", "2026-11-25T14:00:01.000000Z"),
                # found again after its receipt, as Creatify's photo is by the delivery about the video
                medium("archived", "2026-11-25T13:51:00.000000Z"),
                MediaItem(role="segment", media_id="x", found_at=found_at, link_expires_at=died_at),
            ),
        )
        assert to_bucket([job]) == [5.0, 30.0]
        assert margins([job]) == [3570.0]

    @given(st.lists(st.floats(0, 1e6), min_size=1).map(sorted), st.floats(0.01, 1))
    def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(self, values: list[float], part: float) -> None:
        found = percentile(values, part)
        assert found in values
        assert sum(value <= found for value in values) >= part * len(values) - 1e-6
        assert sum(value < found for value in values) < part * len(values)
