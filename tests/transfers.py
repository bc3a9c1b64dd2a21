"""What transfers are tested with: an S3 that keeps S3's rules (local/sink), a bucket in it, an order for a link."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256

import pytest
from botocore.credentials import Credentials

from dailies.addresses import Ways
from dailies.bucket import Bucket
from dailies.transfer import Order, Stored, transfer
from local.sink import BUCKET, Sink, sink
from local.sink.signature import ACCESS_KEY, SECRET_KEY

MIB = 2**20
KEY = "media/sync/g-1/output-0123abcd.mp4"


@pytest.fixture
def s3() -> Iterator[Sink]:
    """An S3 of the test's own that keeps what it gets."""
    with sink(keep=True) as running:
        yield running


@pytest.fixture
def bucket(s3: Sink) -> Bucket:
    """A bucket there. AWS's own pauses between tries are left out: there are two."""
    client = cache(lambda: s3.client(retries={"total_max_attempts": 2}))
    return Bucket(client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY))


@contextmanager
def time_is_over(s3: Sink, *, after: int) -> Iterator[None]:
    """The clock jumps an hour ahead when S3 has been sent so many parts and one more."""
    real = time.monotonic
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: real() + (3600 if s3.calls["UploadPart"] > after else 0))
        yield


def order(url: str) -> Order:
    """For a video at a link on loopback."""
    return Order(
        url=url,
        ways=Ways(private=frozenset({"127.0.0.1"})),
        kinds=frozenset({"video"}),
        key=lambda extension: f"media/sync/g-1/output-0123abcd.{extension}",
        metadata={"provider": "sync", "job-id": "g%2F1", "role": "output"},
        most_bytes=100 * MIB,
        seconds=60,
    )


def stored(order: Order, bucket: Bucket) -> Stored:
    """What a transfer stored."""
    done = transfer(order, bucket)
    assert isinstance(done, Stored)
    return done


def kept(s3: Sink, content: bytes) -> None:
    """The object is this medium, and there is nothing else."""
    assert s3.keys == [KEY]
    assert sha256(s3.object(KEY).content or b"").digest() == sha256(content).digest()
    assert s3.open_uploads == []
