"""Cold starts: from the start of Lambda's Runtime Interface Emulator to a new process's first response.
And with SnapStart: from the fork of an initialised process to the fork's first response."""

import os
import platform
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import urllib3

from bench.receive.functions import Function
from bench.receive.rig import aws, fresh, initialised
from bench.tools import bare_python
from local import ports
from local.stack import ROOT, StackError

RAPID = ".local/sam/lib/python3*/site-packages/samcli/local/rapid"  # ships inside the SAM command
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
INVOKE = "/2015-03-31/functions/function/invocations"
PATIENCE = 30.0  # max seconds; a cold start takes less than one


@dataclass(frozen=True)
class Cold:
    """Median milliseconds from the emulator's start to the first response, and those of each start. `revision`: empty
    for the working tree."""

    name: str
    milliseconds: float
    rounds: list[float]
    revision: str = ""


def emulator() -> Path:
    """The emulator's program for this machine."""
    name = f"aws-lambda-rie-{ARCHITECTURES.get(platform.machine(), platform.machine())}"
    found = next(ROOT.glob(f"{RAPID}/{name}"), None)
    if found is None:
        raise StackError(f"no {name} in .local/sam; `make setup` installs it with the SAM command")
    return found


def measure(functions: Sequence[Function], client: Function, *, rounds: int) -> list[Cold]:
    """Start each function `rounds` times, in another order each round, as a start is influenced by the one before. The
    result has the order of `functions`, then `client`, the function that only makes a client."""
    rie = emulator()
    taken: dict[Function, list[float]] = {one: [] for one in (*functions, client)}
    with aws() as aws_port:
        for turn in range(rounds):
            for one in Random(turn).sample(list(taken), len(taken)):  # noqa: S311  no secret
                event = next(fresh(one.name, 1)) if one is not client else b"{}"
                taken[one].append(_start(rie, one, event, aws_port))
    return [Cold(one.name, median(found), found, one.revision) for one, found in taken.items()]


def measure_restores(functions: Sequence[Function], *, rounds: int) -> list[Cold]:
    """Fork each initialised function `rounds` times, in another order each round. The result has the order of
    `functions`."""
    taken: dict[Function, list[float]] = {one: [] for one in functions}
    with aws() as aws_port, ExitStack() as stack:
        running = {one: stack.enter_context(initialised(one, aws_port)) for one in functions}
        for ask in running.values():
            ask(b"snapshot")
        for turn in range(rounds):
            for one in Random(turn).sample(list(taken), len(taken)):  # noqa: S311  no secret
                event = next(fresh(one.name, 1))
                began = time.perf_counter()
                answer = running[one](b"restore " + event)
                taken[one].append((time.perf_counter() - began) * 1000)
                if answer.get("statusCode") != 200:
                    raise StackError(f"{one.name} answered {answer}")
    return [Cold(one.name, median(found), found, one.revision) for one, found in taken.items()]


def _start(rie: Path, function: Function, event: bytes, aws_port: int) -> float:
    """Milliseconds from the emulator's start to the response of a new function."""
    own, runtime_api = ports.free(), ports.free()
    command = [
        *("taskset", "--cpu-list", "0", str(rie), "--log-level", "error"),
        *(
            "--runtime-interface-emulator-address",
            f"127.0.0.1:{own}",
            "--runtime-api-address",
            f"127.0.0.1:{runtime_api}",
        ),
        *(str(bare_python()), "-m", "awslambdaric", "app.lambda_handler"),
    ]
    environment = {**function.environment(aws_port), "AWS_LAMBDA_FUNCTION_TIMEOUT": "29"}
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            while not ports.is_taken(own):
                if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                    raise StackError(f"Lambda's emulator did not start for {function.name}")
                time.sleep(0.0005)
            answer = urllib3.request("POST", f"http://127.0.0.1:{own}{INVOKE}", body=event, retries=False)
            took = (time.perf_counter() - began) * 1000
        finally:
            _end(process)
    if answer.json().get("statusCode") != 200:
        raise StackError(f"{function.name} answered {answer.data[:200]!r}")
    return took


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the emulator and the function that it started: remains of one would slow the next."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, 0)
            time.sleep(0.001)
