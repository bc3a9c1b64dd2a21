"""Stores a delivery's payload: in its row, or in the bucket if it is too large for a row."""

import gzip
from typing import TYPE_CHECKING, Any

from dailies.jobs.object_keys import delivery_key

if TYPE_CHECKING:
    from dailies.aws.bucket import Bucket

MAX_INLINE = 300 * 1024  # bytes, compressed: DynamoDB limits items to 400 KB, and the rest of a row has less than 40 KB


def compressed(payload: bytes) -> bytes:
    """A payload compressed with gzip. Equal payloads give equal bytes."""
    return gzip.compress(payload, compresslevel=6, mtime=0)


def store(bucket: "Bucket", payload: bytes, *, provider: str, event_id: str, quarantined: bool) -> dict[str, Any]:
    """Store a payload and return the attribute for its row. Botocore's errors pass through.

    The attribute is `payload`, the compressed bytes; or `payload_key`, a string, if the payload is in the bucket.
    """
    packed = compressed(payload)
    if len(packed) <= MAX_INLINE:
        return {"payload": packed}
    key = delivery_key(provider, event_id, quarantined=quarantined)
    bucket.put_delivery(key, packed)
    return {"payload_key": key}
