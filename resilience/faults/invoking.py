"""Lambda's part: invokes a function in a process of its own, and returns the result."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resilience.faults.fault_proxy import Slot

WORKER = Path(__file__).parent / "worker.py"
PATIENCE = 120.0  # max seconds for an invocation, which takes long on a busy machine


@dataclass(frozen=True)
class Function:
    """A deployed function as Lambda sees it: the path of its app.py, and its environment with the role's
    credentials."""

    name: str
    app: Path
    environment: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """An invocation's result and its seconds: the function's result, its error, or that the process ended."""

    result: Any = None
    error: str = ""
    gone: bool = False
    seconds: float = 0.0

    @property
    def done(self) -> bool:
        return not self.error and not self.gone


class Lambda:
    """Invokes functions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.invocations = 0

    def invoke(self, function: Function, event: Any, slot: Slot) -> Outcome:
        """Run one cold invocation, whose calls go through the slot."""
        self.invocations += 1
        began = time.monotonic()
        slot.invoked(function.name)
        asked = {
            "app": str(function.app),
            "environment": {**function.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{slot.port}"},
            "event": event,
            "seconds": function.seconds,
        }
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self._path))
            with connection.makefile("rw") as wire:
                wire.write(json.dumps(asked) + "\n")
                wire.flush()
                pid = json.loads(wire.readline())["pid"]
                slot.kill = lambda: _kill(pid)
                told = ""
                try:
                    with suppress(ConnectionResetError):
                        told = wire.readline()
                except TimeoutError:
                    _kill(pid)
        seconds = time.monotonic() - began
        if not told:
            return Outcome(gone=True, seconds=seconds)
        said = json.loads(told)
        error = f"{said['error']} at {said['at']}" if "error" in said else ""
        return Outcome(said.get("result"), error, seconds=seconds)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def lambda_service(folder: Path, layer: Path) -> Iterator[Lambda]:
    """Lambda, while the context is open; `functions.log` in the folder has the functions' output."""
    path = folder / "worker.socket"
    for left in (path, folder / "functions.log"):  # left by an earlier run
        left.unlink(missing_ok=True)
    interpreter = str(Path(sys.executable).resolve())  # not .venv's: only the layer may be imported
    environment = {"PATH": os.defpath, "PYTHONPATH": str(layer), "LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
    command = [interpreter, "-P", str(WORKER), str(path), str(folder / "functions.log")]
    with subprocess.Popen(command, env=environment) as process:
        deadline = time.monotonic() + PATIENCE
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield Lambda(path)
        finally:
            process.kill()
            path.unlink(missing_ok=True)
