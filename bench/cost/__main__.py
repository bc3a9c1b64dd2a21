"""`python -m bench.cost`: write docs/cost.md, or compare with another revision."""

import argparse
from difflib import unified_diff

from bench.cost.compared import compared
from bench.cost.page import PAGE, page
from local.stack import ROOT


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.cost", description="What a million calls cost.")
    options.add_argument("--check", action="store_true", help="write nothing; end with 1 where the page says otherwise")
    options.add_argument("--against", metavar="REVISION", help="write nothing; print what it cost there, and the ratio")
    chosen = options.parse_args()
    if chosen.against:
        print(*compared(chosen.against), sep="\n")
        return
    name, written, counted = str(PAGE.relative_to(ROOT)), PAGE.read_text(), page()
    if not chosen.check:
        PAGE.write_text(counted)
        print(f"cost: wrote {name}")
    elif written == counted:
        print(f"cost: {name} says what is counted")
    else:
        print(*unified_diff(written.splitlines(), counted.splitlines(), name, "counted", lineterm="", n=0), sep="\n")
        raise SystemExit(f"cost: {name} says otherwise than what is counted; `python -m bench.cost` writes it anew")


if __name__ == "__main__":
    main()
