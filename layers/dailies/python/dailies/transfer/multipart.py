"""The S3 calls that create a transfer's object. None of them overwrites an object."""

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

# For an absent object S3 answers 403 if the caller may not list the bucket. Our role may not.
ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})
EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class MultipartObject:
    """An object to create, in one request or in parts. `key` is its key.

    Botocore's errors pass through unless a method says otherwise.
    """

    def __init__(self, bucket: Bucket, key: str, content_type: str, metadata: Mapping[str, str]) -> None:
        self._client = bucket.client()
        self._object: dict[str, Any] = {"Bucket": bucket.name, "Key": key}
        self._description: dict[str, Any] = {"ContentType": content_type, "Metadata": dict(metadata)}
        self.key = key
        self._endpoint = bucket.upload_endpoint(key)

    def stream(self) -> PutStream:
        """Open a connection for its content."""
        return PutStream(self._endpoint)

    def put(self, stream: PutStream, size: int) -> None:
        """Begin to upload it in one request. The stream's next body, of `size` bytes, is its content."""
        metadata = {f"x-amz-meta-{name}": value for name, value in self._description["Metadata"].items()}
        headers = {"Content-Type": self._description["ContentType"], "If-None-Match": "*", **metadata}
        stream.begin(size, headers=headers)

    def begin(self, part_bytes: int, total: int, validator: str) -> Upload:
        """Begin a multipart upload with one checksum for the complete object.

        `total`: bytes of the medium, 0 if unknown. `validator`: the medium's ETag or modification date, empty if it has
        none.
        """
        begun = self._client.create_multipart_upload(
            **self._object, **self._description, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
        )
        return Upload(self.key, begun["UploadId"], part_bytes, total, validator)

    def uploaded_parts(self, upload: Upload) -> dict[int, UploadedPart]:
        """An upload's parts that S3 has stored, by number; none if the upload does not exist."""
        try:
            pages = self._client.get_paginator("list_parts").paginate(**self._upload(upload))
            parts = [part for page in pages for part in page.get("Parts", [])]
        except self._client.exceptions.NoSuchUpload:
            return {}
        return {
            part["PartNumber"]: UploadedPart(part["ETag"], "", crc_of(part["ChecksumCRC64NVME"]), part["Size"])
            for part in parts
            if "ChecksumCRC64NVME" in part
        }

    def complete(self, upload: Upload, parts: Mapping[int, UploadedPart]) -> UploadedPart:
        """Create the object from its parts.

        ObjectExists if the key has an object already, StorageFailed if S3's checksum differs from ours.
        """
        crc, size = 0, 0
        for _, part in sorted(parts.items()):
            crc, size = checksums.combine_crc64nvme(crc, part.crc, part.bytes), size + part.bytes
        listed: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": part.etag, "ChecksumCRC64NVME": crc_text(part.crc)}
            for number, part in sorted(parts.items())
        ]
        try:
            done = self._client.complete_multipart_upload(
                **self._upload(upload), MultipartUpload={"Parts": listed}, MpuObjectSize=size, IfNoneMatch="*"
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in EXISTS or code == "NoSuchUpload":  # it was completed, and S3's answer was lost
                raise ObjectExists(code) from error
            raise
        checksum = done.get("ChecksumCRC64NVME", "")
        if done.get("ChecksumType") == "FULL_OBJECT" and checksum != crc_text(crc):
            raise StorageFailed("S3's checksum differs from ours")
        return UploadedPart(done.get("ETag", ""), done.get("VersionId", ""), crc, size)

    def abort(self, upload: Upload) -> None:
        """Abort an upload. Errors are ignored: the bucket's lifecycle rule aborts uploads that stay open."""
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**self._upload(upload))

    def exists(self) -> bool:
        """Whether its key has an object."""
        try:
            self._client.head_object(**self._object)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in ABSENT:
                return False
            raise
        return True

    def existing(self) -> tuple[str, int, str]:
        """The version id, size in bytes and checksum of the existing object. StorageFailed if it cannot be read."""
        try:
            found = self._client.head_object(**self._object, ChecksumMode="ENABLED")
        except ClientError as error:
            raise StorageFailed(f"S3 answered {error.response['Error']['Code']}") from error
        return found.get("VersionId", ""), found["ContentLength"], found.get("ChecksumCRC64NVME", "")

    def _upload(self, upload: Upload) -> dict[str, Any]:
        return {**self._object, "Key": upload.key, "UploadId": upload.upload_id}
