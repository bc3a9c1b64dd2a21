"""A link to an object: passes a medium through into the bucket, checks it on the way, completes only what is whole.

What is small enough goes as one object, by one GET and one PUT; the rest in parts. A host that answers ranges
truthfully is asked by more connections for as long as that makes it faster; any other is streamed once. Only the pieces
at hand are in memory. How and why: docs/archive.md.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, LinkDead, MediumRefused, ObjectExists, StorageFailed
from dailies.jobs.models import MediaKind, Upload
from dailies.outbound import media, responses
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.outbound.media import MediaResponse
from dailies.transfer import formats
from dailies.transfer.formats import HEAD_BYTES, JSONL, Format, IntegrityCheck, Reads
from dailies.transfer.mp4 import MediaInfo
from dailies.transfer.multipart import MultipartObject
from dailies.transfer.parallel import Parts
from dailies.transfer.upload import PIECE_BYTES, ChunkBuffer, PutStream, UploadedPart, crc_text
from dailies.transfer.watchdog import Watchdog

PART_BYTES = 20 * 1024 * 1024  # a video of 20 MB is one call to S3, not four, which are half of what it costs
HELD_BYTES = 8 * 1024 * 1024  # of a medium whose length nobody promised: each part is held until it is full
MAX_PARTS = 10_000  # S3's own limit
NOTHING = MediaInfo()


def _nobody(_: Upload) -> None:
    """Who does not want to hear of an upload."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What is to be transferred, and the rules for it.

    `kinds`: what it may be. `key`: where the object goes, by the file extension. `metadata`: ASCII. `max_bytes`: how
    large it may be. `seconds`: how long it may take; what is not done by then can be gone on with. `began` hears of an
    upload in parts before its first part is sent; `resume` is what it heard in an earlier run, which must be over.
    `reads`: whether a line of it can be read, which must hold of one at least; None where any JSON will do.
    """

    url: str
    ways: FetchPolicy
    kinds: frozenset[MediaKind]
    key: Callable[[str], str]
    metadata: Mapping[str, str]
    max_bytes: int
    seconds: float
    network: Network = field(default_factory=Network)
    began: Callable[[Upload], None] = _nobody
    resume: Upload | None = None
    reads: Reads | None = None


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The object. `checksum` is what S3 checked the bytes against and keeps, over the whole object: `crc64nvme:` and
    base64. `facts` stand in the medium's header."""

    key: str
    version_id: str
    bytes: int
    checksum: str
    content_type: str
    source_host: str
    facts: MediaInfo = NOTHING


@dataclass(frozen=True, slots=True)
class PartialTransfer:
    """The time was over first. The upload holds so many of its parts, and can be gone on with."""

    upload: Upload
    parts: int


def transfer(order: TransferRequest, bucket: Bucket) -> TransferResult | PartialTransfer:
    """Store the medium, whole, or raise a TransferError and leave no object, and no upload but one that another run
    should go on with.

    Where the object is there already (an earlier try stored it and fell before it could tell), that one is the result.
    An earlier run's upload is gone on with or, as soon as the medium is seen to be another, dropped.
    """
    with (
        _storage_failures(),
        Watchdog(order.seconds) as watch,
        watch.over(media.get(order.url, order.ways, order.network)) as medium,
        _explained(medium),
    ):
        source = _Source(medium, order)
        target = MultipartObject(bucket, order.key(source.what.extension), source.what.content_type, order.metadata)
        whole = IntegrityCheck(source.what, order.reads)
        try:
            there = _sent_before(order.resume, target, medium, whole) if order.resume else {}
            if medium.total is None:
                sent = _unmeasured(source, target, whole)
            elif medium.total <= PART_BYTES:
                sent = _as_one(source, target, whole, medium.total)
            else:
                done = _in_parts(order, source, target, whole, watch, sent=there)
                if isinstance(done, PartialTransfer):
                    return done
                sent = done
        except ObjectExists:
            return _stored(source, target, *target.there())
        return _stored(source, target, sent.version_id, sent.bytes, crc_text(sent.crc), facts=whole.media_info())


