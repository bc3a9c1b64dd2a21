"""`python -m bench.archive`: all measurements in about ten minutes, or `--quick` in one.

Exits with 1 if a target is missed or a competitor fails.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.archive.bounds import memory_bound
from bench.archive.media import MIB, File, files
from bench.archive.report import HOSTS, Bounded, medians, report, size_in_words, write
from bench.archive.runs import Bench, Run
from bench.archive.servers import servers
from bench.archive.targets import CAPPED, FREE, LARGE, LARGEST, MEDIUM, SMALL, TWENTY, targets
from bench.archive.tools import Tools, tools
from bench.archive.ways import BOTO3, OURS, RELAY, WAYS, Way, ours_in_its_function
from bench.tools import FOLDER, alone

BUSY = 0.5  # load above which the figures are unreliable: there are two cores and both are used


@dataclass(frozen=True)
class Series:
    """Competitors compared at one size, in turn, `rounds` times."""

    host: str
    size: int
    ways: tuple[Way, ...]
    rounds: int


def series(rounds: int, names: list[str], quick: int) -> list[Series]:
    """The series to run, or one size for all. The rate-limited connection is measured once: it takes the same 36 s each
    time."""
    ways = tuple(way for way in WAYS if way.name in names)
    if quick:
        return [Series(FREE, quick, ways, rounds), Series(CAPPED, quick, ways, 1)]
    only_ours = tuple(way for way in ways if way.name == OURS)
    longest = tuple(way for way in ways if way.name in {OURS, BOTO3, RELAY})
    return [
        Series(FREE, SMALL, ways, rounds),
        Series(FREE, TWENTY, only_ours, 1),
        Series(FREE, MEDIUM, ways, rounds),
        Series(FREE, LARGE, ways, rounds),
        Series(FREE, LARGEST, longest, 1),
        Series(CAPPED, MEDIUM, ways, rounds),
        Series(CAPPED, LARGE, tuple(way for way in ways if not way.one_connection), rounds),
        Series(CAPPED, LARGE, tuple(way for way in ways if way.one_connection), 1),
    ]


def measured(bench: Bench, planned: list[Series], media: dict[int, File]) -> Iterator[Run]:
    """All runs. The order changes from round to round, so that no competitor always follows the same one."""
    for one in planned:
        for turn in range(one.rounds):
            for way in one.ways if turn % 2 == 0 else reversed(one.ways):
                print(f"\r\033[K{size_in_words(one.size)}, {HOSTS[one.host]}: {way.name}", end="", file=sys.stderr)
                yield bench.run(way, one.host, media[one.size])
    print("\r\033[K", end="", file=sys.stderr)


def bounded_run(bench: Bench, file: File, limit: int) -> Bounded:
    """One run in the archive function's complete process, within a memory limit in bytes."""
    with memory_bound(limit) as (bound, how):
        return Bounded(bench.run(Way("ours, bounded", ours_in_its_function), FREE, file, bound), limit, how)


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.archive", description="Compare the archive's engine with other tools."
    )
    options.add_argument("--rounds", type=int, default=5, help="measurements of each; the median counts (5)")
    options.add_argument(
        "--quick", type=int, nargs="?", const=MEDIUM // MIB, default=0, metavar="MIB", help="one size only (64)"
    )
    options.add_argument(
        "--no-install", action="store_true", help="compare with installed packages only, and list the missing ones"
    )
    options.add_argument(
        "--only", action="append", default=[], choices=[way.name for way in WAYS], help="only this competitor"
    )
    options.add_argument(
        "--memory-limit", type=int, default=128, metavar="MIB", help="memory limit of the bounded run (128; 0: none)"
    )
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or chosen.rounds < 1:
        raise SystemExit("bench: needs two cores, for the competitors and for the servers, and at least one round")
    if os.getloadavg()[0] > BUSY:
        print(
            f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}), so the figures are unreliable",
            file=sys.stderr,
        )
    with alone():
        needed = frozenset().union(*(way.needs for way in WAYS))
        compare(tools(needed, install=not chosen.no_install), cores, chosen)


def compare(ready: Tools, cores: list[int], chosen: argparse.Namespace) -> None:
    """Measure, print, and write the file."""
    names = [way.name for way in WAYS if way.name in (chosen.only or {way.name}) and not way.needs & ready.missing]
    quick = chosen.quick * MIB
    planned = series(chosen.rounds, names, quick)
    bounded_size = quick or LARGE
    media = files(FOLDER / "media", [*{one.size for one in planned}, bounded_size])
    os.sched_setaffinity(0, {cores[1]})
    with servers(ready, FOLDER / "media", cores[1:3]) as running:
        bench = Bench(running, ready, cores[0])
        runs = list(measured(bench, planned, media))
        limit = chosen.memory_limit * MIB
        bounded = bounded_run(bench, media[bounded_size], limit) if limit else None
    found = medians(runs)
    reached = targets(found, bounded.run if bounded else None)
    write(runs, found, bounded, reached, ready)
    print(*report(runs, found, bounded, reached, ready), sep="\n")
    if broken := [run.way for run in [*runs, *([bounded.run] if bounded else [])] if run.problem]:
        raise SystemExit(f"bench: failed: {', '.join(dict.fromkeys(broken))}; the table has the reasons")
    if any(target.reached is False for target in reached):
        raise SystemExit("bench: a target is missed; see the last lines")


if __name__ == "__main__":
    main()
