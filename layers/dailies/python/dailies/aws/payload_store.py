"""Where the payload of a delivery is kept: in its row, or in the bucket when it is too large for a row."""

import gzip
from typing import TYPE_CHECKING, Any

from dailies.jobs.object_keys import delivery_key

if TYPE_CHECKING:
    from dailies.aws.bucket import Bucket

MAX_INLINE = 300 * 1024  # bytes, compressed: DynamoDB limits items to 400 KB, the rest of a row is below 40


def compressed(payload: bytes) -> bytes:
    """The payload as it is stored: gzip, with the same bytes each time."""
    return gzip.compress(payload, compresslevel=6, mtime=0)


def store(bucket: "Bucket", payload: bytes, *, provider: str, event_id: str, quarantined: bool) -> dict[str, Any]:
    """Store a payload and return the attribute that says where: `payload` (bytes, compressed) for the row itself, or
    `payload_key` (a string) after the payload was put into the bucket. Botocore's errors pass through."""
    packed = compressed(payload)
    if len(packed) <= MAX_INLINE:
        return {"payload": packed}
    key = delivery_key(provider, event_id, quarantined=quarantined)
    bucket.put_delivery(key, packed)
    return {"payload_key": key}
