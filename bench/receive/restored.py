"""A receiver as SnapStart runs it, without snapshots: initialised once, then forked for each first delivery.

    python restored.py

A script for the function's own environment, like Lambda's runtime client. It reads a command per line. `warm EVENT`
calls the handler. `snapshot` runs the hooks that precede a snapshot; they run once. `restore EVENT` forks, runs the
hooks that follow a restore, and calls the handler in the fork. Each command is answered with a line: the handler's
response, or null.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any, BinaryIO

from awslambdaric import lambda_runtime_hooks_runner as hooks


class Context:
    """What a receiver reads of Lambda's context."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"


def serve(handler: Any, commands: BinaryIO, answers: BinaryIO) -> None:
    """Carry out the commands until there are no more."""

    def answer(value: Any) -> None:
        answers.write(json.dumps(value).encode() + b"\n")
        answers.flush()

    for line in commands:
        command, _, event = line.partition(b" ")
        if command == b"warm":
            answer(handler(json.loads(event), Context()))
        elif command == b"restore":
            fork = os.fork()
            if not fork:
                hooks.run_after_restore()
                answer(handler(json.loads(event), Context()))
                os._exit(0)
            os.waitpid(fork, 0)
        else:
            hooks.run_before_snapshot()
            answer(None)


if __name__ == "__main__":
    told = os.fdopen(os.dup(1), "wb")
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  the function's log
    serve(import_module("app").lambda_handler, sys.stdin.buffer, told)
