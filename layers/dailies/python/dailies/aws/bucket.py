"""The media bucket: writes and reads its objects."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import get_cert_path

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Timeouts in seconds. For the receivers, which must answer before the provider's timeout and Lambda's: S3 stores a
# small object in 0.2 s.
CLIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# For large objects: S3 may need a minute to complete a multipart upload.
# Virtual addressing uses the bucket's regional host. The global host redirects requests for a new bucket for a day.
UPLOAD_CLIENT = Config(
    connect_timeout=2,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 4},
    s3={"addressing_style": "virtual"},
)


@dataclass(frozen=True, slots=True)
class UploadEndpoint:
    """An object's URL and region, and the credentials and CA file for a streamed upload to it."""

    url: str
    region: str
    credentials: Credentials
    ca_file: str


class Bucket:
    """The bucket `name`. Botocore's errors pass through.

    `client` returns the client. It is called only on use, as most deliveries do not need one. `credentials` and
    `ca_file`, a file of trusted CA certificates, are for streamed uploads; `ca_file` defaults to botocore's.
    """

    def __init__(
        self,
        client: "Callable[[], S3Client]",
        name: str,
        *,
        credentials: Credentials | None = None,
        ca_file: str = "",
    ) -> None:
        self.client = client
        self.name = name
        self._credentials = credentials
        self._ca_file = ca_file or str(get_cert_path(verify=True))

    def upload_endpoint(self, key: str) -> UploadEndpoint:
        """Where to upload an object: the URL that the client would use. ValueError without credentials."""
        if self._credentials is None:
            raise ValueError("the bucket has no credentials for uploads: pass `credentials`")
        client = self.client()
        signed = client.generate_presigned_url("put_object", Params={"Bucket": self.name, "Key": key})
        return UploadEndpoint(signed.partition("?")[0], client.meta.region_name, self._credentials, self._ca_file)

    def put_delivery(self, key: str, compressed: bytes) -> None:
        """Store a delivery's large body, compressed with gzip. Safe to repeat: the key depends on the content."""
        self.client().put_object(Bucket=self.name, Key=key, Body=compressed, ContentType="application/gzip")

    def put_job(self, key: str, job: Mapping[str, Any]) -> None:
        """Write a job's summary as JSON. Replaces an older one."""
        summary = json.dumps(job, indent=2, sort_keys=True, ensure_ascii=False).encode()
        self.client().put_object(Bucket=self.name, Key=key, Body=summary, ContentType="application/json")

    def lines(self, key: str, version_id: str) -> Iterator[bytes]:
        """Read an object's lines, without line ends. An empty `version_id` means the newest version."""
        version = {"VersionId": version_id} if version_id else {}
        answer = self.client().get_object(Bucket=self.name, Key=key, **version)  # type: ignore[arg-type]
        with closing(answer["Body"]) as body:
            yield from body.iter_lines()
