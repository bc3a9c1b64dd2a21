"""Streams a medium from its URL into the bucket, checks it on the way, and stores only a complete one.

A medium of up to PART_BYTES needs one GET and one PUT; a larger one is a multipart upload. If the host answers ranges
correctly, more connections fetch it as long as that is faster. Otherwise it is streamed once. Each connection has one
piece in memory, or a part of HELD_BYTES if the length is unknown. How and why: docs/archive.md.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, LinkDead, ObjectExists, StorageFailed
from dailies.jobs.models import MediaKind, Upload
from dailies.outbound import media
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.outbound.media import MediaResponse
from dailies.transfer.formats import IntegrityCheck, Reads
from dailies.transfer.mp4 import MediaInfo
from dailies.transfer.multipart import MultipartObject
from dailies.transfer.parallel import Parts
from dailies.transfer.source import Source
from dailies.transfer.upload import PIECE_BYTES, ChunkBuffer, PutStream, UploadedPart, crc_text
from dailies.transfer.watchdog import Watchdog

PART_BYTES = 20 * 1024 * 1024  # a video of 20 MB then needs one call to S3, not four, which are half of its cost
HELD_BYTES = 8 * 1024 * 1024  # in each part of a medium of unknown length: a part is held until it is full
MAX_PARTS = 10_000  # S3's limit
NOTHING = MediaInfo()


def _ignore(_: Upload) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A medium to store, and the rules for it.

    - `url`: the medium's link.
    - `policy`: the hosts that may be fetched.
    - `kinds`: the kinds of medium that are accepted.
    - `key`: makes the object's key from the file extension.
    - `metadata`: the object's metadata, in ASCII.
    - `max_bytes`: the max size of the medium.
    - `seconds`: the time limit. A later run can resume a multipart upload that reached it.
    - `network`: how connections are made.
    - `on_upload`: receives a multipart upload before its first part is sent.
    - `resume`: the upload that `on_upload` received in an earlier run. That run must have ended.
    - `reads`: returns whether it can read a line of JSON lines; it must for at least one. None: any JSON is accepted.
    """

    url: str
    policy: FetchPolicy
    kinds: frozenset[MediaKind]
    key: Callable[[str], str]
    metadata: Mapping[str, str]
    max_bytes: int
    seconds: float
    network: Network = field(default_factory=Network)
    on_upload: Callable[[Upload], None] = _ignore
    resume: Upload | None = None
    reads: Reads | None = None


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The stored object.

    `version_id` is empty in a bucket without versions. `bytes`: the size. `checksum`: `crc64nvme:` and base64, for the
    complete object; S3 has compared it with the bytes, and keeps it. `source_host`: the host that sent the medium.
    `media_info` is from the medium's header.
    """

    key: str
    version_id: str
    bytes: int
    checksum: str
    content_type: str
    source_host: str
    media_info: MediaInfo = NOTHING


@dataclass(frozen=True, slots=True)
class PartialTransfer:
    """A multipart upload that reached the time limit, to be resumed by a later run. `parts`: number of stored parts."""

    upload: Upload
    parts: int


def transfer(request: TransferRequest, bucket: Bucket) -> TransferResult | PartialTransfer:
    """Store the complete medium. PartialTransfer if the time limit came first.

    If the key has an object already, return that one: an earlier attempt stored it and failed before it was recorded.
    An earlier run's upload is resumed, or aborted if the medium has changed.

    A TransferError leaves no object. It leaves an upload only if a later run should resume it. HostFailed and
    StorageFailed: a retry may help. LinkDead: the host refuses the link. MediumRefused: the medium breaks the rules.
    """
    with (
        _storage_failures(),
        Watchdog(request.seconds) as watchdog,
        watchdog.closing(media.get(request.url, request.policy, request.network)) as medium,
        media.explained(medium),
    ):
        source = Source(medium, request.kinds, request.max_bytes)
        target = MultipartObject(bucket, request.key(source.what.extension), source.what.content_type, request.metadata)
        integrity = IntegrityCheck(source.what, request.reads)
        try:
            there = _sent_before(request.resume, target, medium, integrity) if request.resume else {}
            if medium.total is None:
                sent = _unknown_length(source, target, integrity)
            elif medium.total <= PART_BYTES:
                sent = _as_one(source, target, integrity, medium.total)
            else:
                done = _in_parts(request, source, target, integrity, watchdog, sent=there)
                if isinstance(done, PartialTransfer):
                    return done
                sent = done
        except ObjectExists:
            return _result(source, target, *target.existing())
        return _result(
            source, target, sent.version_id, sent.bytes, crc_text(sent.crc), media_info=integrity.media_info()
        )


def _as_one(source: Source, target: MultipartObject, integrity: IntegrityCheck, total: int) -> UploadedPart:
    """Upload in one request. The last piece is sent only after the check of the complete medium."""
    buffer = ChunkBuffer()
    with target.stream() as stream:
        target.put(stream, total)
        for offset in range(0, total, PIECE_BYTES):
            piece = buffer.piece[: min(PIECE_BYTES, total - offset)]
            if source.fill(piece) < len(piece):
                raise HostFailed(f"cut short: less than {total} bytes")
            integrity.feed(offset, piece)
            if offset + len(piece) == total:
                _check(integrity, total)
            stream.send(buffer, len(piece))
        return stream.finish()


def _unknown_length(source: Source, target: MultipartObject, integrity: IntegrityCheck) -> UploadedPart:
    """Upload a medium of unknown length. Only its format shows whether it is complete."""
    if source.medium.open_ended and not integrity.knows_end:
        raise HostFailed("the host answered a range of a medium of unknown size")
    held = memoryview(bytearray(HELD_BYTES))
    filled = source.fill(held)
    integrity.feed(0, held[:filled])
    with target.stream() as stream:
        if filled < len(held):
            _check(integrity, filled)
            target.put(stream, filled)
            return _send(stream, held[:filled])
        upload = target.begin(len(held), 0, "")
        try:
            sent: dict[int, UploadedPart] = {}
            total = 0
            while filled:
                number = len(sent) + 1
                stream.begin(filled, {"partNumber": str(number), "uploadId": upload.upload_id})
                sent[number] = _send(stream, held[:filled])
                stream.close()  # S3 would close it while a slow host fills the next part
                total += filled
                filled = source.fill(held)
                integrity.feed(total, held[:filled])
            _check(integrity, total)
            return target.complete(upload, sent)
        except BaseException:
            target.abort(upload)
            raise


def _send(stream: PutStream, body: memoryview) -> UploadedPart:
    buffer = ChunkBuffer()
    for offset in range(0, len(body), PIECE_BYTES):
        piece = body[offset : offset + PIECE_BYTES]
        buffer.piece[: len(piece)] = piece
        stream.send(buffer, len(piece))
    return stream.finish()


def _in_parts(
    request: TransferRequest,
    source: Source,
    target: MultipartObject,
    integrity: IntegrityCheck,
    watchdog: Watchdog,
    *,
    sent: dict[int, UploadedPart],
) -> UploadedPart | PartialTransfer:
    """Upload in parts, without those that an earlier run sent."""
    there = len(sent)
    medium = source.medium
    total = medium.total or 0
    upload = request.resume if request.resume and sent else _begun(request, target, medium, total)
    if sent:  # ranges will fetch the rest: of this stream only the first piece is checked
        first = memoryview(bytearray(PIECE_BYTES))
        integrity.feed(0, first[: source.fill(first)])
        medium.close()
    parts = Parts(
        url=request.url,
        policy=request.policy,
        network=request.network,
        watchdog=watchdog,
        medium=medium,
        fill=None if sent else source.fill,
        integrity=integrity,
        target=target,
        upload=upload,
        sent=sent,
    )
    wrong = False
    try:
        if not parts.run():
            return PartialTransfer(upload, len(parts.sent))
        # If a gap is left, the medium has too many boxes to fetch each header: its length must be enough.
        if integrity.next_gap(total) is None:
            wrong = bool(integrity.error(total))
            _check(integrity, total)
        return target.complete(upload, parts.sent)
    except BaseException as error:
        kept = _in_any_order(medium, integrity) and not wrong and _resumable(error, len(parts.sent), there)
        if not kept:
            target.abort(upload)
        raise


def _resumable(error: BaseException, sent: int, there: int) -> bool:
    """Whether a later run may resume the upload after this error. Not if the host failed before this run added a part:
    some hosts only send the complete medium, which the next run then requests."""
    match error:
        case HostFailed() | LinkDead():
            return sent > there
        case StorageFailed() | ClientError() | BotoCoreError():
            return sent > 0
        case _:
            return False


def _sent_before(
    old: Upload, target: MultipartObject, medium: MediaResponse, integrity: IntegrityCheck
) -> dict[int, UploadedPart]:
    """The parts of an earlier run's upload; none if it has none, or is of another medium: it is then aborted.
    ObjectExists if the earlier run completed it."""
    same = (old.key, old.total, old.validator) == (target.key, medium.total, medium.validator)
    if same and _in_any_order(medium, integrity) and (sent := target.uploaded_parts(old)):
        return sent
    target.abort(old)
    if old.key == target.key and target.exists():
        raise ObjectExists(target.key)
    return {}


def _in_any_order(medium: MediaResponse, integrity: IntegrityCheck) -> bool:
    """Whether the medium's parts can be requested one by one."""
    return medium.ranges and bool(medium.validator) and not integrity.in_order


def _begun(request: TransferRequest, target: MultipartObject, medium: MediaResponse, total: int) -> Upload:
    part_bytes = max(PART_BYTES, -(-total // MAX_PARTS))
    part_bytes += -part_bytes % PIECE_BYTES
    upload = target.begin(part_bytes, total, medium.validator)
    request.on_upload(upload)
    return upload


def _check(integrity: IntegrityCheck, total: int) -> None:
    if error := integrity.error(total):
        raise HostFailed(f"cut short: {error}")
    if integrity.unread:
        raise HostFailed("no row could be read")  # for example an error message instead of the results


def _result(
    source: Source,
    target: MultipartObject,
    version_id: str,
    size: int,
    checksum: str,
    *,
    media_info: MediaInfo = NOTHING,
) -> TransferResult:
    return TransferResult(
        key=target.key,
        version_id=version_id,
        bytes=size,
        checksum=f"crc64nvme:{checksum}",
        content_type=source.what.content_type,
        source_host=source.medium.place.name,
        media_info=media_info,
    )


@contextmanager
def _storage_failures() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StorageFailed(f"S3 answered {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise StorageFailed(f"S3 did not answer: {type(error).__name__}") from error
