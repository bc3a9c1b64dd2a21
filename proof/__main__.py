"""make proof: faults at every step and in transfers, each grant of the roles, flat memory, the state space, a short
fuzzing, sent is stored under load.

At most twenty minutes on two processors; then one table. Ends with 1 where anything was lost. `docs/proof.md` says what
each line means. The figures are kept in .local/proof.json.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from local.stack import ROOT
from proof import figures
from proof.table import table

# By the names of their figures, one after the other, or at once: then the first takes what it can of the processors,
# the others what is left. The matrix waits often enough for all that needs no speed.
PARTS: Sequence[Mapping[str, Sequence[str]]] = (
    {
        "faults": ("proof.faults",),
        "memory": ("proof.memory",),
        "roles": ("proof.roles",),
        "states": ("proof.states", "--machines", "60"),
        "short fuzz": ("proof.fuzz", "--runs", "0", "--seconds", "3"),
    },
    {"transfers": ("proof.transfers",)},  # by itself: its timeouts are two and three seconds
    {"load": ("proof.load",)},
)


def main() -> None:
    argparse.ArgumentParser(prog="make proof", description=__doc__).parse_args()
    began = time.monotonic()
    figures.forget([part for together in PARTS for part in together])
    ended: dict[str, int] = {}
    for together in PARTS:
        running = {
            part: subprocess.Popen([*(["nice"] if place else []), sys.executable, "-m", *command], cwd=ROOT)
            for place, (part, command) in enumerate(together.items())
        }
        try:
            ended |= {part: process.wait() for part, process in running.items()}  # all, whatever the first ends with
        finally:
            for process in running.values():
                process.terminate()
    kept = figures.kept()
    print(f"\n{table(kept, ended)}\n\nproof: {(time.monotonic() - began) / 60:.0f} minutes")
    if any(ended.values()) or not ended.keys() <= kept.keys():
        raise SystemExit("proof: something was lost, or did not end; what and where is told above")


if __name__ == "__main__":
    main()
