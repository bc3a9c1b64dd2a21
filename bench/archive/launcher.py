"""Runs one command and writes a report of its resources: python -S -E launcher.py REPORT CORE BOUND COMMAND...

It is a process of its own and as small as possible, because a process inherits the peak memory of its parent. BOUND is
`-`, `cgroup:<folder>` to run in a cgroup, or `data:<bytes>` for a limit of private memory.
"""

import os
import resource
import sys
import time

STACK_BYTES = 512 * 1024  # per thread, as this limit counts reserved memory, not used memory


def main() -> None:
    report, core, bound, *command = sys.argv[1:]
    began = time.time()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, {int(core)})
        kind, _, value = bound.partition(":")
        if kind == "cgroup":
            with open(f"{value}/cgroup.procs", "w") as members:  # noqa: PTH123  pathlib would double this process
                members.write(str(os.getpid()))
        elif kind == "data":
            resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, STACK_BYTES))
            resource.setrlimit(resource.RLIMIT_DATA, (int(value), int(value)))
        try:
            os.execvp(command[0], command)  # noqa: S606  no shell is wanted
        finally:
            os._exit(127)
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w") as file:  # noqa: PTH123
        # maxrss: the largest process of its tree, in KiB
        file.write(f"{code} {time.time() - began} {used.ru_utime + used.ru_stime} {used.ru_maxrss * 1024}")


main()
