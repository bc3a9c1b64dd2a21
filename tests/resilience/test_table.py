"""The table of the resilience runs: a part that failed has a line that says so."""

from typing import Any

from resilience.table import table

STATES = {
    "tried": 1200,
    "passed": 1200,
    "lost": 0,
    "done": {"jobs": 3, "deliveries": 9, "merges": 11},
}


def line(kept: dict[str, Any], ended: dict[str, int]) -> str:
    """The only line below the header."""
    (row,) = table(kept, ended).splitlines()[2:]
    return row


def test_a_part_that_passed_has_its_figures() -> None:
    row = line({"states": STATES}, {"states": 0})
    assert row.startswith("| State space | 1,200 | 1,200 | 0 | 3 jobs, 9 events")


def test_a_part_that_has_lost_something_shows_how_much() -> None:
    assert line({"states": STATES | {"passed": 1198, "lost": 2}}, {"states": 1}).startswith(
        "| State space | 1,200 | 1,198 | 2 | 3 jobs"
    )


def test_a_part_that_found_why_it_failed_says_so() -> None:
    found = STATES | {"passed": 1199, "lost": 1, "failed": "AssertionError: assert 'a' | 'b'", "done": {}}
    row = line({"states": found}, {"states": 1})
    assert row.startswith("| State space | 1,200 | 1,199 | 1 | failed: AssertionError: assert 'a' / 'b'; 0 jobs")


def test_a_part_that_left_no_figures_has_its_line() -> None:
    for code in (0, 1, -9):
        row = line({}, {"states": code})
        assert row == f"| State space | – | – | – | failed: exit code {code}, no figures |"


def test_a_part_that_ended_badly_with_good_figures_says_so() -> None:
    assert "| 0 | failed: exit code -15; 3 jobs" in line({"states": STATES}, {"states": -15})


def test_a_part_that_was_not_run_has_none() -> None:
    assert table({}, {}).count("\n") == 1