class _Source:
    """A medium whose first bytes were read, to see what it is."""

    def __init__(self, medium: MediaResponse, order: TransferRequest) -> None:
        self.medium = medium
        self._most = order.max_bytes
        self._taken = 0
        if medium.contradicted and (medium.total or 0) > self._most:
            raise HostFailed(f"larger than the limit of {self._most} bytes")  # the host gave two sizes
        self.within_limit(medium.total or 0)
        self._first = memoryview(bytearray(PIECE_BYTES))
        self._first = self._first[: medium.read_into(self._first)]
        self.what = _format(bytes(self._first[:HEAD_BYTES]), medium, order)

    def fill(self, buffer: memoryview) -> int:
        """Fill a buffer of at least PIECE_BYTES with the next bytes; less only at the end."""
        filled = 0
        if self._first:
            filled = min(len(self._first), len(buffer))
            buffer[:filled] = self._first[:filled]
            self._first = self._first[filled:]
        while filled < len(buffer) and (read := self.medium.read_into(buffer[filled : filled + PIECE_BYTES])):
            filled += read
        self._taken += filled
        self.within_limit(self._taken)
        return filled

    def within_limit(self, size: int) -> None:
        if size > self._most:
            raise MediumRefused(f"larger than the limit of {self._most} bytes")


def _format(head: bytes, medium: MediaResponse, order: TransferRequest) -> Format:
    """The format of a wanted kind that the bytes show. MediumRefused if they show another one, or are compressed; with
    `not_ready` if they show none, as before the host has the medium."""
    found = formats.sniff(head)
    if found and found.kind in order.kinds:
        return found
    if formats.is_compressed(head, medium.codings):
        raise MediumRefused(responses.COMPRESSED)
    expected = " or ".join(sorted(order.kinds))
    if found and found is not JSONL:
        raise MediumRefused(f"not {expected}: {found.content_type}")
    raise MediumRefused(f"not {expected}: {formats.looks_like(head)}; it may not be ready yet", not_ready=True)


def _as_one(source: _Source, target: MultipartObject, whole: IntegrityCheck, total: int) -> UploadedPart:
    """Passed through as one object: its last bytes are sent when all of it was seen to be right."""
    frame = ChunkBuffer()
    with target.lane() as lane:
        target.put(lane, total)
        for offset in range(0, total, PIECE_BYTES):
            piece = frame.piece[: min(PIECE_BYTES, total - offset)]
            if source.fill(piece) < len(piece):
                raise HostFailed(f"cut short: less than {total} bytes")
            whole.feed(offset, piece)
            if offset + len(piece) == total:
                _check(whole, total)
            lane.send(frame, len(piece))
        return lane.finish()


def _unmeasured(source: _Source, target: MultipartObject, whole: IntegrityCheck) -> UploadedPart:
    """A medium whose length nobody promised, so that it ends where it ends: only its container tells whether it is
    whole."""
    if source.medium.open_ended and not whole.knows_end:
        raise HostFailed("the host answered a range of a medium of unknown size")
    held = memoryview(bytearray(HELD_BYTES))
    filled = source.fill(held)
    whole.feed(0, held[:filled])
    with target.lane() as lane:
        if filled < len(held):
            _check(whole, filled)
            target.put(lane, filled)
            return _send(lane, held[:filled])
        upload = target.begin(len(held), 0, "")
        try:
            sent: dict[int, UploadedPart] = {}
            total = 0
            while filled:
                number = len(sent) + 1
                lane.begin(filled, {"partNumber": str(number), "uploadId": upload.upload_id})
                sent[number] = _send(lane, held[:filled])
                lane.close()  # S3 would hang up by itself while a slow host fills the next part
                total += filled
                filled = source.fill(held)
                whole.feed(total, held[:filled])
            _check(whole, total)
            return target.complete(upload, sent)
        except BaseException:
            target.drop(upload)
            raise


def _send(lane: PutStream, body: memoryview) -> UploadedPart:
    frame = ChunkBuffer()
    for offset in range(0, len(body), PIECE_BYTES):
        piece = body[offset : offset + PIECE_BYTES]
        frame.piece[: len(piece)] = piece
        lane.send(frame, len(piece))
    return lane.finish()


