"""`python -m bench.receive`: all measurements in about three minutes, or `--quick` in one. Needs taskset and two cores.

    python -m bench.receive --against 285269f    that revision's receivers in the same rounds, in columns of their own

Exits with 1 if a receiver or its verification exceeds its bound. One round is too little to judge: then all is measured
and printed, and the exit code is 0.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.receive import cold, imports, warm
from bench.receive.functions import bare_write, only_a_client, receiver, receiver_of
from bench.receive.report import rows, table
from bench.receive.revision import build
from bench.receive.rig import DELIVERIES
from bench.tools import alone, installed, layer, others
from local.stack import ROOT

RESULT = ROOT / ".local/bench-receive.json"
PEERS = ("standardwebhooks", "svix", "stripe")  # packages that verify a call as we do
BUSY = 0.5  # load above which the figures are unreliable: there are two cores and both are used


def verifications(programs: Path, packages: Sequence[str], calls: int) -> dict[str, float]:
    """CPU microseconds of each way to verify a call, in the other packages' environment."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "layers/dailies/python")}
    command = [str(programs / "python"), str(ROOT / "bench/receive/verification.py"), str(calls), *packages]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m bench.receive", description="Compare the receivers with other code."
    )
    options.add_argument(
        "--rounds", type=int, default=9, help="rounds of warm deliveries; 5 cold starts for each 3 (9)"
    )
    options.add_argument("--quick", action="store_const", dest="rounds", const=3, help="three rounds")
    options.add_argument("--deliveries", type=int, default=200, help="deliveries per function in a warm round (200)")
    options.add_argument("--against", metavar="REVISION", help="measure the receivers of this revision too")
    options.add_argument(
        "--no-install", action="store_true", help="compare with installed packages only, and list the missing ones"
    )
    options.add_argument("--imports", action="store_true", help="only show a receiver's imports and their time")
    chosen = options.parse_args()
    if os.getloadavg()[0] > BUSY:
        print(
            f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}), so the figures are unreliable",
            file=sys.stderr,
        )
    with alone():
        built = layer()
        if chosen.imports:
            print(*imports.table(built), sep="\n")
            return
        functions = [receiver(name, built) for name in DELIVERIES]
        if chosen.against:
            other = build(chosen.against)
            functions += [receiver_of(other, name) for name in DELIVERIES]
        warmed = warm.measure(functions, bare_write(built), rounds=chosen.rounds, deliveries=chosen.deliveries)
        started = cold.measure(functions, only_a_client(built), rounds=chosen.rounds * 5 // 3)
        own = [one for one in functions if not one.revision]
        restored = cold.measure_restores(own, rounds=chosen.rounds * 5 // 3)
        programs = others(install=not chosen.no_install)
        peers = installed(programs, PEERS)
        proven = verifications(programs, list(peers), calls=10 * chosen.deliveries)
    judged = list(rows(warmed, started, proven, restored))
    left_out = [f"Left out: {name}, which is not installed" for name in PEERS if name not in peers]
    figures = {
        "warm": [asdict(one) for one in warmed],
        "cold": [asdict(one) for one in started],
        "restored": [asdict(one) for one in restored],
        "proofs": proven,
        "left_out": left_out,
        "judged": [{**asdict(row), "ratio": row.ratio, "held": row.held} for row in judged],
    }
    RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(judged, chosen.against), *left_out, sep="\n")
    if chosen.rounds == 1:
        print("Not judged: one round is too little.")
    elif not all(row.held for row in judged):
        raise SystemExit("bench: a bound is exceeded; see the last column")


if __name__ == "__main__":
    main()
