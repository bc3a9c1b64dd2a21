"""Targets under atheris.

    python -m resilience.fuzz.run TARGET [options of libFuzzer] [corpora]    one target, such as with a failing input
    python -m resilience.fuzz.run                                            the targets in the input's lines, as Job

The fuzzed code is imported and instrumented once, which takes a second; each target of the input is a fork of that.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import atheris

with atheris.instrument_imports(include=["dailies", "resilience"]):
    from resilience.fuzz.targets import TARGETS

AT_ONCE = 2  # processors


@dataclass(frozen=True)
class Job:
    """A target, libFuzzer's options and corpora, and the file for its output."""

    target: str
    options: list[str]
    log: str


@dataclass(frozen=True)
class Ended:
    """A target's end: the exit code, negative for a signal, and the seconds."""

    target: str
    code: int
    seconds: float


def fuzz(name: str, options: list[str]) -> None:
    """Run one target in this process, which ends with it."""
    target = TARGETS[name]
    atheris.Setup([name, *options], lambda data: target(bytes(data)))
    atheris.Fuzz()


def fuzz_all(jobs: Iterable[Job]) -> Iterator[Ended]:
    """Run each in a process of its own, two at once; yields each at its end."""
    running: dict[int, tuple[Job, float]] = {}

    def ended() -> Ended:
        pid, status = os.wait()
        job, began = running.pop(pid)
        return Ended(job.target, os.waitstatus_to_exitcode(status), time.monotonic() - began)

    for job in jobs:
        if len(running) == AT_ONCE:
            yield ended()
        began = time.monotonic()
        running[_forked(job)] = job, began
    while running:
        yield ended()


def _forked(job: Job) -> int:
    """The pid of a process that runs the target."""
    pid = os.fork()
    if pid:
        return pid
    log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    fuzz(job.target, job.options)
    sys.exit()  # at process exit libFuzzer writes the failing input


def main() -> None:
    if sys.argv[1:]:
        name, *options = sys.argv[1:]
        fuzz(name, options)
        return
    for one in fuzz_all([Job(**json.loads(line)) for line in sys.stdin]):
        print(json.dumps(one.__dict__), flush=True)


if __name__ == "__main__":
    main()
