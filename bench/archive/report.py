"""The results: a table, the targets, and a file with everything."""

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median_low

from bench.archive.media import GIB, MIB
from bench.archive.runs import Run
from bench.archive.servers import CAP
from bench.archive.targets import CAPPED, FREE, Medians, Target
from bench.archive.tools import Tools
from bench.archive.ways import OURS, WAYS
from local.stack import ROOT

RESULT = ROOT / ".local/bench-archive.json"
HOSTS = {FREE: "free host", CAPPED: f"{CAP // MIB} MiB/s per connection"}
COLUMNS = ("seconds", "x ours", "process", "CPU s", "x ours", "peak MB", "requests", "S3 calls", "servers", "runs")
LEGEND = """\
One core for the competitors, another core or more for {host} and the bucket (simulators.s3). TLS 1.3 on both sides.
ours is the layer as built for Lambda: pinned, botocore's data trimmed, compiled.
seconds    from the first request to a server to its last response
process    seconds with the program's start and end
CPU s      of the whole process, all threads
peak MB    in 10^6 bytes, of the largest process
requests   to the media host
servers    load of the host's and the bucket's core: near 100 %, the servers limit the result"""
OWN_HOST = "the media host in Python, slower than nginx,"


@dataclass(frozen=True)
class Bounded:
    """A run within a memory limit of `limit` bytes; `how` is the kind of limit."""

    run: Run
    limit: int
    how: str


def medians(runs: Sequence[Run]) -> Medians:
    """For each host, size and competitor: the run with the median seconds, with the median CPU and the peak memory."""
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


def table(found: Medians, runs: Sequence[Run]) -> Iterator[str]:
    """The figures, a block for each host and size."""
    for host, size in dict.fromkeys((host, size) for host, size, _ in found):
        yield ""
        yield f"{f'{size_in_words(size)}, {HOSTS[host]}':<34}" + "".join(f"{name:>9}" for name in COLUMNS)
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


def size_in_words(size: int) -> str:
    """A size such as 64 MiB or 20 MB."""
    return f"{size // GIB} GiB" if size >= GIB else f"{size // MIB} MiB" if size % MIB == 0 else f"{size / 1e6:.0f} MB"


def _verdict(target: Target) -> str:
    word = {True: "yes", False: "NO", None: "not measured"}[target.reached]
    return f"  {word:<14}{target.what}{': ' if target.measured else ''}{target.measured}"


def report(
    runs: Sequence[Run], found: Medians, bounded: Bounded | None, reached: Sequence[Target], ready: Tools
) -> Iterator[str]:
    """Everything that is printed, line by line."""
    yield LEGEND.format(host="nginx" if ready.nginx else OWN_HOST)
    if ready.versions:
        yield f"Compared with {', '.join(map(' '.join, ready.versions.items()))}."
    yield from left_out(ready)
    yield from table(found, runs)
    if bounded:
        run = bounded.run
        yield f"\n{size_in_words(run.size)} in the archive function's own process, within {bounded.limit // MIB} MiB"
        yield f"  by {bounded.how}: {run.problem or f'{run.seconds:.2f} s, peak {run.peak_bytes / 1e6:.0f} MB'}"
    yield "\nTargets"
    if any(target.measured for target in reached):
        yield from map(_verdict, reached)
    else:
        yield "  need other sizes"


def left_out(ready: Tools) -> Iterator[str]:
    """The competitors that are left out on this machine, with the missing program; nginx too."""
    if ready.nginx is None:
        yield "Left out: nginx, which is not installed"
    for way in WAYS:
        if lacking := way.needs & ready.missing:
            yield f"Left out: {way.name}, which needs {' and '.join(sorted(lacking))}"


def write(
    runs: Sequence[Run], found: Medians, bounded: Bounded | None, reached: Sequence[Target], ready: Tools
) -> None:
    """Write everything as JSON, every run included. Seconds and bytes."""
    told = {
        "machine": {"kernel": platform.release(), "python": platform.python_version(), "processor": platform.machine()},
        "compared_with": ready.versions,
        "left_out": list(left_out(ready)),
        "runs": [asdict(run) for run in runs],
        "medians": [asdict(run) for run in found.values()],
        "bounded": asdict(bounded) if bounded else None,
        "targets": [asdict(target) for target in reached],
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n")
