"""The owner in end-to-end tests: looks at what lies in the account with the account's own key."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from local.stack import Stack
from tests.waiting import wait_for

type Row = dict[str, Any]


class Owner:
    """Reads the table, the bucket and the queues of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._aws = stack.aws
        self._table = stack.outputs["TableName"]
        self.bucket = stack.outputs["MediaBucketName"]

    # ---- the table ---------------------------------------------------------------------------------------------------

    def job(self, provider: str, job_id: str) -> Row:
        """The job row; empty where there is none."""
        answer = self._aws.dynamodb.get_item(
            TableName=self._table,
            Key={"pk": {"S": f"job#{provider}#{job_id}"}, "sk": {"S": "job"}},
            ConsistentRead=True,
        )
        return plain(answer.get("Item", {}))

    def rows(self, pk: str) -> list[Row]:
        """The rows of a partition, in the order of their sort keys."""
        pages = self._aws.dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        return [plain(item) for page in pages for item in page["Items"]]

    def events(self, provider: str, job_id: str, origin: str = "") -> list[Row]:
        """The event rows of a job, of one origin or of all."""
        rows = self.rows(f"job#{provider}#{job_id}")
        return [row for row in rows if row["sk"].startswith("event#") and origin in ("", row["origin"])]

    def all_rows(self) -> list[Row]:
        """Every row there is."""
        pages = self._aws.dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        return [plain(item) for page in pages for item in page["Items"]]

    def put_row(self, row: Row) -> None:
        """Put a row by hand."""
        write = TypeSerializer().serialize
        self._aws.dynamodb.put_item(TableName=self._table, Item={name: write(value) for name, value in row.items()})

    def resting(self, provider: str, job_id: str, stage: str = "settled") -> Row:
        """The job row as soon as it is at this stage."""
        return wait_for(
            f"{provider} {job_id} is {stage}",
            lambda: self.job(provider, job_id),
            lambda row: row.get("stage") == stage,
        )

    # ---- the bucket --------------------------------------------------------------------------------------------------

    def keys(self, prefix: str) -> list[str]:
        """What lies under a prefix."""
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def object(self, key: str, version_id: str = "") -> tuple[bytes, dict[str, Any]]:
        """An object's bytes, and what S3 tells of it."""
        version: Any = {"VersionId": version_id} if version_id else {}
        answer: Any = self._aws.s3.get_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **version)
        return answer.pop("Body").read(), answer

    def versions(self, key: str) -> list[str]:
        """All versions of an object."""
        answer = self._aws.s3.list_object_versions(Bucket=self.bucket, Prefix=key)
        return [version["VersionId"] for version in answer.get("Versions", ())]

    def open_uploads(self, prefix: str) -> list[str]:
        """The keys of uploads that were neither completed nor aborted."""
        answer = self._aws.s3.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix)
        return [upload["Key"] for upload in answer.get("Uploads", ())]

    def put_object(self, key: str, content: bytes) -> None:
        """Put an object by hand."""
        self._aws.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ChecksumAlgorithm="CRC64NVME")

    def begin_upload(self, key: str, first_part: bytes) -> str:
        """Begin an upload in parts by hand and send its first one: the upload's id."""
        upload_id = self._aws.s3.create_multipart_upload(
            Bucket=self.bucket, Key=key, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
        )["UploadId"]
        self._aws.s3.upload_part(
            Bucket=self.bucket,
            Key=key,
            UploadId=upload_id,
            PartNumber=1,
            Body=first_part,
            ChecksumAlgorithm="CRC64NVME",
        )
        return upload_id

    # ---- the queues --------------------------------------------------------------------------------------------------

    def message(self, queue: str, wanted: Callable[[str], bool]) -> Any:
        """The message whose body is wanted, from the queue that the template's output names. It is taken out."""
        url = self._stack.outputs[queue]

        def look() -> list[Any]:
            # Seen messages show up again after a second: the deadline is for the one that is not there yet.
            answer = self._aws.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, MessageAttributeNames=["All"]
            )
            return [message for message in answer.get("Messages", ()) if wanted(message["Body"])]

        message, *_ = wait_for(f"a message in {queue}", look, bool)
        self._aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def send(self, queue: str, body: str) -> str:
        """Put a message into the queue that the template's output names: its id."""
        return self._aws.sqs.send_message(QueueUrl=self._stack.outputs[queue], MessageBody=body)["MessageId"]


def plain(item: Any) -> Row:
    """A row as plain values; binary ones as bytes."""
    read = TypeDeserializer().deserialize
    values = {name: read(value) for name, value in item.items()}
    return {name: bytes(value) if isinstance(value, Binary) else value for name, value in values.items()}  # type: ignore[call-overload]


def payload(row: Row) -> bytes:
    """What a row keeps of the provider's payload."""
    return gzip.decompress(row["payload"])


def medium(row: Row, role: str) -> Row:
    """The one medium of a role in a job row."""
    (found,) = [medium for medium in row["media"] if medium["role"] == role]
    return dict(found)


@pytest.fixture(scope="session")
def owner(stack: Stack) -> Owner:
    """The owner of the account that the stack is in."""
    return Owner(stack)
