"""The targets of the archive's engine, and whether it meets them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.archive.media import GIB, MIB
from bench.archive.runs import Run
from bench.archive.ways import BOTO3, OURS, RCLONE, RELAY, RELAYS

FREE, CAPPED = "free", "capped"
SMALL, TWENTY, MEDIUM, LARGE, LARGEST = MIB, 20_000_000, 64 * MIB, GIB, 5 * GIB
MAX_MEMORY = 64_000_000

type Medians = Mapping[tuple[str, int, str], Run]
"""The median run of each host, size and way."""


@dataclass(frozen=True)
class Target:
    """`reached` is None if it was not measured: there was no such run, or the competitor failed. If our engine failed,
    the target is missed."""

    what: str
    measured: str
    reached: bool | None


def targets(medians: Medians, bounded: Run | None) -> list[Target]:
    """All targets. `bounded`: a run in the function's complete process, within 128 MiB."""
    large, capped = (FREE, LARGE), (CAPPED, LARGE)
    relay = min(((FREE, LARGE, RELAY), (FREE, LARGE, RELAYS)), key=lambda key: _seconds(medians, key) or 1e9)
    return [
        _ratio(
            "capped, 1 GiB: boto3 takes at least 5.5x as long", medians, (*capped, BOTO3), (*capped, OURS), least=5.5
        ),
        _ratio("capped, 1 GiB: rclone takes at least 1.25x", medians, (*capped, RCLONE), (*capped, OURS), least=1.25),
        _ratio("free, 1 GiB: at most 1.25x the faster relay", medians, (*large, OURS), relay, most=1.25),
        _ratio("free, 1 GiB: boto3 takes at least 1.4x", medians, (*large, BOTO3), (*large, OURS), least=1.4),
        _ratio("free, 1 GiB: CPU at most 0.7x of boto3's", medians, (*large, OURS), (*large, BOTO3), most=0.7, of=_cpu),
        _most("peak memory at 1 MiB at most 64 MB", medians.get((FREE, SMALL, OURS)), _peak, MAX_MEMORY, "MB"),
        _most("peak memory at 5 GiB at most 64 MB", medians.get((FREE, LARGEST, OURS)), _peak, MAX_MEMORY, "MB"),
        _bounded(bounded),
        _most("1 MiB: one request to the host", medians.get((FREE, SMALL, OURS)), _requests, 1, ""),
        _most("1 MiB: one call to S3", medians.get((FREE, SMALL, OURS)), _calls, 1, ""),
        _most("20 MB: at most 4 calls to S3", medians.get((FREE, TWENTY, OURS)), _calls, 4, ""),
    ]


def _seconds(medians: Medians, key: tuple[str, int, str]) -> float | None:
    run = medians.get(key)
    return _transfer(medians, run) if run else None


def _transfer(_: Medians, run: Run) -> float:
    return run.seconds


def _cpu(medians: Medians, run: Run) -> float:
    """CPU without the program's start, which is the CPU of 1 MiB."""
    small = medians.get((FREE, SMALL, run.way))
    return run.cpu_seconds - (small.cpu_seconds if small else 0)


def _peak(run: Run) -> int:
    return run.peak_bytes


def _calls(run: Run) -> int:
    return run.s3_calls


def _requests(run: Run) -> int:
    return sum(run.requests.values())


def _ratio(
    what: str,
    medians: Medians,
    above: tuple[str, int, str],
    below: tuple[str, int, str],
    *,
    least: float = 0,
    most: float = float("inf"),
    of: Callable[[Medians, Run], float] = _transfer,
) -> Target:
    first, second = medians.get(above), medians.get(below)
    if not first or not second:
        return Target(what, "", None)
    for run in (first, second):
        if run.problem:
            return Target(what, f"{run.way}: {run.problem}", False if run.way == OURS else None)
    ratio = of(medians, first) / of(medians, second)
    return Target(what, f"{ratio:.2f}x", least <= ratio <= most)


def _most(what: str, run: Run | None, of: Callable[[Run], int], most: int, unit: str) -> Target:
    if not run:
        return Target(what, "", None)
    if run.problem:
        return Target(what, run.problem, False)
    value = of(run)
    return Target(what, f"{value / 1e6:.0f} MB" if unit else str(value), value <= most)


def _bounded(run: Run | None) -> Target:
    what = "1 GiB in the whole function's process within 128 MiB"
    if not run or run.size != LARGE:
        return Target(what, "", None)
    return Target(what, run.problem or f"peak {run.peak_bytes / 1e6:.0f} MB", not run.problem)
