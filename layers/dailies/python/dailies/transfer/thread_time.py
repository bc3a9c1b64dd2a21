"""Whether a thread is what is waited for: how long it ran or stood in line for a core that others use too.

What is left of its time it waited for something else. CPU time alone would not tell: on a core that others take, a
thread that never waits gets little of it.
"""

from pathlib import Path
from threading import Thread


def runnable_seconds(thread: Thread) -> float:
    """Seconds so far in which the thread ran or could have run; 0 where it has ended or the kernel does not count.

    https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        counted = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
    except OSError:
        return 0
    ran, in_line, _ = map(int, counted.split())
    return (ran + in_line) / 1e9
