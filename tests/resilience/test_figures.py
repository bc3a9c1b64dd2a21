"""The figures of the resilience runs: which are kept, and for how long."""

from pathlib import Path
from typing import Any

import pytest

from resilience import figures
from resilience.fuzz.__main__ import LONG, lasting

type Figures = dict[str, Any]


def test_figures_that_a_new_run_replaces_are_dropped_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "kept/resilience.json"
    for part in ("load", "states", "fuzz"):
        figures.keep(part, {"tried": 1}, path)
    figures.forget(["load", "states", "memory"], path)
    assert figures.kept(path).keys() == {"fuzz"}
    assert figures.kept(path)["fuzz"]["tried"] == 1


def ran(runs: int, broken_by: str = "") -> Figures:
    return {"runs": runs, "broken_by": broken_by}


@pytest.mark.parametrize(
    ("before", "now", "after"),
    [
        (None, ran(LONG), ran(LONG)),
        (None, ran(LONG - 1), None),
        (ran(LONG), ran(100), ran(LONG)),
        (ran(LONG), ran(LONG + 1), ran(LONG + 1)),
        (ran(LONG), ran(100, "AssertionError"), ran(100, "AssertionError")),
        (ran(100, "AssertionError"), ran(100), ran(100, "AssertionError")),
        (ran(100, "AssertionError"), ran(LONG), ran(LONG)),
    ],
    ids=["long", "short", "short after long", "long after long", "broken", "short after broken", "mended"],
)
def test_of_each_target_the_last_million_runs_are_kept_or_what_has_broken_it_since(
    before: Figures | None, now: Figures, after: Figures | None
) -> None:
    others = {"media": ran(LONG), "a target that is no more": ran(LONG)}
    kept = lasting({**others, **({"answers": before} if before else {})}, {"answers": now})
    assert kept == {"media": ran(LONG), **({"answers": after} if after else {})}
