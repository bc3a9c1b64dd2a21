"""The archive benchmark's verdict: runs that are too slow, too large or broken miss their target."""

from typing import Any

import pytest

from bench.archive.runs import Run
from bench.archive.targets import CAPPED, FREE, LARGE, LARGEST, SMALL, TWENTY, targets
from bench.archive.ways import BOTO3, OURS, RCLONE, RELAY

type Key = tuple[str, int, str]

SECONDS: dict[Key, float] = {
    (CAPPED, LARGE, OURS): 10,
    (CAPPED, LARGE, BOTO3): 60,
    (CAPPED, LARGE, RCLONE): 15,
    (FREE, LARGE, OURS): 2,
    (FREE, LARGE, RELAY): 1.8,
    (FREE, LARGE, BOTO3): 4,
    (FREE, SMALL, OURS): 0.1,
    (FREE, SMALL, BOTO3): 0.1,
    (FREE, TWENTY, OURS): 0.2,
    (FREE, LARGEST, OURS): 9,
}


def run(key: Key, **other: Any) -> Run:
    """A good run, except for the values given."""
    host, size, way = key
    figures: dict[str, Any] = {
        "seconds": SECONDS[key],
        "process_seconds": SECONDS[key],
        "cpu_seconds": SECONDS[key],
        "peak_bytes": 50_000_000,
        "requests": {"GET": 1},
        "calls": {"PUT": 1},
        "core_seconds": 1.0,
        "problem": "",
    }
    return Run(way=way, host=host, size=size, **figures | other)


def judged(key: Key | None = None, *, bounded: str = "", **other: Any) -> dict[str, bool | None]:
    """Whether each target is reached if only the run of this key differs from a good one."""
    medians = {each: run(each, **other if each == key else {}) for each in SECONDS}
    return {target.what: target.reached for target in targets(medians, run((FREE, LARGE, OURS), problem=bounded))}


def test_all_can_be_reached() -> None:
    assert set(judged().values()) == {True}


@pytest.mark.parametrize(
    ("key", "other", "missed"),
    [
        ((CAPPED, LARGE, BOTO3), {"seconds": 50}, ["capped, 1 GiB: boto3 takes"]),
        ((CAPPED, LARGE, RCLONE), {"seconds": 11}, ["capped, 1 GiB: rclone takes"]),
        ((FREE, LARGE, RELAY), {"seconds": 1}, ["free, 1 GiB: at most 1.25x the faster relay"]),
        ((FREE, LARGE, BOTO3), {"seconds": 2}, ["free, 1 GiB: boto3 takes"]),
        ((FREE, LARGE, OURS), {"cpu_seconds": 4}, ["free, 1 GiB: CPU"]),
        ((FREE, SMALL, OURS), {"peak_bytes": 65_000_000}, ["peak memory at 1 MiB"]),
        ((FREE, LARGEST, OURS), {"problem": "killed"}, ["peak memory at 5 GiB"]),
        ((FREE, SMALL, OURS), {"requests": {"GET": 2}}, ["1 MiB: one request"]),
        ((FREE, SMALL, OURS), {"calls": {"PUT": 2}}, ["1 MiB: one call"]),
        ((FREE, TWENTY, OURS), {"calls": {"PUT": 5}}, ["20 MB: at most 4"]),
        ((CAPPED, LARGE, OURS), {"problem": "killed"}, ["capped, 1 GiB: boto3", "capped, 1 GiB: rclone"]),
    ],
)
def test_what_is_missed_or_breaks_is_not_reached(key: Key, other: dict[str, Any], missed: list[str]) -> None:
    found = [what for what, reached in judged(key, **other).items() if reached is False]
    assert len(found) == len(missed)
    assert all(what.startswith(start) for what, start in zip(found, missed, strict=True))


def test_what_breaks_within_the_memory_bound_is_missed() -> None:
    assert [reached for what, reached in judged(bounded="killed").items() if "128 MiB" in what] == [False]


def test_where_the_others_break_nothing_is_measured() -> None:
    found = judged((CAPPED, LARGE, RCLONE), problem="no such program")
    assert {what: reached for what, reached in found.items() if not reached} == {
        "capped, 1 GiB: rclone takes at least 1.25x": None
    }
