"""The servers: SeaweedFS and dynalite, which `local/opinions.sh` installs, and the emulator.

All listen on the loopback, store their data in the given folder, and end with the context.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local import emulator, ports, processes
from local.aws import Aws
from local.stack import ROOT, StackError

BRING = ROOT / "local/opinions.sh"
WEED = ROOT / ".local/opinions/bin/weed"
DYNALITE = ROOT / ".local/dynalite/node_modules/dynalite/cli.js"
MAX_WORDS = 200  # characters of an installation error
SOCKETS = Path("/tmp")  # noqa: S108  where SeaweedFS puts its own, by their ports, and leaves some
PATIENCE = 60.0  # max seconds until a server responds; on an idle machine four
KEYS = (
    '{{"identities":[{{"name":"owner","credentials":[{{"accessKey":"{0}","secretKey":"{0}"}}],"actions":["Admin"]}}]}}'
)


class Server(Protocol):
    """A server that is started in a folder."""

    def __call__(self, folder: Path) -> AbstractContextManager[Aws]: ...


def bring(script: Path = BRING) -> str:
    """Install them once. Returns the error in one line; empty if it worked."""
    done = subprocess.run([str(script)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{script.name}: {' '.join(done.stderr.split())[-MAX_WORDS:] or 'failed'}"


@contextmanager
def seaweedfs(folder: Path) -> Iterator[Aws]:
    """An S3 made of four servers, in Go. It verifies signatures, checksums and conditions."""
    keys = folder / "keys.json"
    keys.write_text(KEYS.format(emulator.OWNER))
    aws = _aws()
    options = {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": str(keys),
        "s3.port": str(aws.port),
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": "256",
        "volume.max": "20",
        "volume.minFreeSpace": "1",  # percent of the disk
    }
    listening = ("master.port", "volume.port", "filer.port")
    for name in (*listening, *(f"{name}.grpc" for name in listening), "s3.port.grpc"):
        options[name] = str(ports.free())
    command = [str(WEED), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]
    try:
        with _running(command, folder):
            _wait(aws.s3.list_buckets, folder)
            yield aws
    finally:
        for value in (value for name, value in options.items() if ".port" in name):
            for left in SOCKETS.glob(f"seaweedfs-*-{value}.sock"):
                left.unlink()


@contextmanager
def dynalite(folder: Path) -> Iterator[Aws]:
    """A DynamoDB in JavaScript, in memory, whose own tests also run against DynamoDB. It has no streams."""
    aws = _aws()
    options = ("--host", "127.0.0.1", "--port", str(aws.port), "--createTableMs", "0")
    with _running([str(ROOT / "local/node.sh"), "node", str(DYNALITE), *options], folder):
        _wait(aws.dynamodb.list_tables, folder)
        yield aws


@contextmanager
def ministack(folder: Path) -> Iterator[Aws]:
    """The emulator, as in the local stack."""
    port = ports.free()
    aws = emulator.start(folder, port)
    try:
        emulator.wait_until_ready(folder, port)
        yield aws
    finally:
        processes.end(emulator.NAME, folder)


def at(url: str) -> Server:
    """A running server."""

    @contextmanager
    def there(folder: Path) -> Iterator[Aws]:  # noqa: ARG001  it keeps its own
        yield Aws(url, emulator.REGION, emulator.OWNER, emulator.OWNER)

    return there


def _aws() -> Aws:
    return Aws(f"http://127.0.0.1:{ports.free()}", emulator.REGION, emulator.OWNER, emulator.OWNER)


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        environment = {**os.environ, "TMPDIR": str(folder)}  # logs of its own
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(answers: Callable[[], object], folder: Path) -> None:
    """Wait until it responds. Raises StackError after the timeout."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answers()
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > deadline:
                raise StackError(
                    f"no response after {PATIENCE:.0f} s ({error}); {folder}/log may have the reason"
                ) from error
            time.sleep(0.1)
        else:
            return
