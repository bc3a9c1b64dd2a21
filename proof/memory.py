"""A hundred thousand deliveries to one receiver in Lambda's own runtime client: its memory stays flat.

The function and its layer are the built ones. Lambda's Runtime API, DynamoDB's PutItem and the secret are answered from
here, as fast as Python does it.
"""

import argparse
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from local import deploy
from local.callers import sync_generation
from local.recording import http_api_event
from local.stack import ROOT
from proof import figures

FUNCTION = "SyncGeneration"
SECRET = "whsec_of_the_proof_0123456789"  # noqa: S105  proves to a stand-in
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")  # what Lambda has in /var/runtime
LOOK = 10_000  # deliveries between two looks
MOST_GROWTH = 2 * 1024 * 1024  # bytes from the first look to the last: less than one page for ten deliveries
VERSION = "00000000-0000-4000-8000-000000000000"
AWS = {
    "DescribeSecret": {"Name": "secret", "VersionIdsToStages": {VERSION: ["AWSCURRENT"]}},
    "GetSecretValue": {"SecretString": SECRET, "VersionId": VERSION, "CreatedDate": 1.7e9, "Name": "secret"},
    "PutItem": {},
}


class Stand:
    """Hands out so many deliveries and takes the answers. `done` is set when all are answered; `looks` are bytes of
    memory of the process, by the number of deliveries; `results` counts the answers that were not `recorded`."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.answered = 0
        self.other = 0
        self.looks: dict[int, int] = {}
        self.process: psutil.Process | None = None
        self.done = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as wire:
            while request := wire.readline().decode():
                headers = {}
                while line := wire.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = wire.read(int(headers.get("content-length", 0)))
                if headers.get("expect"):
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                connection.sendall(self._answer(request, headers, body))

    def _answer(self, request: str, headers: dict[str, str], body: bytes) -> bytes:
        if target := headers.get("x-amz-target"):
            return _http(json.dumps(AWS[target.rpartition(".")[2]]).encode())
        if request.startswith("GET"):
            if self.answered == self.count:
                self.done.set()
                threading.Event().wait()  # nothing more to do: the process is ended
            return self._next()
        self._take(body)
        return _http(b"", status=202)

    def _next(self) -> bytes:
        call = sync_generation("failed", f"memory-{self.answered}", SECRET)
        return _http(
            json.dumps(http_api_event(call, datetime.now(UTC))).encode(),
            headers={
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": f"{self.answered:032x}",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:proof",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 60) * 1000)),
            },
        )

    def _take(self, body: bytes) -> None:
        self.other += b"recorded" not in body
        self.answered += 1
        if self.answered % LOOK == 0 and self.process:
            self.looks[self.answered] = self.process.memory_info().rss


def _http(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    told = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(body)), **(headers or {})}
    return "".join([f"HTTP/1.1 {status} -\r\n", *(f"{n}: {v}\r\n" for n, v in told.items()), "\r\n"]).encode() + body


@contextmanager
def receiver(folder: Path, stand: Stand) -> Iterator[psutil.Process]:
    """The function in the runtime client, as long as the context lasts."""
    client = folder / "runtime-client"
    client.mkdir(parents=True, exist_ok=True)
    for package in RUNTIME_CLIENT:
        for top in {file.parts[0] for file in importlib.metadata.files(package) or ()} - {".."}:
            if not (client / top).exists():
                (client / top).symlink_to(str(importlib.metadata.distribution(package).locate_file(top)))
    code, layer = folder / "build" / FUNCTION, folder / "build/DailiesLayer/python"
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(str, (code, layer, client))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_RUNTIME_API": stand.address,
        "AWS_LAMBDA_FUNCTION_NAME": "proof",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "proof",
        "AWS_SECRET_ACCESS_KEY": "proof",
        "AWS_ENDPOINT_URL": f"http://{stand.address}",
        "LAMBDA_TASK_ROOT": str(code),
        "STACK_NAME": "dailies",
        "TABLE_NAME": "table",
        "BUCKET_NAME": "bucket",
        "SIGNING_SECRET_ID": "secret",
        "SIGNATURE_TOLERANCE_SECONDS": "300",
        "ACCEPT_BARE_SYNC_SIGNATURE": "true",
        "MAX_BODY_BYTES": "1048576",
        "ROTATION_GRACE_HOURS": "24",
        "RETENTION_DAYS": "90",
    }
    interpreter = str(Path(sys.executable).resolve())
    command = [interpreter, "-m", "awslambdaric", "app.lambda_handler"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def prove(folder: Path, count: int) -> figures.Figures:
    """So many deliveries; `lost` where one was not recorded or the memory grew."""
    folder.mkdir(parents=True, exist_ok=True)
    deploy.build(folder)
    stand = Stand(count)
    began = time.monotonic()
    with receiver(folder, stand) as process:
        stand.process = process
        while not stand.done.wait(1.0):
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                break
    looks = list(stand.looks.values())
    growth = looks[-1] - looks[0] if looks else 0
    lost = count - stand.answered + stand.other + (growth > MOST_GROWTH)
    return {
        "tried": count,
        "passed": count - lost,
        "lost": lost,
        "megabytes": {str(at): round(size / 1024**2, 2) for at, size in stand.looks.items()},
        "growth_bytes": growth,
        "per_second": round(count / (time.monotonic() - began)),
        "seconds": round(time.monotonic() - began),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m proof.memory", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local/proof-memory", help="where the bundle is built")
    options = parser.parse_args()
    found = prove(options.folder.resolve(), options.deliveries)
    figures.keep("memory", found)
    print(f"memory: {found}")
    raise SystemExit(1 if found["lost"] else 0)


if __name__ == "__main__":
    main()
