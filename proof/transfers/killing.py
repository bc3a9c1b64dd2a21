"""Work in a process of its own, which is killed in its middle."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from botocore.credentials import Credentials

from dailies.bucket import Bucket
from dailies.models import Upload
from dailies.transfer import transfer
from local.sink import BUCKET, Sink
from local.sink.signature import ACCESS_KEY, SECRET_KEY
from proof.transfers.orders import order

PATIENCE = 60.0  # seconds: a busy machine starts a process slowly
SPAWN = multiprocessing.get_context("spawn")

type When = Callable[[], bool]


def killed_transfer(url: str, s3: Sink, when: When) -> Upload | None:
    """Begin the transfer of a link to an S3 that speaks no TLS, and kill it as soon as it is time. The upload that it
    has begun, if it has."""
    ours, theirs = SPAWN.Pipe(duplex=False)
    killed(when, _transfer, url, s3.endpoint_url, theirs)
    theirs.close()
    try:
        upload: Upload = ours.recv()
    except EOFError:
        return None
    return upload


def killed(when: When, work: Callable[..., None], *args: Any) -> None:
    """Begin the work, and kill it as soon as it is time."""
    process = SPAWN.Process(target=work, args=args)
    process.start()
    deadline = time.monotonic() + PATIENCE
    try:
        while not when():
            assert process.is_alive(), "it ended by itself"
            assert time.monotonic() < deadline, "it did not get there"
            time.sleep(0.01)
    finally:
        process.kill()
        process.join()


def _transfer(url: str, endpoint_url: str, told: Connection) -> None:
    client = Sink(endpoint_url, None, keep=False).client()
    bucket = Bucket(lambda: client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY))
    transfer(replace(order(url), began=told.send), bucket)
