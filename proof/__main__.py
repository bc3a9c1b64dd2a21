"""make proof: faults at every step, sent is stored under load, flat memory, the state space, a short fuzzing.

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

# By the names of their figures. Those of one line run at once: none of them keeps two processors busy by itself.
PARTS: Sequence[Mapping[str, Sequence[str]]] = (
    {"memory": ("proof.memory",), "states": ("proof.states", "--machines", "150")},
    {"faults": ("proof.faults",)},
    {"load": ("proof.load",)},
    {"short fuzz": ("proof.fuzz", "--runs", "0", "--seconds", "8")},
)


def main() -> None:
    argparse.ArgumentParser(prog="make proof", description=__doc__).parse_args()
    began = time.monotonic()
    figures.forget([part for together in PARTS for part in together])
    failed = False
    for together in PARTS:
        running = [subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT) for command in together.values()]
        try:
            codes = [part.wait() for part in running]  # all of them, whatever the first ends with
            failed |= any(codes)
        finally:
            for part in running:
                part.terminate()
    print(f"\n{table(figures.kept())}\n\nproof: {(time.monotonic() - began) / 60:.0f} minutes")
    if failed:
        raise SystemExit("proof: something was lost, or did not end; what and where is told above")


if __name__ == "__main__":
    main()
