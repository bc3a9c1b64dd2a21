"""A link to an object: streams a medium into the bucket, checks it on the way, and never completes what was cut short.

Memory: one part. Each part carries the SHA-256 of the bytes that arrived, which S3 checks on its side.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dailies import outbound
from dailies.bucket import Bucket
from dailies.containers import HEAD_BYTES, Format, Kind, Wholeness, looks_like, sniff
from dailies.errors import HostFailed, MediumRefused, StorageFailed
from dailies.outbound import Answer, Ways

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 * 1024 * 1024  # a video of 20 MB costs four calls to S3
MOST_PARTS = 10_000  # S3's own limit
PIECE_BYTES = 256 * 1024
EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be transferred: the link, where it may lead, what kinds of medium it may be, where the object goes
    for a file extension, what its metadata say, how large it may be (bytes) and how long it may take (seconds)."""

    url: str
    ways: Ways
    kinds: frozenset[Kind]
    key: Callable[[str], str]
    metadata: Mapping[str, str]
    most_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Stored:
    """The object. `checksum` is what S3 checked the bytes against and keeps: `sha256:` and base64; of an object in
    parts the digest of their digests, with the number of parts."""

    key: str
    version_id: str
    bytes: int
    checksum: str
    content_type: str
    source_host: str


def transfer(order: Order, bucket: Bucket) -> Stored:
    """Store the medium, whole, or raise a TransferError and leave no object and no upload open.

    Where the object is there already (an earlier try stored it and fell before it could tell), that one is the result.
    """
    with _storage_failures(), outbound.get(order.url, order.ways, seconds=order.seconds) as answer:
        _within_limit(answer.length or 0, order)
        parts = _parts(answer, order)
        first = next(parts)
        what = _format(bytes(first[:HEAD_BYTES]), order)
        whole = Wholeness(what)
        put = _Put(bucket, order, what, answer)
        if len(first) < _part_bytes(answer):
            whole.feed(first)
            _check(answer, whole, len(first))
            return put.whole(first)
        return put.parts(_watched(first, parts, answer, whole))


@contextmanager
def _storage_failures() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StorageFailed(f"S3 answered {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise StorageFailed(f"S3 did not answer: {type(error).__name__}") from error


def _part_bytes(answer: Answer) -> int:
    """As large as it must be for the object to have no more than MOST_PARTS."""
    return max(PART_BYTES, -(-(answer.length or 0) // MOST_PARTS))


def _within_limit(size: int, order: Order) -> None:
    if size > order.most_bytes:
        raise MediumRefused(f"larger than the limit of {order.most_bytes} bytes")


def _parts(answer: Answer, order: Order) -> Iterator[memoryview]:
    """The answer in parts, all full but the last, which may be empty. Each is overwritten by the next."""
    buffer = memoryview(bytearray(_part_bytes(answer)))
    total = 0
    while True:
        filled = 0
        while filled < len(buffer) and (read := answer.read_into(buffer[filled : filled + PIECE_BYTES])):
            filled += read
        total += filled
        _within_limit(total, order)
        yield buffer[:filled]
        if filled < len(buffer):
            return


def _format(head: bytes, order: Order) -> Format:
    found = sniff(head)
    if found and found.kind in order.kinds:
        return found
    expected = " or ".join(sorted(order.kinds))
    raise MediumRefused(f"not {expected}: {found.content_type if found else looks_like(head)}")


def _watched(first: memoryview, others: Iterator[memoryview], answer: Answer, whole: Wholeness) -> Iterator[memoryview]:
    """The parts as they come; raises at the end, before anything is completed, where they are not all there are."""
    total = len(first)
    whole.feed(first)
    yield first
    for part in others:
        total += len(part)
        whole.feed(part)
        if part:
            yield part
    _check(answer, whole, total)


def _check(answer: Answer, whole: Wholeness, total: int) -> None:
    if answer.length is not None and total != answer.length:
        raise HostFailed(f"cut short: {total} of {answer.length} bytes")
    if problem := whole.problem():
        raise HostFailed(f"cut short: {problem}")


@dataclass(frozen=True, slots=True)
class _Put:
    """The calls that make the object. None of them overwrites one."""

    bucket: Bucket
    order: Order
    what: Format
    answer: Answer

    def whole(self, body: memoryview) -> Stored:
        """As one object."""
        try:
            done = self._client.put_object(
                **self._object,
                **self._description,
                Body=bytes(body),
                ChecksumSHA256=_digest(body),
                IfNoneMatch="*",
            )
        except ClientError as error:
            return self._there_already(error)
        return self._stored(done, len(body), _digest(body))

    def parts(self, parts: Iterator[memoryview]) -> Stored:
        """As an upload of parts, aborted whatever goes wrong."""
        upload = self._client.create_multipart_upload(**self._object, **self._description, ChecksumAlgorithm="SHA256")
        named = {**self._object, "UploadId": upload["UploadId"]}
        with self._aborted_on_failure(named):
            sent: list[CompletedPartTypeDef] = []
            of_all = sha256()
            total = 0
            for number, part in enumerate(parts, start=1):
                digest = _digest(part)
                of_all.update(b64decode(digest))
                done = self._client.upload_part(**named, PartNumber=number, Body=bytes(part), ChecksumSHA256=digest)
                sent.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": digest})
                total += len(part)
            try:
                made = self._client.complete_multipart_upload(**named, MultipartUpload={"Parts": sent}, IfNoneMatch="*")
            except ClientError as error:
                there = self._there_already(error)
                self._client.abort_multipart_upload(**named)
                return there
            return self._stored(made, total, f"{b64encode(of_all.digest()).decode()}-{len(sent)}")

    @property
    def _client(self) -> "S3Client":
        return self.bucket.client()

    @property
    def _object(self) -> dict[str, Any]:
        return {"Bucket": self.bucket.name, "Key": self.order.key(self.what.extension)}

    @property
    def _description(self) -> dict[str, Any]:
        return {"ContentType": self.what.content_type, "Metadata": dict(self.order.metadata)}

    @contextmanager
    def _aborted_on_failure(self, named: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._client.abort_multipart_upload(**named)
            raise

    def _there_already(self, error: ClientError) -> Stored:
        """What is stored under the key, where that is why the call failed."""
        if error.response["Error"]["Code"] not in EXISTS:
            raise error
        there = self._client.head_object(**self._object, ChecksumMode="ENABLED")
        return self._stored(there, there["ContentLength"], there.get("ChecksumSHA256", ""))

    def _stored(self, done: Mapping[str, Any], size: int, checksum: str) -> Stored:
        return Stored(
            key=self._object["Key"],
            version_id=done.get("VersionId", ""),
            bytes=size,
            checksum=f"sha256:{checksum}",
            content_type=self.what.content_type,
            source_host=self.answer.host,
        )


def _digest(part: memoryview) -> str:
    return b64encode(sha256(part).digest()).decode()
