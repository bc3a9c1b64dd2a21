"""The limits of a measured run, as `launcher.py` applies them: memory, and a share of a core."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # version 2; version 1 has a folder for each resource
PERIOD_US = 20_000  # period of a CPU limit: short, so that a transfer of a tenth of a second covers several


@contextlib.contextmanager
def memory_bound(limit: int) -> Iterator[tuple[str, str]]:
    """A limit of `limit` bytes, and its kind in words. It is a cgroup if the user may make one, which counts like a
    function's memory. Otherwise it limits private memory, used or not, which is stricter."""
    settings = [(CGROUP, {"memory.max": str(limit)}), (CGROUP / "memory", {"memory.limit_in_bytes": str(limit)})]
    with _cgroup("memory", settings) as bound:
        if bound:
            yield bound, "a cgroup"
            return
    yield f"data:{limit}", "RLIMIT_DATA: all private memory, used or reserved; 512 KiB of stack per thread"


@contextlib.contextmanager
def core_bound(share: float) -> Iterator[str | None]:
    """A limit of a share of a core; None if the user may not make a cgroup."""
    quota = str(round(share * PERIOD_US))
    settings = [
        (CGROUP, {"cpu.max": f"{quota} {PERIOD_US}"}),
        (CGROUP / "cpu", {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": quota}),
    ]
    with _cgroup("core", settings) as bound:
        yield bound


@contextlib.contextmanager
def _cgroup(name: str, settings: Sequence[tuple[Path, Mapping[str, str]]]) -> Iterator[str | None]:
    """A cgroup with the first of the settings that this machine supports; None if it cannot be made."""
    for parent, values in settings:
        folder = parent / f"dailies-bench-{name}-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if all((folder / setting).exists() for setting in values):
                for setting, value in values.items():
                    (folder / setting).write_text(value)
                yield f"cgroup:{folder}"
                return
        finally:
            folder.rmdir()
    yield None
