"""Bounds within which a run is measured, as `launcher.py` knows them: so much memory, so much of a core."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # of version 2; version 1 has a folder in it for each thing that it bounds
PERIOD_US = 20_000  # of a CPU bound: a short one, so that a transfer of a tenth of a second meets several


@contextlib.contextmanager
def memory_bound(limit: int) -> Iterator[tuple[str, str]]:
    """A bound of `limit` bytes, and how it holds, in words. A cgroup where this user may make one: it counts what a
    function's limit counts. Else a bound on private memory, used or not, which is stricter."""
    settings = [(CGROUP, {"memory.max": str(limit)}), (CGROUP / "memory", {"memory.limit_in_bytes": str(limit)})]
    with _cgroup("memory", settings) as bound:
        if bound:
            yield bound, "a cgroup"
            return
    yield f"data:{limit}", "RLIMIT_DATA: all private memory, used or only reserved; 512 KiB of stack a thread"


@contextlib.contextmanager
def core_bound(share: float) -> Iterator[str | None]:
    """A bound of so much of a core; None where this user may not make a cgroup."""
    quota = str(round(share * PERIOD_US))
    settings = [
        (CGROUP, {"cpu.max": f"{quota} {PERIOD_US}"}),
        (CGROUP / "cpu", {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": quota}),
    ]
    with _cgroup("core", settings) as bound:
        yield bound


@contextlib.contextmanager
def _cgroup(name: str, settings: Sequence[tuple[Path, Mapping[str, str]]]) -> Iterator[str | None]:
    """A cgroup with the first settings that there are here; None where it cannot be made."""
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
