"""A hundred thousand deliveries to one receiver in Lambda's own runtime client: its memory stays flat.

The function and its layer are built as for deployment; AWS is simulated, as fast as Python responds.
"""

import argparse
import json
import time
from itertools import batched
from math import ceil

from bench.receive.functions import receiver
from bench.receive.rig import aws, fresh, started
from bench.tools import alone, layer
from resilience import figures

FUNCTION = "sync_generation"
LOOKS = 10  # polls of the memory
MAX_GROWTH = 2 * 1024 * 1024  # bytes from the first poll to the last: less than one page for ten deliveries


def prove(count: int) -> figures.Figures:
    """Send this number of deliveries; `lost` if one was not recorded or the memory grew."""
    began = time.monotonic()
    looks: dict[int, int] = {}  # bytes of memory, by the number of recorded deliveries
    recorded = 0
    with alone(), aws() as aws_port, started(receiver(FUNCTION, layer()), aws_port) as running:
        for events in batched(fresh(FUNCTION, count), ceil(count / LOOKS), strict=False):
            recorded += sum(json.loads(answer["body"])["result"] == "recorded" for answer in running.answers(events))
            looks[recorded] = running.memory()
    first, *_, last = looks.values()
    growth = last - first
    lost = count - recorded + (growth > MAX_GROWTH)
    return {
        "tried": count,
        "passed": count - lost,
        "lost": lost,
        "megabytes": {str(at): round(size / 1024**2, 2) for at, size in looks.items()},
        "growth_bytes": growth,
        "per_second": round(count / (time.monotonic() - began)),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.soak", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000, help="number of deliveries, at least 20 (100,000)")
    figures.add_option(parser)
    options = parser.parse_args()
    found = prove(options.deliveries)
    figures.keep("memory", found, options.figures)
    print(f"memory: {found}")
    raise SystemExit(figures.code(found))


if __name__ == "__main__":
    main()
