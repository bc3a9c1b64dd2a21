"""`python -m bench.receive`: all of it in about three minutes, or `--quick` in one. Needs taskset and two cores."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from bench.receive import cold, warm
from bench.receive.functions import bare_write, only_a_client, receiver
from bench.receive.rig import DELIVERIES
from bench.tools import alone, layer, others
from local.stack import ROOT

RESULT = ROOT / ".local/bench-receive.json"
MOST_WARM, MOST_COLD = 1.15, 1.25  # times what it is compared with
BUSY = 0.5  # load above which the figures are not worth much: there are two cores and both are used
WIDTH = 28


def proofs() -> dict[str, float]:
    """CPU microseconds of each way to prove a call, in the environment of the other packages."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "layers/dailies/python")}
    command = [str(others() / "python"), str(ROOT / "bench/receive/proofs.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(title: str, unit: str, figures: Mapping[str, float], compared_with: str, most: float | None) -> Iterator[str]:
    """The figures, each with its ratio to one of them."""
    yield ""
    yield f"{title}"
    one = figures[compared_with]
    for name, figure in figures.items():
        judged = (
            ""
            if most is None or name == compared_with
            else f"   at most {most}: {'yes' if figure / one <= most else 'no'}"
        )
        yield f"  {name:{WIDTH}} {figure:9.1f} {unit}  {figure / one:5.2f}x{judged}"


def report(warmed: Sequence[warm.Warm], started: Sequence[cold.Cold], proven: Mapping[str, float]) -> Iterator[str]:
    """All three tables."""
    yield from table(
        "Warm, CPU per delivery, against one bare boto3 put_item of the same row",
        "µs",
        {one.name: one.microseconds for one in warmed},
        warmed[-1].name,
        MOST_WARM,
    )
    yield from table(
        "Cold, from the start of Lambda's emulator to the first answer, against a handler that only makes a client",
        "ms",
        {one.name: one.milliseconds for one in started},
        started[-1].name,
        MOST_COLD,
    )
    yield from table("The proof alone, of a body of 1 KB, CPU", "µs", proven, "ours", None)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.receive", description="The receivers against others.")
    options.add_argument("--quick", action="store_true", help="a third of the rounds")
    quick = options.parse_args().quick
    if os.getloadavg()[0] > BUSY:
        print(f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}); read the figures so", file=sys.stderr)
    with alone():
        built = layer()
        functions = [receiver(name, built) for name in DELIVERIES]
        warmed = warm.measure(functions, bare_write(built), rounds=3 if quick else 9, deliveries=200)
        started = cold.measure(functions, only_a_client(built), rounds=5 if quick else 15)
        proven = proofs()
    figures = {
        "warm": [asdict(one) for one in warmed],
        "cold": [asdict(one) for one in started],
        "proofs": proven,
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    print(*report(warmed, started, proven), sep="\n")


if __name__ == "__main__":
    main()
