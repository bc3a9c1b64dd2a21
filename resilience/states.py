"""The state space: one job in any interleaving of all events that can happen to it, compared with a model.

It is the tests' state machine (resilience/state_machine.py) in a long run. Discards the functions' logs.
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
    """Run at most `machines` machines of at most `steps` steps. `lost` if the row differs from the model, or an
    exception is raised. Then it prints the exception and the shortest way to it; `failed` has a line about it."""
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
    print(f"states: {options.machines} machines; row and model agreed {found['passed']} times; {found['done']}")
    raise SystemExit(figures.code(found))


if __name__ == "__main__":
    main()
