"""Warm CPU per delivery: each receiver in the true runtime client, in turn with one bare write of the same row."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import urllib3

from bench.receive.functions import SECRET, Function
from bench.receive.runtime_api import RuntimeApi
from bench.tools import FOLDER, bare_python
from local.callers import Call, captions_creator, creatify_product_to_videos, sync_batch, sync_generation
from local.recording import http_api_event
from local.stack import ROOT

WARM_UP = 300  # deliveries before anything counts
OUTPUT = (
    "https://api.sync.so/v2/generations/6533643b-aceb-4c40-967e-d9ba9baac39e/result?token=00000000-0000-4000-8000-0"
)

DELIVERIES: dict[str, Callable[[str], Call]] = {
    "sync_generation": lambda job: sync_generation("completed", job, SECRET, output_url=OUTPUT),
    "sync_batch": lambda job: sync_batch("completed", job, SECRET, output_url=OUTPUT),
    "creatify_product_to_video": lambda job: creatify_product_to_videos(
        "video_generated", job, SECRET, video_url=OUTPUT
    ),
    "captions_creator": lambda job: captions_creator("success", job, SECRET, url=OUTPUT),
}


@dataclass(frozen=True)
class Warm:
    """Median CPU microseconds of one function's process for an invocation, and what each round had."""

    name: str
    microseconds: float
    rounds: list[float]


class Running:
    """One function's process, and the Runtime API that it asks for work."""

    def __init__(self, function: Function, process: "subprocess.Popen[bytes]", api: RuntimeApi) -> None:
        self.name = function.name
        self._clock = (~process.pid << 3) | 2  # Linux's clock of another process's CPU time
        self._api = api

    def cpu(self, events: Sequence[bytes]) -> float:
        """CPU microseconds for each of these."""
        before = time.clock_gettime_ns(self._clock)
        for event in events:
            answer = self._api.invoke(event)
            if answer["statusCode"] != 200:
                raise RuntimeError(f"{self.name} answered {answer}")
        return (time.clock_gettime_ns(self._clock) - before) / 1000 / len(events)


def measure(functions: Sequence[Function], bare: Function, *, rounds: int, deliveries: int) -> list[Warm]:
    """All of them in turn, `rounds` times; the bare write comes last of the answers."""
    with contextlib.ExitStack() as stack:
        aws_port = stack.enter_context(aws())
        running = [stack.enter_context(started(function, aws_port)) for function in (*functions, bare)]
        taken: dict[str, list[float]] = {one.name: [] for one in running}
        for one in running[:-1]:
            one.cpu(list(fresh(one.name, WARM_UP)))
        row = urllib3.request("GET", f"http://127.0.0.1:{aws_port}/last").json()["Item"]
        running[-1].cpu([json.dumps(row).encode()] * WARM_UP)
        for turn in range(rounds):
            for one in running if turn % 2 == 0 else reversed(running):
                events = (
                    [json.dumps(row).encode()] * deliveries if one is running[-1] else list(fresh(one.name, deliveries))
                )
                taken[one.name].append(one.cpu(events))
    return [Warm(name, median(found), found) for name, found in taken.items()]


def fresh(function: str, count: int) -> Iterator[bytes]:
    """So many deliveries that were never there before, signed now, as API Gateway hands them on."""
    now = datetime.now(UTC)
    for number in range(count):
        call = DELIVERIES[function](f"{time.time_ns():x}-{number}")
        yield json.dumps(http_api_event(call, now)).encode()


@contextlib.contextmanager
def aws() -> Iterator[int]:
    """The stand-in for AWS; its port."""
    command = [sys.executable, "-m", "bench.receive.aws", SECRET]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout  # noqa: S101  it was asked for
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@contextlib.contextmanager
def started(function: Function, aws_port: int) -> Iterator[Running]:
    """The function in the runtime client, on the first core."""
    api = RuntimeApi()
    command = ["taskset", "--cpu-list", "0", str(bare_python()), "-m", "awslambdaric", "app.lambda_handler"]
    environment = {**function.environment(aws_port), "AWS_LAMBDA_RUNTIME_API": api.address}
    with (FOLDER / "function.log").open("wb") as log, subprocess.Popen(command, env=environment, stdout=log) as process:
        try:
            yield Running(function, process, api)
        finally:
            process.terminate()
            process.wait()
            api.close()
