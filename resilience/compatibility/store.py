"""A bucket on an S3, and a check's operations on it through the archive's own code."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.credentials import Credentials

from dailies.aws.bucket import UPLOAD_CLIENT, Bucket
from dailies.jobs.models import Upload
from dailies.transfer.multipart import MultipartObject
from dailies.transfer.transfer import transfer
from dailies.transfer.upload import PIECE_BYTES, ChunkBuffer, PutStream, UploadedPart
from local.aws import Aws
from resilience.transfers.long_media import long_medium
from resilience.transfers.orders import MIB, order
from simulators.media_host.server import MediaHost

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

BUCKET = "media"
SMALL, LARGE = long_medium(MIB), long_medium(45 * MIB)  # one object, three parts
PART = 5 * MIB  # S3's min size except for the last part


@dataclass(frozen=True)
class Store:
    """A bucket with versioning, as in the template, and a media host."""

    client: "S3Client"
    bucket: Bucket
    host: MediaHost

    @classmethod
    def of(cls, aws: Aws, host: MediaHost) -> "Store":
        """Create the bucket."""
        config = UPLOAD_CLIENT.merge(Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 1}))
        client = aws.session.client("s3", endpoint_url=aws.endpoint_url, config=config)
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        host.media |= {f"{name}.mp4": medium.medium for name, medium in (("small", SMALL), ("large", LARGE))}
        credentials = Credentials(aws.aws_access_key_id, aws.aws_secret_access_key)
        return cls(client, Bucket(lambda: client, BUCKET, credentials=credentials), host)

    def target(self, key: str) -> MultipartObject:
        return MultipartObject(self.bucket, key, "video/mp4", {"job-id": "g%2F1", "role": "output"})

    def put(self, key: str, content: bytes) -> UploadedPart:
        """Put an object by one call."""
        target = self.target(key)
        with target.stream() as stream:
            target.put(stream, len(content))
            return send(stream, content)

    def upload(self, key: str, *pieces: bytes) -> tuple[MultipartObject, Upload, dict[int, UploadedPart]]:
        """Upload these parts."""
        target = self.target(key)
        upload = target.begin(PART, sum(map(len, pieces)), '"v"')
        with target.stream() as stream:
            return (
                target,
                upload,
                {number: part(stream, upload, number, piece) for number, piece in enumerate(pieces, 1)},
            )

    def transfer(self, key: str, name: str, **changed: Any) -> Any:
        """Transfer a medium of the host to this key."""
        fault = changed.pop("fault", None)
        wanted = replace(order(self.host.url(f"/{key}/{name}.mp4", fault=fault)), key=lambda _: key, **changed)
        return transfer(wanted, self.bucket)

    def content(self, key: str, **version: Any) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=key, **version)["Body"].read()

    def head(self, key: str) -> "HeadObjectOutputTypeDef":
        return self.client.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")

    def versions(self, key: str) -> int:
        return len(self.client.list_object_versions(Bucket=BUCKET, Prefix=key).get("Versions", []))

    def uploads(self, key: str) -> int:
        """The number of open uploads."""
        found = self.client.list_multipart_uploads(Bucket=BUCKET, Prefix=key).get("Uploads", [])
        return sum(upload["Key"] == key for upload in found)


def send(stream: PutStream, content: bytes) -> UploadedPart:
    """The body of the started request."""
    buffer = ChunkBuffer()
    for offset in range(0, len(content), PIECE_BYTES):
        piece = content[offset : offset + PIECE_BYTES]
        buffer.piece[: len(piece)] = piece
        stream.send(buffer, len(piece))
    return stream.finish()


def part(stream: PutStream, upload: Upload, number: int, content: bytes) -> UploadedPart:
    """A part of an upload."""
    stream.begin(len(content), {"partNumber": str(number), "uploadId": upload.upload_id})
    return send(stream, content)


def refused(what: Callable[[], object], *errors: type[Exception]) -> Exception:
    """The reason for a rejection."""
    try:
        found = what()
    except errors as error:
        return error
    raise AssertionError(f"it is not refused: {found}")
