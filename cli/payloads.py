"""The payload of an event or a quarantined delivery: in its row, or in the bucket if it is too large for a row."""

import gzip
import json
from typing import Any

from botocore.exceptions import ClientError

from cli.errors import NothingFound
from cli.stack import Stack
from dailies.jobs.rows import job_pk


def payload(stack: Stack, pk: str, sk: str) -> bytes:
    """The payload of an event or quarantine row as it was received, secrets redacted; empty if it has none.

    Raises NothingFound if the row, or the object that it points to, is gone.
    """
    answer = stack.dynamodb.get_item(
        TableName=stack.output("TableName"), Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
    )
    if "Item" not in answer:
        raise NothingFound("This row is gone: event rows expire, and a quarantined delivery leaves once it is parsed.")
    return of_row(stack, answer["Item"])


def of_event(stack: Stack, provider: str, job_id: str, event_id: str) -> bytes:
    """The payload of a job's event."""
    return payload(stack, job_pk(provider, job_id), f"event#{event_id}")


def of_row(stack: Stack, item: dict[str, Any]) -> bytes:
    """The payload that a row contains or points to. `item` has DynamoDB's attribute values."""
    if "payload" in item:
        return gzip.decompress(bytes(item["payload"]["B"]))
    if "payload_key" not in item:
        return b""
    return in_bucket(stack, item["payload_key"]["S"])


def in_bucket(stack: Stack, key: str) -> bytes:
    """The payload that is an object of the bucket. Raises NothingFound if it is gone."""
    try:
        answer = stack.s3.get_object(Bucket=stack.bucket_name, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            raise
        raise NothingFound(f"{key} is no longer in the bucket: it expired or was deleted.") from None
    return gzip.decompress(answer["Body"].read())


def readable(content: bytes) -> str:
    """A payload for people: JSON indented, anything else unchanged."""
    text = content.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
