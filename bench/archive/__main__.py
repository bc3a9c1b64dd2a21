"""`python -m bench.archive`: all of it in about ten minutes, or `--quick` in one."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median_low

from bench.archive.media import GIB, MIB, File, files
from bench.archive.runs import Bench, Run, memory_bound
from bench.archive.servers import CAP, servers
from bench.archive.targets import CAPPED, FREE, LARGE, LARGEST, MEDIUM, SMALL, TWENTY, Medians, Target, targets
from bench.archive.tools import FOLDER, tools
from bench.archive.ways import BOTO3, OURS, RELAY, WAYS, Way, ours_in_its_function
from local.stack import ROOT

RESULT = ROOT / ".local/bench-archive.json"
HOSTS = {FREE: "free host", CAPPED: f"{CAP.rstrip('m')} MiB/s per connection"}
COLUMNS = ("seconds", "x ours", "process", "CPU s", "x ours", "peak MB", "requests", "S3 calls", "servers", "runs")
LEGEND = """\
seconds    from the first request that a server got to the last answer that one gave
process    with the program's start and end
CPU s      of the whole process, all threads
peak MB    10^6 bytes, of the largest process
requests   to the media host
servers    how busy nginx's and the bucket's core was"""
BUSY = 0.5  # load above which the figures are not worth much: there are two cores and both are used


@dataclass(frozen=True)
class Series:
    """Ways compared with each other at one size, in turn, `rounds` times."""

    host: str
    size: int
    ways: tuple[Way, ...]
    rounds: int


def series(rounds: int, names: list[str], *, quick: bool) -> list[Series]:
    """What is to be run. What one capped connection carries takes its 36 s however often it is measured: once."""
    ways = tuple(way for way in WAYS if not names or way.name in names)
    if quick:
        return [Series(FREE, MEDIUM, ways, rounds), Series(CAPPED, MEDIUM, ways, 1)]
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
    """Every run. The order turns from round to round, so that no way always comes after the same other."""
    for one in planned:
        for turn in range(one.rounds):
            for way in one.ways if turn % 2 == 0 else reversed(one.ways):
                print(f"\r\033[K{_size(one.size)}, {HOSTS[one.host]}: {way.name}", end="", file=sys.stderr)
                yield bench.run(way, one.host, media[one.size])
    print("\r\033[K", end="", file=sys.stderr)


def medians(runs: list[Run]) -> Medians:
    """Of each host, size and way: the run whose seconds are the median, with the medians of CPU and the most memory."""
    found: dict[tuple[str, int, str], Run] = {}
    for key in dict.fromkeys((run.host, run.size, run.way) for run in runs):
        same = sorted((run for run in runs if (run.host, run.size, run.way) == key), key=lambda run: run.seconds)
        bad = next((run for run in same if run.problem), None)
        middle = bad or same[(len(same) - 1) // 2]
        figures = {
            "cpu_seconds": median_low(run.cpu_seconds for run in same),
            "process_seconds": median_low(run.process_seconds for run in same),
            "peak_bytes": max(run.peak_bytes for run in same),
        }
        found[key] = Run(**{**asdict(middle), **figures})
    return found


def table(found: Medians, runs: list[Run]) -> Iterator[str]:
    """The figures, a block for each host and size."""
    for host, size in dict.fromkeys((host, size) for host, size, _ in found):
        yield ""
        yield f"{f'{_size(size)}, {HOSTS[host]}':<34}" + "".join(f"{name:>9}" for name in COLUMNS)
        own = found.get((host, size, OURS))
        own = None if own and own.problem else own
        for way in WAYS:
            if run := found.get((host, size, way.name)):
                count = sum((one.host, one.size, one.way) == (host, size, way.name) for one in runs)
                figures = run.problem or "".join(f"{figure:>9}" for figure in _figures(run, own, count))
                yield f"  {way.name:<32}{figures}"


def _figures(run: Run, own: Run | None, count: int) -> tuple[str, ...]:
    return (
        f"{run.seconds:.2f}",
        f"{run.seconds / own.seconds:.2f}" if own else "",
        f"{run.process_seconds:.2f}",
        f"{run.cpu_seconds:.2f}",
        f"{run.cpu_seconds / own.cpu_seconds:.2f}" if own else "",
        f"{run.peak_bytes / 1e6:.0f}",
        str(sum(run.requests.values())),
        str(run.s3_calls),
        f"{run.core_seconds / run.process_seconds:.0%}",
        str(count),
    )


def _size(size: int) -> str:
    return f"{size // GIB} GiB" if size >= GIB else f"{size // MIB} MiB" if size % MIB == 0 else f"{size / 1e6:.0f} MB"


def _verdict(target: Target) -> str:
    word = {True: "yes", False: "NO", None: "not measured"}[target.reached]
    return f"  {word:<14}{target.what}{': ' if target.measured else ''}{target.measured}"


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.archive", description="The archive's engine against others."
    )
    options.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts (5)")
    options.add_argument("--quick", action="store_true", help="64 MiB only")
    options.add_argument("--only", action="append", default=[], choices=[way.name for way in WAYS], help="of the ways")
    options.add_argument(
        "--memory-limit", type=int, default=128, metavar="MIB", help="of the bounded run (128; 0: none)"
    )
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2 or chosen.rounds < 1:
        raise SystemExit("bench: needs two cores, one for what is measured and one for the servers, and a round")
    if os.getloadavg()[0] > BUSY:
        print(f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}); read the figures so", file=sys.stderr)

    ready = tools()
    ways = [
        way.name
        for way in WAYS
        if (not chosen.only or way.name in chosen.only) and (ready.relay or "relay" not in way.name)
    ]
    planned = series(chosen.rounds, ways, quick=chosen.quick)
    bounded_size = MEDIUM if chosen.quick else LARGE
    media = files(FOLDER / "media", [*{one.size for one in planned}, bounded_size])
    os.sched_setaffinity(0, {cores[1]})
    limit = chosen.memory_limit * MIB
    with servers(ready, FOLDER / "media", cores[1]) as running:
        bench = Bench(running, ready, cores[0])
        runs = list(measured(bench, planned, media))
        bounded, how = None, ""
        if limit:
            with memory_bound(limit) as (bound, how):
                bounded = bench.run(Way("ours, bounded", ours_in_its_function), FREE, media[bounded_size], bound)
    found = medians(runs)
    reached = targets(found, bounded if bounded_size == LARGE else None, limit)

    print("One core for what is measured, another for nginx and the bucket; TLS 1.3 on both sides.")
    print(f"ours is {ready.layer.relative_to(ROOT)}: built by the layer's Makefile, so pinned, trimmed and compiled.")
    print(LEGEND)
    print(*table(found, runs), sep="\n")
    if bounded:
        print(
            f"\n{_size(bounded.size)} in the archive function's own process, within {chosen.memory_limit} MiB by {how}:"
        )
        print(f"  {bounded.problem or f'{bounded.seconds:.2f} s, peak {bounded.peak_bytes / 1e6:.0f} MB'}")
    print("\nTargets")
    print(*map(_verdict, reached), sep="\n")
    RESULT.write_text(
        json.dumps(
            {
                "machine": {"cores": len(cores), "kernel": platform.release(), "python": platform.python_version()},
                "runs": [asdict(run) for run in runs],
                "medians": [asdict(run) for run in found.values()],
                "bounded": {"limit": limit, "by": how, "run": asdict(bounded)} if bounded else None,
                "targets": [asdict(target) for target in reached],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
