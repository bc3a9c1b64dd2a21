"""The processes of a local stack: started detached, found by a recorded pid, ended only by that pid.

`<folder>/<name>.pid` is the record, `<folder>/<name>.log` the process's output. Another process may have the pid by now
(a reboot, a long day), so a process counts as ours only if its environment names our folder.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "DAILIES_LOCAL"
PATIENCE = 1.0  # seconds until SIGKILL: there is nothing to save, everything is in memory


def start(name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> psutil.Process:
    """Start a command in a session of its own: it outlives `make`, and Ctrl-C does not reach it.

    It gets exactly the given environment, and the mark. (posix_spawn, because Popen requires a wait for its child.)
    """
    log = folder / f"{name}.log"
    pid = os.posix_spawn(
        command[0],
        list(command),
        {**environment, MARK: str(folder)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    (folder / f"{name}.pid").write_text(f"{pid}\n")
    process = psutil.Process(pid)
    with suppress(psutil.Error):
        while _lives(process) and not process.environ():  # empty for a moment, so the process would not count as ours
            time.sleep(0.01)
    return process


def running(name: str, folder: Path) -> psutil.Process | None:
    """The pid recorded under this name, if the process runs and is ours."""
    try:
        process = psutil.Process(int((folder / f"{name}.pid").read_text()))
        return process if _lives(process) and process.environ().get(MARK) == str(folder) else None
    except (OSError, ValueError, psutil.Error):
        return None


def end(name: str, folder: Path) -> bool:
    """End the recorded process and its children. Returns whether there was one."""
    process = running(name, folder)
    if process:
        family = [process, *process.children(recursive=True)]
        for signum in (signal.SIGTERM, signal.SIGKILL):
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.send_signal(signum)
            deadline = time.monotonic() + PATIENCE
            while (family := list(filter(_lives, family))) and time.monotonic() < deadline:
                time.sleep(0.02)
    (folder / f"{name}.pid").unlink(missing_ok=True)
    return process is not None


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs. A zombie does not count: init may be slow to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
