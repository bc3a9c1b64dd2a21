"""`python -m bench.archive.memory`: the cost of a video at each memory size of the archive, in ten minutes.

Lambda assigns a share of a core with the memory. If the host limits the speed, a smaller share costs less and is as
fast; if the core does, a smaller share costs the same and is slower. Each size is a limit on the core of the archive's
complete, warm function, measured from its first request to the last response. The table goes into docs/archive.md.
"""

import argparse
import os
import statistics
import sys

from bench.archive.bounds import core_bound
from bench.archive.media import MIB, files
from bench.archive.report import HOSTS
from bench.archive.runs import Bench
from bench.archive.servers import servers
from bench.archive.targets import CAPPED, FREE, LARGE, TWENTY
from bench.archive.tools import tools
from bench.archive.ways import WAYS, Way, ours_in_its_function
from bench.cost.assumed import CORE_MB
from bench.cost.prices import PRICES
from bench.tools import FOLDER, alone

SIZES_MB = (128, 256, 384, 512, 768, 1024, 1769)


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.archive.memory", description="Measure the archive at each memory size."
    )
    options.add_argument("--rounds", type=int, default=5, help="measurements of each; the median counts (5)")
    options.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES_MB, metavar="MB", help="memory sizes of the function"
    )
    options.add_argument("--large", type=int, default=LARGE // MIB, metavar="MIB", help="the larger medium (1024)")
    options.add_argument("--no-install", action="store_true", help="without nginx and the limit on the core")
    chosen = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("bench: needs two cores, for the archive and for the servers")
    with alone():
        _measure(chosen, cores)


def _measure(chosen: argparse.Namespace, cores: list[int]) -> None:
    needed = frozenset().union(*(way.needs for way in WAYS))
    ready = tools(needed, install=not chosen.no_install)
    large = chosen.large * MIB
    media = files(FOLDER / "media", [TWENTY, large])
    series = [(TWENTY, FREE, chosen.rounds), (TWENTY, CAPPED, chosen.rounds), (large, FREE, 1), (large, CAPPED, 1)]
    os.sched_setaffinity(0, {cores[1]})
    print("| memory, MB | of a core | " + " | ".join(_head(size, host) for size, host, _ in series) + " |")
    print("| --- | --- |" + " --- |" * len(series))
    with servers(ready, FOLDER / "media", cores[1:3]) as running:
        bench = Bench(running, ready, cores[0])
        for megabytes in chosen.sizes:
            cells = [f"{megabytes:,}", f"{megabytes / CORE_MB:.2f}"]
            for size, host, rounds in series:
                with core_bound(min(1.0, megabytes / CORE_MB)) as bound:
                    if not (bound or chosen.no_install):
                        raise SystemExit("bench: only root may make a cgroup for the core here")
                    way = Way("ours, bounded", ours_in_its_function)
                    runs = [bench.run(way, host, media[size], bound or "-") for _ in range(rounds)]
                if broken := [run.problem for run in runs if run.problem]:
                    raise SystemExit(f"bench: failed at {megabytes} MB: {broken[0]}")
                cells.append(_cell(statistics.median(run.seconds for run in runs), megabytes))
            print(f"| {' | '.join(cells)} |")
            sys.stdout.flush()


def _head(size: int, host: str) -> str:
    return f"{size // 1_000_000:,} MB, {HOSTS[host]}"


def _cell(seconds: float, megabytes: int) -> str:
    cost = seconds * megabytes / 1024 * PRICES["gb_seconds"].dollars
    return f"{seconds:.2f} s, ${cost:.2f}"


if __name__ == "__main__":
    main()
