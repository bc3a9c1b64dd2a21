"""The cost of a million at another revision and at this one: the counts of both, at today's prices."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.cost.wanted import bounds
from local.stack import ROOT

# The inputs of bounds(). The prices are this revision's: only the counts differ.
FILES = (
    "bench/__init__.py",
    "bench/cost/__init__.py",
    *(f"bench/cost/{name}.py" for name in ("assumed", "counted", "wanted")),
)
PRICES = "bench/cost/prices.py"
PRINT = """\
import json
from dataclasses import asdict
from bench.cost.wanted import bounds
print(json.dumps([asdict(bound) for bound in bounds()]))
"""


def compared(revision: str) -> Iterator[str]:
    """The lines of a table: dollars for a million at both revisions, and the ratio. Raises SystemExit with one line for
    an unknown revision."""
    then = {(bound["thing"], bound["webhook"]): bound for bound in _bounds_at(revision)}
    yield f"{'dollars for a million':<28}{'':<28}{revision[:12]:>12}{'here':>9}{'ratio':>8}"
    for now in bounds():
        before = then[now.thing, now.webhook]
        for which, cost in (("usual", now.usual), ("dearest", now.dearest)):
            what = f"{now.webhook}, {which}"
            yield f"{now.thing:<28}{what:<36}{before[which]:>4.2f}{cost:>9.2f}{cost / before[which]:>8.3f}"


def _bounds_at(revision: str) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        for name in FILES:
            shown = subprocess.run(["git", "show", f"{revision}:{name}"], cwd=ROOT, capture_output=True, check=False)
            if shown.returncode:
                raise SystemExit(f"cost: git has no {name} at {revision}: {shown.stderr.decode().strip()}")
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(shown.stdout)
        Path(folder, PRICES).write_bytes((ROOT / PRICES).read_bytes())
        python = [sys.executable, "-c", PRINT]
        done = subprocess.run(python, cwd=folder, env={"PYTHONPATH": folder}, capture_output=True, check=True)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found
