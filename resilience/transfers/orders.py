"""A request for a link on the loopback, and its expected object in the S3 simulator."""

from hashlib import sha256

from dailies.aws.bucket import Bucket
from dailies.outbound.address_guard import FetchPolicy
from dailies.transfer.transfer import TransferRequest, TransferResult, transfer
from simulators.s3 import S3Simulator

MIB = 2**20
KEY = "media/sync/g-1/output-0123abcd.mp4"


def order(url: str) -> TransferRequest:
    """A request for a video at a link on the loopback."""
    return TransferRequest(
        url=url,
        policy=FetchPolicy(private=frozenset({"127.0.0.1"})),
        kinds=frozenset({"video"}),
        key=lambda extension: f"media/sync/g-1/output-0123abcd.{extension}",
        metadata={"provider": "sync", "job-id": "g%2F1", "role": "output"},
        max_bytes=100 * MIB,
        seconds=60,
    )


def stored(order: TransferRequest, bucket: Bucket) -> TransferResult:
    """The stored object of a transfer."""
    done = transfer(order, bucket)
    assert isinstance(done, TransferResult)
    return done


def kept(s3: S3Simulator, content: bytes) -> None:
    """Check that the object is this medium, and nothing else is stored."""
    assert s3.keys == [KEY]
    assert sha256(s3.object(KEY).content or b"").digest() == sha256(content).digest()
    assert s3.open_uploads == []
