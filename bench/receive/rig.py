"""A receiver in Lambda's own runtime client, with a simulated AWS and deliveries to process."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.receive.functions import SECRET, Function
from bench.receive.runtime_api import RuntimeApi
from bench.tools import bare_python
from local.stack import ROOT
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call
from simulators.provider_calls.sample import Order, Sample
from simulators.recorded_events.__main__ import http_api_event

OUTPUT = (
    "https://api.sync.so/v2/generations/6533643b-aceb-4c40-967e-d9ba9baac39e/result?token=00000000-0000-4000-8000-0"
)

DELIVERIES = {sample.folder: sample for sample in every_sample().values()}
"""The samples of the webhooks by the receivers' folders."""


class Running:
    """One function's process, and the Runtime API that it polls."""

    def __init__(self, function: Function, process: "subprocess.Popen[bytes]", api: RuntimeApi) -> None:
        self.name = function.name
        self._process = process
        self._clock = (~process.pid << 3) | 2  # Linux's clock of another process's CPU time
        self._api = api

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def answers(self, events: Iterable[bytes]) -> Iterator[Any]:
        """The responses, one after the other. Raises RuntimeError if the function raises an error."""
        return map(self._api.invoke, events)

    def cpu(self, events: Sequence[bytes]) -> float:
        """CPU microseconds for each of these. Raises RuntimeError if a response is not 200."""
        before = time.clock_gettime_ns(self._clock)
        for answer in self.answers(events):
            if answer["statusCode"] != 200:
                raise RuntimeError(f"{self.name} answered {answer}")
        return (time.clock_gettime_ns(self._clock) - before) / 1000 / len(events)


def fresh(function: str, count: int) -> Iterator[bytes]:
    """A number of new deliveries, each signed now, in API Gateway's format."""
    for number in range(count):
        call = usual(DELIVERIES[function], f"{time.time_ns():x}-{number}")
        yield json.dumps(http_api_event(call, datetime.now(UTC))).encode()


def usual(sample: Sample, job_id: str) -> Call:
    """A webhook's usual call, with links as long as Sync's."""
    word, case = next(iter(sample.cases.items()))
    return sample.call(Order(word, job_id, SECRET, {role: OUTPUT for role in case.media if sample.media[role].url}))


@contextlib.contextmanager
def aws() -> Iterator[int]:
    """The simulated AWS; its port."""
    command = [sys.executable, "-m", "bench.receive.aws", SECRET]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout  # noqa: S101  it was asked for
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextlib.contextmanager
def started(function: Function, aws_port: int) -> Iterator[Running]:
    """The function in the runtime client, on the first core. Its output is discarded, which is as fast as a file."""
    api = RuntimeApi()
    command = ["taskset", "--cpu-list", "0", str(bare_python()), "-m", "awslambdaric", "app.lambda_handler"]
    environment = {**function.environment(aws_port), "AWS_LAMBDA_RUNTIME_API": api.address}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield Running(function, process, api)
        finally:
            process.terminate()
            process.wait()
            api.close()


@contextlib.contextmanager
def initialised(function: Function, aws_port: int) -> Iterator[Callable[[bytes], Any]]:
    """The function, initialised as for SnapStart, on the first core. Yields what passes a command to `restored.py` and
    returns its answer."""
    command = ["taskset", "--cpu-list", "0", str(bare_python()), str(Path(__file__).with_name("restored.py"))]
    environment = {**function.environment(aws_port), "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:

        def ask(line: bytes) -> Any:
            assert process.stdin  # noqa: S101  both were asked for
            assert process.stdout  # noqa: S101
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        try:
            yield ask
        finally:
            process.kill()
