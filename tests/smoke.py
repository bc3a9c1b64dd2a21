"""make smoke: every script from end to end, as short as it goes, within a minute on two processors.

A short run measures and proves little, but it shows that the script still works. What each prints is in
.local/smoke/<name>.log; what it leaves out on this machine is printed here too. Ends with 1 and the names of the
scripts that broke. `tests/test_smoke.py` holds that no script is missing here.
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
LAST_WORDS = 40  # lines of a script that broke
LEFT_OUT = "Left out: "


@dataclass(frozen=True)
class Script:
    """A script's name, and the options that make it short."""

    name: str
    options: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """How it is run."""
        return [sys.executable, "-m", self.name, *self.options]


LOAD = PARTS[-1]["load"]
WITHOUT_LOAD = [name for together in PARTS for name in together if name != "load"]

# One after the other in a lane, the lanes beside each other. The load comes before the pictures: it starts the
# receivers anew.
LANES: Sequence[Sequence[Script]] = (
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


def run(lane: Sequence[Script], folder: Path = FOLDER) -> list[str]:
    """One after the other, until one breaks; returns the names of those that did. The last one comes in any case: it
    ends what the others have left."""
    broken: list[str] = []
    for script in lane:
        if broken and script is not lane[-1]:
            continue
        began, path = time.monotonic(), folder / f"{script.name}.log"
        with path.open("w") as log:
            environment = {**os.environ, "DAILIES_LOCAL": str(STACK)}
            code = subprocess.run(
                script.command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            ).returncode
        lines = path.read_text(errors="replace").splitlines()
        verdict = f"BROKEN: it ended with {code}" if code else "" if lines else "BROKEN: it has printed nothing"
        print(f"smoke: {script.name:16}{time.monotonic() - began:6.1f} s  {verdict or 'runs'}", flush=True)
        for line in lines[-LAST_WORDS:] if verdict else (line for line in lines if line.startswith(LEFT_OUT)):
            print(f"         {line}", flush=True)
        if verdict:
            broken.append(script.name)
    return broken


def main() -> None:
    argparse.ArgumentParser(prog="make smoke", description=__doc__).parse_args()
    began = time.monotonic()
    STACK.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(LANES)) as lanes:
        broken = [name for lane in lanes.map(run, LANES) for name in lane]
    print(f"smoke: {time.monotonic() - began:.0f} s; {FOLDER} has what each has printed")
    if broken:
        raise SystemExit(f"smoke: broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()
