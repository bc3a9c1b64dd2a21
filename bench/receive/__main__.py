"""`python -m bench.receive`: all of it in about three minutes, or `--quick` in one. Needs taskset and two cores.

Ends with 1 where a receiver or its proof is slower than is wanted.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict

from bench.receive import cold, imports, warm
from bench.receive.functions import bare_write, only_a_client, receiver
from bench.receive.report import rows, table
from bench.receive.rig import DELIVERIES
from bench.tools import alone, layer, others
from local.stack import ROOT

RESULT = ROOT / ".local/bench-receive.json"
BUSY = 0.5  # load above which the figures are not worth much: there are two cores and both are used


def proofs() -> dict[str, float]:
    """CPU microseconds of each way to prove a call, in the environment of the other packages."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "layers/dailies/python")}
    command = [str(others() / "python"), str(ROOT / "bench/receive/proofs.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.receive", description="The receivers against others.")
    options.add_argument("--quick", action="store_true", help="a third of the rounds")
    options.add_argument("--imports", action="store_true", help="only what a receiver imports, and how long that takes")
    chosen = options.parse_args()
    if os.getloadavg()[0] > BUSY:
        print(f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}); read the figures so", file=sys.stderr)
    with alone():
        built = layer()
        if chosen.imports:
            print(*imports.table(built), sep="\n")
            return
        functions = [receiver(name, built) for name in DELIVERIES]
        warmed = warm.measure(functions, bare_write(built), rounds=3 if chosen.quick else 9, deliveries=200)
        started = cold.measure(functions, only_a_client(built), rounds=5 if chosen.quick else 15)
        proven = proofs()
    judged = list(rows(warmed, started, proven))
    figures = {
        "warm": [asdict(one) for one in warmed],
        "cold": [asdict(one) for one in started],
        "proofs": proven,
        "judged": [{**asdict(row), "ratio": row.ratio, "held": row.held} for row in judged],
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(judged))
    if not all(row.held for row in judged):
        raise SystemExit("bench: not all is as it is wanted; the last column tells which")


if __name__ == "__main__":
    main()
