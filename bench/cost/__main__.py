"""`python -m bench.cost`: write docs/cost.md, or compare with another revision."""

import argparse
from difflib import unified_diff

from bench.cost.compared import compared
from bench.cost.page import PAGE, page
from local.stack import ROOT


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.cost", description="Compute the cost of a million calls.")
    options.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the page is out of date")
    options.add_argument(
        "--against", metavar="REVISION", help="write nothing; print the cost at this revision, and the ratio"
    )
    chosen = options.parse_args()
    if chosen.against:
        print(*compared(chosen.against), sep="\n")
        return
    name, written, counted = str(PAGE.relative_to(ROOT)), PAGE.read_text(), page()
    if not chosen.check:
        PAGE.write_text(counted)
        print(f"cost: wrote {name}")
    elif written == counted:
        print(f"cost: {name} is up to date")
    else:
        print(*unified_diff(written.splitlines(), counted.splitlines(), name, "counted", lineterm="", n=0), sep="\n")
        raise SystemExit(f"cost: {name} is out of date; run `python -m bench.cost` to write it")


if __name__ == "__main__":
    main()
