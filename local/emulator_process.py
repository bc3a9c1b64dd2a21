"""The process of the emulated AWS: ministack, with corrections that the local stack needs.

`local/emulator.py` starts it.
"""

import hashlib
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from awscrt import checksums
from ministack import app
from ministack.core import lambda_runtime
from ministack.services import cloudwatch, lambda_svc, s3
from ministack.services.cloudformation import provisioners

from local import request_log


def correct() -> None:
    """Replace the parts that differ from AWS."""
    # Its own is written in Python: half a second for each stored MiB, which blocks everything else.
    s3._crc64nvme = checksums.crc64nvme  # noqa: SLF001
    # It ignores dimensions, so one queue's alarm would go off for all: local/alarm_evaluator.py evaluates alarms
    # instead.
    cloudwatch._evaluate_alarm = lambda alarm: None  # noqa: ARG005, SLF001
    # It does not support saved queries: a stack may have them, and they are not stored.
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {  # noqa: SLF001
        "create": lambda name, properties, stack: (name, {}),  # noqa: ARG005
        "update": lambda name, old, new, stack: (name, {}),  # noqa: ARG005
        "delete": lambda name, properties: None,  # noqa: ARG005
    }
    # It unpacks the layer for each new worker: half a second, which blocks everything else.
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": UnpackedOnce})
    let_invocations_end()


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked once and shared by all workers. It is read-only on Lambda too."""

    lock = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        content = repr([(entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()])
        shared = Path(tempfile.gettempdir(), f"unpacked-{hashlib.sha256(content.encode()).hexdigest()[:16]}")
        with self.lock:
            if not shared.exists():
                unfinished = shared.with_suffix(".unfinished")
                super().extractall(unfinished, members, pwd)
                unfinished.rename(shared)
        Path(path).rmdir()
        Path(path).symlink_to(shared)


def let_invocations_end() -> None:
    """Let running invocations finish when an update of a function retires its workers, as on Lambda.

    ministack ends them at once, even a worker that is starting: its folder is removed while it is unpacked. Such an
    invocation fails, and its failure ends the new workers of the same function during their own invocations. A message
    that one of them had received stays hidden for the queue's visibility timeout.
    """
    kill, release, invoke = lambda_runtime.kill_workers, lambda_runtime.release_worker, lambda_runtime.Worker.invoke

    def kill_idle(workers: Iterable[Any]) -> None:
        workers = list(workers)
        with lambda_runtime._lock:  # noqa: SLF001  it guards in_use
            busy = [worker for worker in workers if worker.in_use]
            for worker in busy:
                worker.retired = True
        kill([worker for worker in workers if worker not in busy])

    def release_or_kill(worker: Any) -> None:
        release(worker)
        if getattr(worker, "retired", False):
            kill([worker])

    def invoke_or_kill(worker: Any, *args: Any, **options: Any) -> Any:
        try:
            return invoke(worker, *args, **options)
        except BaseException:  # it did not start: its caller removes it
            kill([worker])
            raise

    lambda_runtime.kill_workers = kill_idle
    lambda_runtime.release_worker = lambda_svc.release_worker = release_or_kill
    lambda_runtime.Worker.invoke = invoke_or_kill


def main(requests: str) -> None:
    """Run it until it is ended. Records the roles' requests in a file, if one is named."""
    correct()
    if requests:
        request_log.record(Path(requests))
    app.main()
