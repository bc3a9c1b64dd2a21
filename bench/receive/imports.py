"""The imports at a receiver's start and their time, by `python -X importtime`, with the built layer."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.receive.functions import Function, only_a_client, receiver
from bench.tools import bare_python

FUNCTION = "sync_generation"
SESSION, PROVIDER = "botocore.session", "dailies.providers.sync"
RUNS = 9
LINE = re.compile(r"^import time: +\d+ \| +(\d+) \| +(\S+)$", re.MULTILINE)
HEAD = "| module | ms |\n|---|--:|"


def table(layer: Path) -> Iterator[str]:
    """Markdown: the slowest modules, in milliseconds with everything that they import first."""
    ours, client = _least(receiver(FUNCTION, layer)), _least(only_a_client(layer))
    yield HEAD
    for module in (SESSION, PROVIDER):
        yield _line(f"`{module}` and what it imports", ours[module])
    yield _line("the rest, and the client that is made", ours["app"] - ours[SESSION] - ours[PROVIDER])
    yield _line("all", ours["app"])
    yield _line("the handler that only makes a `boto3` client", client["app"])


def _least(function: Function) -> dict[str, int]:
    """Microseconds of each module, from the fastest run."""
    command = [str(bare_python()), "-X", "importtime", "-c", "import app"]
    environment = function.environment(aws_port=1)  # no other output is read
    runs = []
    for _ in range(RUNS):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        runs.append({module: int(microseconds) for microseconds, module in LINE.findall(done.stderr)})
    return min(runs, key=lambda run: run["app"])


def _line(what: str, microseconds: int) -> str:
    return f"| {what} | {microseconds / 1000:.0f} |"
