"""Runs one command and writes a report of the resources that it and its descendants used: python reaper.py REPORT
COMMAND...

A stack's processes are detached, so neither the command nor `make` waits for them. This process is a subreaper: orphans
become its children. For each child that has ended, Linux reports the CPU time of that child and of all children that it
has waited for. So the sum is complete, even for short processes, which polls of /proc would miss. It omits only
processes whose parent ignores SIGCHLD; there are none here.
"""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36  # in <linux/prctl.h>
GRACE = 5.0  # max seconds for ended processes to disappear


def main() -> None:
    report, *command = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system has no subreapers")
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    # The terminal interrupts the command too, so wait for its end. A signal to this process alone ends everything.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: end_all())
    cpu, code = 0.0, None
    while code is None:
        ended, status, used = os.wait4(-1, 0)
        cpu += used.ru_utime + used.ru_stime
        code = os.waitstatus_to_exitcode(status) if ended == pid else None
    seconds = time.monotonic() - began
    cpu += reaped(until=lambda: time.monotonic() > began + seconds + GRACE)
    left = end_all()
    cpu += reaped(until=lambda: False)
    Path(report).write_text(json.dumps({"code": code, "seconds": seconds, "cpu_seconds": cpu, "left": left}))


def reaped(*, until: Callable[[], bool]) -> float:
    """CPU seconds of the children that end, until none is left or none ends in time."""
    cpu = 0.0
    with suppress(ChildProcessError):
        while not until():
            pid, _, used = os.wait4(-1, os.WNOHANG)
            cpu += used.ru_utime + used.ru_stime if pid else 0
            time.sleep(0 if pid else 0.05)
    return cpu


def end_all() -> list[str]:
    """End all remaining processes; returns their names."""
    found = psutil.Process().children(recursive=True)
    named = []
    for process in found:
        with suppress(psutil.NoSuchProcess):
            named.append(" ".join(process.cmdline())[:200])
            process.kill()
    return list(filter(None, named))  # a zombie has no arguments


if __name__ == "__main__":
    main()
