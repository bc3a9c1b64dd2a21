"""The object that a transfer makes: the calls that begin, end and drop it. None of them overwrites an object."""

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from awscrt import checksums
from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.bucket import Bucket
from dailies.errors import ObjectExists, StorageFailed
from dailies.jobs.models import Upload
from dailies.transfer.upload import PutStream, UploadedPart, crc_of, crc_text

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# 403 is what S3 says of an object that is not there to whoever may not list the bucket, as we may not.
ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})
EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class MultipartObject:
    """The object that is being made."""

    def __init__(self, bucket: Bucket, key: str, content_type: str, metadata: Mapping[str, str]) -> None:
        self._client = bucket.client()
        self._object: dict[str, Any] = {"Bucket": bucket.name, "Key": key}
        self._description: dict[str, Any] = {"ContentType": content_type, "Metadata": dict(metadata)}
        self.key = key
        self._door = bucket.upload_endpoint(key)

    def lane(self) -> PutStream:
        """A connection to put it by."""
        return PutStream(self._door)

    def put(self, lane: PutStream, size: int) -> None:
        """Begin it as one object of so many bytes; the lane's next body is its content."""
        named = {f"x-amz-meta-{name}": value for name, value in self._description["Metadata"].items()}
        headers = {"Content-Type": self._description["ContentType"], "If-None-Match": "*", **named}
        lane.begin(size, headers=headers)

    def begin(self, part_bytes: int, total: int, validator: str) -> Upload:
        """Begin it as an upload of parts, with one checksum over all of it."""
        begun = self._client.create_multipart_upload(
            **self._object, **self._description, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
        )
        return Upload(self.key, begun["UploadId"], part_bytes, total, validator)

    def sent(self, upload: Upload) -> dict[int, UploadedPart]:
        """The parts that S3 has of an upload; none where it knows of no such upload."""
        try:
            pages = self._client.get_paginator("list_parts").paginate(**self._named(upload))
            parts = [part for page in pages for part in page.get("Parts", [])]
        except self._client.exceptions.NoSuchUpload:
            return {}
        return {
            part["PartNumber"]: UploadedPart(part["ETag"], "", crc_of(part["ChecksumCRC64NVME"]), part["Size"])
            for part in parts
            if "ChecksumCRC64NVME" in part
        }

    def complete(self, upload: Upload, parts: Mapping[int, UploadedPart]) -> UploadedPart:
        """Make the object of all parts. ObjectExists where there is one already."""
        crc, size = 0, 0
        for _, part in sorted(parts.items()):
            crc, size = checksums.combine_crc64nvme(crc, part.crc, part.bytes), size + part.bytes
        listed: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": part.etag, "ChecksumCRC64NVME": crc_text(part.crc)}
            for number, part in sorted(parts.items())
        ]
        try:
            done = self._client.complete_multipart_upload(
                **self._named(upload), MultipartUpload={"Parts": listed}, MpuObjectSize=size, IfNoneMatch="*"
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in EXISTS or code == "NoSuchUpload":  # the latter: it was completed, and the answer was lost
                raise ObjectExists(code) from error
            raise
        said = done.get("ChecksumCRC64NVME", "")
        if done.get("ChecksumType") == "FULL_OBJECT" and said != crc_text(crc):
            raise StorageFailed("S3 computed another checksum than we did")
        return UploadedPart(done.get("ETag", ""), done.get("VersionId", ""), crc, size)

    def drop(self, upload: Upload) -> None:
        """End an upload without an object, as far as S3 lets us: what stays open is dropped by the bucket's rule."""
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**self._named(upload))

    def exists(self) -> bool:
        """Whether there is an object under its key."""
        try:
            self._client.head_object(**self._object)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in ABSENT:
                return False
            raise
        return True

    def there(self) -> tuple[str, int, str]:
        """The version, size and checksum of the object that is there; StorageFailed where there is none."""
        try:
            found = self._client.head_object(**self._object, ChecksumMode="ENABLED")
        except ClientError as error:
            raise StorageFailed(f"S3 answered {error.response['Error']['Code']}") from error
        return found.get("VersionId", ""), found["ContentLength"], found.get("ChecksumCRC64NVME", "")

    def _named(self, upload: Upload) -> dict[str, Any]:
        return {**self._object, "Key": upload.key, "UploadId": upload.upload_id}
