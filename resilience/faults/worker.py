"""The functions' processes, as on Lambda: only the layer may be imported.

    worker.py SOCKET LOG

Imports the functions' dependencies once, then listens. Each connection is one invocation in a fork of its own, which
starts cold, with the function's app.py. The request is a line of JSON: `app` (the function's app.py), `environment`,
`event`, `seconds`. The response has two lines: `{"pid"}`, and at the end `{"result"}` or `{"error"}`; the last is
missing if the process is killed.
"""

import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
import uuid
from types import TracebackType
from typing import Any


class Context:
    """The context that Lambda passes to a function."""

    def __init__(self, seconds: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = "proof"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:proof"
        self.memory_limit_in_mb = 1024
        self._over_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """The rest of the function's timeout."""
        return int((self._over_at - time.monotonic()) * 1000)


def load() -> None:
    """Import the functions' dependencies, and let boto3's default session read AWS's descriptions."""
    import boto3  # noqa: PLC0415  here, so that the harness can be read without the layer

    import dailies  # noqa: PLC0415

    for module in pkgutil.walk_packages(dailies.__path__, "dailies."):
        importlib.import_module(module.name)
    boto3.setup_default_session()
    for service in ("dynamodb", "s3", "sqs", "events", "secretsmanager"):
        boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106


def invoke(connection: socket.socket) -> None:
    """Run one invocation."""
    with connection.makefile("rw") as wire:

        def tell(**told: Any) -> None:
            wire.write(json.dumps(told) + "\n")
            wire.flush()

        asked = json.loads(wire.readline())
        tell(pid=os.getpid())
        os.environ.update(asked["environment"])
        try:
            handler = runpy.run_path(asked["app"])["lambda_handler"]
            tell(result=handler(asked["event"], Context(asked["seconds"])))
        except Exception as error:  # noqa: BLE001  as Lambda tells what a function raised
            tell(error=f"{type(error).__name__}: {error}", at=_last(error.__traceback__))


def _last(traceback: TracebackType | None) -> str:
    places = []
    while traceback:
        places.append(f"{traceback.tb_frame.f_code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return " ".join(places[-4:])


def main(path: str, log: str) -> None:
    """Listen until ended."""
    load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the forks: the harness reads their last line
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            server.close()
            invoke(connection)
            sys.stdout.flush()
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
