"""What a row keeps of a provider's payload: in the row itself, or in the bucket where it was too large for one."""

import gzip
from typing import Any

from botocore.exceptions import ClientError

from cli.errors import NothingFound
from cli.stack import Stack
from dailies.jobs.rows import job_pk


def payload(stack: Stack, pk: str, sk: str) -> bytes:
    """The payload of an event or quarantine row, as it came, secrets redacted. Empty where it has none; NothingFound
    where there is no such row, or no longer what it points to."""
    answer = stack.dynamodb.get_item(
        TableName=stack.output("TableName"), Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
    )
    if "Item" not in answer:
        raise NothingFound("that row is gone: event rows expire, and a quarantined call leaves when it can be read")
    return of_row(stack, answer["Item"])


def of_event(stack: Stack, provider: str, job_id: str, event_id: str) -> bytes:
    """The payload of a job's event."""
    return payload(stack, job_pk(provider, job_id), f"event#{event_id}")


def of_row(stack: Stack, item: dict[str, Any]) -> bytes:
    """The payload that a row as DynamoDB writes it keeps or points to."""
    if "payload" in item:
        return gzip.decompress(bytes(item["payload"]["B"]))
    if "payload_key" not in item:
        return b""
    return in_bucket(stack, item["payload_key"]["S"])


def in_bucket(stack: Stack, key: str) -> bytes:
    """The payload that is an object of its own. NothingFound where there is none."""
    try:
        answer = stack.s3.get_object(Bucket=stack.bucket_name, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            raise
        raise NothingFound(f"{key} is no longer in the bucket: it expired, or somebody removed it") from None
    return gzip.decompress(answer["Body"].read())