def _in_parts(
    order: TransferRequest,
    source: _Source,
    target: MultipartObject,
    whole: IntegrityCheck,
    watch: Watchdog,
    *,
    sent: dict[int, UploadedPart],
) -> UploadedPart | PartialTransfer:
    """In parts, without those that an earlier run sent."""
    there = len(sent)
    medium = source.medium
    total = medium.total or 0
    upload = order.resume if order.resume and sent else _begun(order, target, medium, total)
    if sent:  # the stream stands at the front, which S3 has: seen for the container, then left
        first = memoryview(bytearray(PIECE_BYTES))
        whole.feed(0, first[: source.fill(first)])
        medium.close()
    parts = Parts(
        url=order.url,
        ways=order.ways,
        network=order.network,
        watch=watch,
        medium=medium,
        fill=None if sent else source.fill,
        whole=whole,
        target=target,
        upload=upload,
        sent=sent,
    )
    wrong = False
    try:
        if not parts.run():
            return PartialTransfer(upload, len(parts.sent))
        if whole.next_gap(total) is None:  # else it has too many boxes to look at each: the promised length must do
            wrong = bool(whole.error(total))
            _check(whole, total)
        return target.complete(upload, parts.sent)
    except BaseException as error:
        kept = _in_any_order(medium, whole) and not wrong and _may_go_on(error, len(parts.sent), there)
        if not kept:
            target.drop(upload)
        raise


def _may_go_on(error: BaseException, sent: int, there: int) -> bool:
    """Whether the parts that are sent are kept for another run. Where the host let this one add none to those that were
    there, the next one asks for the whole: some hosts give nothing else."""
    match error:
        case HostFailed() | LinkDead():
            return sent > there
        case StorageFailed() | ClientError() | BotoCoreError():
            return sent > 0
        case _:
            return False


def _sent_before(
    old: Upload, target: MultipartObject, medium: MediaResponse, whole: IntegrityCheck
) -> dict[int, UploadedPart]:
    """What S3 has of an earlier run's upload; where it has nothing, or not of this medium, no such upload is left.
    ObjectExists where it became an object, and its run fell before it could tell."""
    same = (old.key, old.total, old.validator) == (target.key, medium.total, medium.validator)
    if same and _in_any_order(medium, whole) and (sent := target.sent(old)):
        return sent
    target.drop(old)
    if old.key == target.key and target.exists():
        raise ObjectExists(target.key)
    return {}


def _in_any_order(medium: MediaResponse, whole: IntegrityCheck) -> bool:
    """Whether its parts can be asked for one by one, and only those that are not there."""
    return medium.ranges and bool(medium.validator) and not whole.in_order


def _begun(order: TransferRequest, target: MultipartObject, medium: MediaResponse, total: int) -> Upload:
    part_bytes = max(PART_BYTES, -(-total // MAX_PARTS))
    part_bytes += -part_bytes % PIECE_BYTES
    upload = target.begin(part_bytes, total, medium.validator)
    order.began(upload)
    return upload


def _check(whole: IntegrityCheck, total: int) -> None:
    if problem := whole.error(total):
        raise HostFailed(f"cut short: {problem}")
    if whole.unread:
        raise HostFailed("no row of it could be read")  # an error in the place of what is not ready, for example


def _stored(
    source: _Source, target: MultipartObject, version_id: str, size: int, checksum: str, *, facts: MediaInfo = NOTHING
) -> TransferResult:
    return TransferResult(
        key=target.key,
        version_id=version_id,
        bytes=size,
        checksum=f"crc64nvme:{checksum}",
        content_type=source.what.content_type,
        source_host=source.medium.place.name,
        facts=facts,
    )


@contextmanager
def _explained(medium: MediaResponse) -> Iterator[None]:
    """Name in a failure why the medium was requested without a range."""
    try:
        yield
    except HostFailed as error:
        if not medium.instead_of:
            raise
        raise media.without_range(medium.instead_of, error) from error


@contextmanager
def _storage_failures() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StorageFailed(f"S3 answered {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise StorageFailed(f"S3 did not answer: {type(error).__name__}") from error
