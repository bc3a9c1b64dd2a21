"""Load beside the tests: processes that only burn CPU, one that keeps the disk busy; or the tests on one core.

    python -m bench.suite.loads OWNER burn
    python -m bench.suite.loads OWNER write FOLDER

Such a process ends when its owner, the process with that pid, has ended.
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.stack import ROOT

PR_SET_PDEATHSIG = 1  # in <linux/prctl.h>
CHUNK = 1024 * 1024  # bytes of one write
CHUNKS = 64  # chunks of a file, each synced to the disk before the next

type Prefix = Sequence[str]
"""What is put before a command to run it under a load."""


@contextmanager
def quiet(_folder: Path, _burners: int) -> Iterator[Prefix]:
    """without load"""
    yield ()


@contextmanager
def burners(_folder: Path, count: int) -> Iterator[Prefix]:
    """with processes that only burn CPU"""
    with ExitStack() as running:
        for _ in range(count):
            running.enter_context(_beside("burn"))
        yield ()


@contextmanager
def one_core(_folder: Path, _burners: int) -> Iterator[Prefix]:
    """on the first core only"""
    yield ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))


@contextmanager
def busy_disk(folder: Path, _burners: int) -> Iterator[Prefix]:
    """with a process that writes and syncs files beside the clone"""
    with tempfile.TemporaryDirectory(dir=folder) as files, _beside("write", files):
        yield ()


LOADS = {"quiet": quiet, "burners": burners, "one-core": one_core, "busy-disk": busy_disk}


@contextmanager
def _beside(*arguments: str) -> Iterator[None]:
    """A process of this module while the context is open."""
    process = subprocess.Popen([sys.executable, "-m", "bench.suite.loads", str(os.getpid()), *arguments], cwd=ROOT)
    try:
        yield
        if process.poll() is not None:
            raise SystemExit(f"bench: the load ended before the tests did: {' '.join(arguments)}")
    finally:
        process.kill()
        process.wait()


def burn() -> None:
    """Burn CPU without end."""
    while True:
        pass


def write(folder: Path) -> None:
    """Write the same file again and again."""
    chunk = os.urandom(CHUNK)
    while True:
        with (folder / "busy").open("wb", buffering=0) as file:
            for _ in range(CHUNKS):
                file.write(chunk)
                os.fsync(file.fileno())


def main() -> None:
    owner, work, *folder = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # however the owner ends, by SIGKILL too
    if os.getppid() != int(owner):  # it ended before that
        return
    works: dict[str, Callable[[], None]] = {"burn": burn, "write": lambda: write(Path(folder[0]))}
    works[work]()


if __name__ == "__main__":
    main()
