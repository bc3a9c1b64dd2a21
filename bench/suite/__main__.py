"""`python -m bench.suite`: run the tests of two builds in turn, or of one build repeatedly.

    python -m bench.suite compare 285269f                A B: that one, and the last commit here
    python -m bench.suite compare 285269f --rounds 2     A B A B
    python -m bench.suite repeat --quiet 6 --burners 3 --one-core 2 --busy-disk 1
    python -m bench.suite repeat --here --quiet 1        the working tree as it is, not the last commit

`compare` exits with 1 if a run of the later build fails, `repeat` if any run fails. The figures are also in
.local/bench-suite.json.
"""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.suite.checkout import Checkout, Outcome, clone, here
from bench.suite.loads import LOADS
from bench.suite.report import LEGEND, Build, Repeated, comparison, listed
from bench.tools import alone
from local.stack import ROOT

RESULT = ROOT / ".local/bench-suite.json"
LOGS = ROOT / ".local/bench/suite"  # each run's output
BUSY = 0.5  # load above which the figures are unreliable


def compare(revisions: Sequence[str], rounds: int, tests: Sequence[str], folder: Path) -> list[Build]:
    """Run both in turn. Each is set up once, even if it is compared with itself."""
    found = {revision: clone(revision, folder) for revision in dict.fromkeys(revisions)}
    set_up = {}
    for revision, checkout in found.items():
        _tell(f"{revision}: set-up")
        set_up[revision] = checkout.set_up(LOGS / f"compare-{checkout.commit}-set-up.log")
    runs: list[list[Outcome]] = [[] for _ in revisions]
    for turn in range(rounds):
        for place, revision in enumerate(revisions):
            _tell(f"{revision}: tests, run {turn + 1} of {rounds}")
            log = LOGS / f"compare-{'ab'[place]}{turn + 1}.log"
            runs[place].append(found[revision].test(tests, (), log))
    _tell("")
    return [Build(found[revision], set_up[revision], runs[place]) for place, revision in enumerate(revisions)]


def repeat(
    checkout: Checkout, planned: Sequence[str], burners: int, tests: Sequence[str], folder: Path
) -> list[Repeated]:
    """Run one after the other, each under its load. Prints each result at its end."""
    _tell(f"{checkout.name}: set-up")
    checkout.set_up(LOGS / "repeat-set-up.log")
    runs: list[Repeated] = []
    for number, load in enumerate(planned, 1):
        _tell(f"{checkout.name}: run {number} of {len(planned)}, {load}")
        with LOADS[load](folder, burners) as prefix:
            runs.append(Repeated(load, checkout.test(tests, prefix, LOGS / f"repeat-{number:02}-{load}.log")))
        _tell("")
        print(*listed(number, runs[-1]), sep="\n", flush=True)
        _keep("repeat", [asdict(run) for run in runs])
    return runs


def _tell(what: str) -> None:
    print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that running commands are ended with us, as by Ctrl-C
    options = argparse.ArgumentParser(
        prog="python -m bench.suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = options.add_subparsers(dest="command", required=True)
    comparing = commands.add_parser("compare", help="run two builds in turn")
    comparing.add_argument("base", help="the revision to compare with")
    comparing.add_argument("revision", nargs="?", default="HEAD", help="the later revision (HEAD)")
    comparing.add_argument("--rounds", type=int, default=1, help="runs of each build (1)")
    repeating = commands.add_parser("repeat", help="run one build repeatedly")
    repeating.add_argument("revision", nargs="?", default="HEAD", help="the revision (HEAD)")
    repeating.add_argument("--here", action="store_true", help="use the working tree as it is, not a revision")
    for load in LOADS:
        repeating.add_argument(f"--{load}", type=int, default=0, metavar="RUNS", help=f"runs, {LOADS[load].__doc__}")
    repeating.add_argument("--burner-processes", type=int, default=4, help="processes per run with burners (4)")
    for command in (comparing, repeating):
        command.add_argument("--tests", nargs="+", default=[], help="only these tests, as for pytest")
        command.add_argument("--folder", type=Path, help="temporary folder for the clones (the system's)")
    chosen = options.parse_args()
    if os.getloadavg()[0] > BUSY:
        print(
            f"bench: the machine is busy (load {os.getloadavg()[0]:.1f}), so the figures are unreliable",
            file=sys.stderr,
        )
    LOGS.mkdir(parents=True, exist_ok=True)
    with alone(), tempfile.TemporaryDirectory(dir=chosen.folder, prefix="dailies-suite-") as folder:
        if chosen.command == "compare":
            builds = compare([chosen.base, chosen.revision], chosen.rounds, chosen.tests, Path(folder))
            _keep("compare", [asdict(build) for build in builds])
            print(*comparison(*builds), sep="\n")
            problems = [run.problem for run in builds[-1].runs]
        else:
            planned = [load for load in LOADS for _ in range(getattr(chosen, load.replace("-", "_")))]
            if not planned:
                repeating.error("give a number of runs, such as --quiet 6")
            checkout = here() if chosen.here else clone(chosen.revision, Path(folder))
            runs = repeat(checkout, planned, chosen.burner_processes, chosen.tests, Path(folder))
            problems = [run.tests.problem for run in runs]
            print(f"{len(runs)} runs, {sum(map(bool, problems))} failed. {LEGEND}")
    if any(problems):
        raise SystemExit(f"bench: a run failed; each run's output is in {LOGS}")


def _keep(command: str, figures: Any) -> None:
    """Store the figures beside those of the other command."""
    kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    machine = {"kernel": platform.release(), "processor": platform.machine(), "cores": len(os.sched_getaffinity(0))}
    RESULT.write_text(json.dumps({**kept, "machine": machine, command: figures}, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
