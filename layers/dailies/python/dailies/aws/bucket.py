"""The media bucket: the calls that put objects there and read them."""

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

# For the receivers, whose whole answer must come before a provider's patience and Lambda's end; S3 answers what puts a
# small object in a tenth of these two seconds.
CLIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
# For whoever makes large objects: S3 may take a minute to put the parts of one together.
# By the bucket's own host in its region: the global one answers a new bucket with redirects for a day.
PATIENT = Config(
    connect_timeout=2,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 4},
    s3={"addressing_style": "virtual"},
)


@dataclass(frozen=True, slots=True)
class UploadEndpoint:
    """An object's address, and who may put it there: for bytes that are sent piece by piece."""

    url: str
    region: str
    credentials: Credentials
    ca_file: str


class Bucket:
    """The bucket. `client` makes the client when it is first needed: most deliveries never need it. `credentials` and
    `ca_file` (whose certificates hold) are for whoever sends bytes piece by piece."""

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
        """Where an object is put, as the client would address it."""
        if self._credentials is None:
            raise ValueError("this bucket was made without credentials")
        client = self.client()
        signed = client.generate_presigned_url("put_object", Params={"Bucket": self.name, "Key": key})
        return UploadEndpoint(signed.partition("?")[0], client.meta.region_name, self._credentials, self._ca_file)

    def put_delivery(self, key: str, compressed: bytes) -> None:
        """Keep a large body. Equal content has an equal key: safe to repeat."""
        self.client().put_object(Bucket=self.name, Key=key, Body=compressed, ContentType="application/gzip")

    def put_job(self, key: str, job: Mapping[str, Any]) -> None:
        """Write a job's page, over an older one."""
        page = json.dumps(job, indent=2, sort_keys=True, ensure_ascii=False).encode()
        self.client().put_object(Bucket=self.name, Key=key, Body=page, ContentType="application/json")

    def lines(self, key: str, version_id: str) -> Iterator[bytes]:
        """The lines of a stored object."""
        version = {"VersionId": version_id} if version_id else {}
        answer = self.client().get_object(Bucket=self.name, Key=key, **version)  # type: ignore[arg-type]
        with closing(answer["Body"]) as body:
            yield from body.iter_lines()
