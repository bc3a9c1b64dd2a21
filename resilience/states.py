"""The state space: one job in any interleaving of all that can happen to it, against a model of a job.

The machine is the tests' (resilience/state_machine.py); here it runs for long. What the functions log is thrown away.
"""

import argparse
import contextlib
import os
import time
import traceback
from pathlib import Path

from resilience import figures
from resilience.state_machine import TALLY, run
from testkit.fixtures.aws import account

NEWS = ("deliveries", "poll events", "archive events")


def prove(machines: int, steps: int) -> figures.Figures:
    """Run so many machines of at most so many steps. `lost` where the row and the model part, or anything is raised:
    then that is printed, with the shortest way to it, and `failed` says it in a line."""
    began = time.monotonic()
    failed = {}
    with account() as cloud, Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            run(cloud, machines=machines, steps=steps)
        except Exception as error:  # noqa: BLE001  whatever the functions raise is found, as a wrong row is
            traceback.print_exception(error)
            failed = {"failed": traceback.format_exception_only(error)[0].strip().partition("\n")[0]}
    return {
        "tried": TALLY["agreed"] + len(failed),
        "passed": TALLY["agreed"],
        "lost": len(failed),
        **failed,
        "machines": machines,
        "steps": steps,
        "done": dict(sorted(TALLY.items())),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.states", description=__doc__)
    parser.add_argument("--machines", type=int, default=60)
    parser.add_argument("--steps", type=int, default=50)
    figures.add_option(parser)
    options = parser.parse_args()
    found = prove(options.machines, options.steps)
    figures.keep("states", found, options.figures)
    print(f"states: {options.machines} machines; the row and the model agreed {found['passed']} times; {found['done']}")
    raise SystemExit(figures.code(found))


if __name__ == "__main__":
    main()
