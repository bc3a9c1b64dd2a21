"""What transfers are tested with: an S3 that keeps S3's rules (local/sink) and a bucket in it."""

from collections.abc import Iterator

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
    """A bucket there. AWS's own pauses between tries are left out: two tries, no long waits."""
    client = s3.client(retries={"total_max_attempts": 2}, read_timeout=5)
    return Bucket(lambda: client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY))
