"""The functions' side, in processes like Lambda's: the layer is all there is to import.

    worker.py SOCKET LOG

Loads what the functions import, once, then listens: each connection is one invocation in a fork of its own, which
begins as a cold start does, in the function's app.py. The request is a line of JSON: `app` (the function's app.py),
`environment`, `event`, `seconds`. Answered by two lines: `{"pid"}`, and at the end `{"result"}` or `{"error"}`; none
where the process is killed.
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
    """What Lambda tells a function of its invocation."""

    def __init__(self, seconds: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = "proof"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:proof"
        self.memory_limit_in_mb = 1024
        self._over_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the function's time limit."""
        return int((self._over_at - time.monotonic()) * 1000)


def load() -> None:
    """Import what the functions import, and let boto3's own session read AWS's descriptions."""
    import boto3  # noqa: PLC0415  here, so that the harness can be read without the layer

    import dailies  # noqa: PLC0415

    for module in pkgutil.walk_packages(dailies.__path__, "dailies."):
        importlib.import_module(module.name)
    boto3.setup_default_session()
    for service in ("dynamodb", "s3", "sqs", "events", "secretsmanager"):
        boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106


def invoke(connection: socket.socket) -> None:
    """One invocation."""
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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks: the harness sees their line end
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
