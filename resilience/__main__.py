"""make proof: faults at every step and in transfers, each grant of the roles, flat memory, the state space, a short
fuzzing, another S3 and another DynamoDB, storage under load.

At most twenty minutes on two processors, then one table. Exits with 1 if anything was lost. `docs/resilience.md`
explains each line. The figures are written to .local/resilience.json. `--quick` runs each part with its shortest
options, which only shows that the proof works; its figures are in .local/proof-quick.json.
"""

import argparse
import subprocess
import sys
import time

from local.stack import ROOT
from resilience import figures
from resilience.parts import PARTS, Part
from resilience.table import table


def main() -> None:
    names = [name for together in PARTS for name in together]
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: all; {', '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="run each part with its shortest options")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(names):
        parser.error(f"no part is called {', '.join(unknown)}; there are: {', '.join(names)}")
    path = figures.QUICK if options.quick else figures.PATH
    wanted = options.parts or names
    began = time.monotonic()
    figures.forget(wanted, path)
    ended: dict[str, int] = {}
    for together in PARTS:
        parts = {name: part for name, part in together.items() if name in wanted}
        running = {
            name: subprocess.Popen([*(["nice"] if place else []), *_command(part, quick=options.quick)], cwd=ROOT)
            for place, (name, part) in enumerate(parts.items())
        }
        try:
            ended |= {
                name: process.wait() for name, process in running.items()
            }  # all, whatever exit code the first one has
        finally:
            for process in running.values():
                process.terminate()
    kept = figures.kept(path)
    print(f"\n{table(kept, ended)}\n\nproof: {(time.monotonic() - began) / 60:.1f} minutes")
    if any(ended.values()) or not ended.keys() <= kept.keys():
        raise SystemExit("proof: something was lost, or did not end; what and where is told above")


def _command(part: Part, *, quick: bool) -> list[str]:
    return [sys.executable, "-m", part.module, *part.options(quick=quick)]


if __name__ == "__main__":
    main()
