"""What transfers are tested with: an S3 that keeps S3's rules (local/sink) and a bucket in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from botocore.credentials import Credentials

from dailies.bucket import Bucket
from local.sink import BUCKET, Sink, sink
from local.sink.signature import ACCESS_KEY, SECRET_KEY


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
        patched.setattr(time, "monotonic", lambda: real() + (3600.0 if s3.calls["UploadPart"] > after else 0))
        yield
