"""make smoke: run every script with its shortest options, within a minute on two processors.

A short run measures and tests little, but it shows that the script still works. Each script's output is in
.local/smoke/<name>.log; what it leaves out on this machine is printed here too. Exits with 1 and the names of the
failed scripts. `tests/test_smoke.py` checks that no script is missing here.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT
from resilience.parts import PARTS

FOLDER = ROOT / ".local/smoke"
STACK = FOLDER / "stack"
MAX_LINES = 40  # of a failed script's output
LEFT_OUT = "Left out: "


@dataclass(frozen=True)
class Script:
    """A script's name, and the options that make it short."""

    name: str
    options: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", self.name, *self.options]


LOAD = PARTS[-1]["load"]
WITHOUT_LOAD = [name for together in PARTS for name in together if name != "load"]

# The scripts of a sequence run one after the other, the sequences in parallel. The load comes before the pictures,
# because it restarts the receivers.
SEQUENCES: Sequence[Sequence[Script]] = (
    (
        Script("local.up"),
        Script("resilience.load", (*LOAD.options(quick=True), "--folder", str(STACK), "--running")),
        Script("bench.delay", ("--calls", "3", "--running", str(STACK))),
        Script("demo.pictures", ("--folder", str(FOLDER / "pictures"))),
        Script("demo.invoke", ("--check", "sync_generation/completed")),
        Script("local.down"),
    ),
    (Script("resilience", ("--quick", *WITHOUT_LOAD)),),
    (
        Script("bench.cost", ("--check",)),
        Script("local.retained", ("dailies-Table-1", "dailies-mediabucket-1")),
        Script("simulators.recorded_events", ("--check",)),
        Script("bench.receive", ("--rounds", "1", "--deliveries", "20", "--no-install")),
        Script("bench.archive", ("--rounds", "1", "--quick", "32", "--no-install")),
        Script("bench.archive.memory", ("--rounds", "1", "--sizes", "512", "--large", "32", "--no-install")),
        Script("bench.suite", ("repeat", "--here", "--one-core", "1", "--tests", "tests/unit/test_timestamps.py")),
    ),
)


def run(sequence: Sequence[Script], folder: Path = FOLDER) -> list[str]:
    """Run the scripts until one fails; returns the names of the failed ones. The last one always runs: it stops
    what the others have started."""
    broken: list[str] = []
    for script in sequence:
        if broken and script is not sequence[-1]:
            continue
        began, path = time.monotonic(), folder / f"{script.name}.log"
        with path.open("w") as log:
            environment = {**os.environ, "DAILIES_LOCAL": str(STACK)}
            code = subprocess.run(
                script.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            ).returncode
        lines = path.read_text(errors="replace").splitlines()
        verdict = f"FAILED: exit code {code}" if code else "" if lines else "FAILED: no output"
        print(f"smoke: {script.name:16}{time.monotonic() - began:6.1f} s  {verdict or 'ok'}", flush=True)
        for line in lines[-MAX_LINES:] if verdict else (line for line in lines if line.startswith(LEFT_OUT)):
            print(f"         {line}", flush=True)
        if verdict:
            broken.append(script.name)
    return broken


def main() -> None:
    argparse.ArgumentParser(prog="make smoke", description=__doc__).parse_args()
    began = time.monotonic()
    STACK.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(SEQUENCES)) as pool:
        broken = [name for failed in pool.map(run, SEQUENCES) for name in failed]
    print(f"smoke: {time.monotonic() - began:.0f} s; the output of each is in {FOLDER}")
    if broken:
        raise SystemExit(f"smoke: failed: {', '.join(broken)}")


if __name__ == "__main__":
    main()
