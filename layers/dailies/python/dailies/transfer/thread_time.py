"""How long a thread ran, or waited for a core. The rest of its time it waited for the network.

CPU time alone is not enough: if other processes use the core, a thread that never waits for the network gets little.
"""

from pathlib import Path
from threading import Thread


def runnable_seconds(thread: Thread) -> float:
    """Seconds so far in which the thread ran or could have run; 0 if it has ended or the kernel does not count.

    https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        counted = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
    except OSError:
        return 0
    ran, queued, _ = map(int, counted.split())
    return (ran + queued) / 1e9
