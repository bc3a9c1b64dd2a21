"""Run the fault matrix and print the results."""

import argparse
from pathlib import Path

from local.stack import ROOT
from resilience import figures
from resilience.faults.matrix import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m resilience.faults", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local/proof", help="folder of its stack")
    parser.add_argument("--only", default="", help="only the calls whose name contains this")
    parser.add_argument("--scenarios", default="", help="only the scenarios whose name matches this pattern")
    figures.add_option(parser)
    options = parser.parse_args()
    result = run(options.folder.resolve(), only=options.only, scenarios=options.scenarios)
    figures.keep_whole("faults", result, options, part_of_it=options.only or options.scenarios)
    wrong = result["tried"] - result["passed"] + len(result["never_needed"]) + result["leaks"]
    raise SystemExit(1 if wrong else figures.code(result))


if __name__ == "__main__":
    main()
