"""The format of a medium and whether it is complete: by its bytes alone, never by an HTTP header. Pure.

Complete as far as the format says: boxes of ISO/IEC 14496-12 (MP4, MOV, AVIF, HEIC), the segment of WebM and Matroska,
blocks of PNG, JPEG and GIF, frames of MP3, the size in RIFF (WebP, WAV), each of the JSON lines. The other formats are
only recognised.
"""

import json
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dailies.jobs.models import MediaKind
from dailies.outbound.responses import shows_compression
from dailies.transfer.ebml import SegmentWalk
from dailies.transfer.headers import header_info
from dailies.transfer.images import gif, jpeg, png
from dailies.transfer.mp3 import mp3
from dailies.transfer.mp4 import BoxWalk, MediaInfo
from dailies.transfer.ogg import ogg
from dailies.transfer.walk import Steps, Walk

type Reads = Callable[[bytes], bool]

TS_PACKET = 188  # bytes
TAIL_BYTES = 16
HEAD_BYTES = 512  # enough for every mark below: three packets of MPEG-TS
UNKNOWN = "no known medium"
MAX_LINE = 1024 * 1024  # bytes of a JSON line; no provider lists a job in a longer one


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its kind, and the type and extension of its objects."""

    kind: MediaKind
    content_type: str
    extension: str


MP4 = Format("video", "video/mp4", "mp4")
MOV = Format("video", "video/quicktime", "mov")
M4A = Format("audio", "audio/mp4", "m4a")
WEBM = Format("video", "video/webm", "webm")
MKV = Format("video", "video/x-matroska", "mkv")
PNG = Format("image", "image/png", "png")
JPEG = Format("image", "image/jpeg", "jpg")
GIF = Format("image", "image/gif", "gif")
WEBP = Format("image", "image/webp", "webp")
WAV = Format("audio", "audio/wav", "wav")
MP3 = Format("audio", "audio/mpeg", "mp3")
AVIF = Format("image", "image/avif", "avif")
HEIC = Format("image", "image/heic", "heic")
JXL = Format("image", "image/jxl", "jxl")
FLAC = Format("audio", "audio/flac", "flac")
OGG = Format("audio", "audio/ogg", "ogg")
AAC = Format("audio", "audio/aac", "aac")
AIFF = Format("audio", "audio/aiff", "aiff")
TS = Format("video", "video/mp2t", "ts")
JSONL = Format("jsonl", "application/x-ndjson", "jsonl")

# The first that matches; all marks are in the first HEAD_BYTES.
MAGIC: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
    (re.compile(mark, re.DOTALL), what)
    for mark, what in (
        (rb".{4}ftyp(?:avif|avis)", AVIF),
        (rb".{4}ftyp(?:hei[cxms]|hev[cxms])", HEIC),
        (rb".{4}ftypmi[fa]1.{4}(?:.{4}){0,12}?avi[fs]", AVIF),  # a general brand, the right one among the compatible
        (rb".{4}ftypm[is]f1.{4}(?:.{4}){0,12}?hei[cxms]", HEIC),
        (rb".{4}ftypqt  ", MOV),
        (rb".{4}ftypM4[AB]", M4A),
        (rb".{4}(?:ftyp|styp)", MP4),
        (rb".{4}(?:moov|mdat|wide|free|skip|pnot)", MOV),  # QuickTime from before ftyp
        (rb"\x1a\x45\xdf\xa3.*webm", WEBM),
        (rb"\x1a\x45\xdf\xa3", MKV),
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"\xff\xd8\xff", JPEG),
        (rb"GIF8[79]a", GIF),
        (rb"RIFF.{4}WEBP", WEBP),
        (rb"(?:RIFF|RF64|BW64).{4}WAVE", WAV),
        (rb"FORM.{4}AIF[FC]", AIFF),
        (rb"fLaC", FLAC),
        (rb"OggS\0", OGG),
        (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", JXL),
        (rb"(?:G.{187}){2}G", TS),
        (rb"\xff[\xf0\xf1\xf8\xf9]", AAC),  # ADTS: no layer
        (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", MP3),  # layer III of MPEG 2.5, 2 and 1
        (rb"(?:\xef\xbb\xbf)?\s*\{", JSONL),
    )
)


def sniff(head: bytes) -> Format | None:
    """The format that the first bytes show; None if they show none."""
    return next((what for mark, what in MAGIC if mark.match(head)), None)


def looks_like(head: bytes) -> str:
    """What the bytes are instead of a medium, for an error's reason."""
    start = head.removeprefix(BOM_UTF8).lstrip()[:16].lower()
    if not start:
        return "nothing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith(b"<"):
        return "XML or HTML"
    return "JSON" if start.startswith((b"{", b"[")) else UNKNOWN


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", "ignore")  # a character may be cut at the end
    return len(text.encode()) > len(head) - 4 and all(sign.isprintable() or sign.isspace() for sign in text)


def is_compressed(head: bytes, codings: Collection[str]) -> bool:
    """Whether bytes that are no medium are a compressed one: by their own marks, and for codings that have none by
    their label in `codings`."""
    if not head or _is_text(head):
        return False
    if shows_compression(head):
        return True
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):  # deflate with zlib's frame, and raw
        try:
            content = zlib.decompressobj(window).decompress(head)
        except zlib.error:
            continue
        if window > 0 or sniff(content) not in (None, JSONL):
            return True
    return bool(codings)


@dataclass(slots=True)
class IntegrityCheck:
    """Whether bytes are a complete medium, as far as their format says. Feed it all of them, then ask.

    The pieces may be fed in any order, lines (`in_order`) only one after the other. A picture whose pieces arrive in
    another order is judged by its end mark alone. `reads`: whether the caller can read a line; None if any
    JSON will do.
    """

    format: Format
    reads: Reads | None = None
    _boxes: BoxWalk | None = field(init=False)
    _segment: SegmentWalk | None = field(init=False)
    _walk: Walk | None = field(init=False)
    _lines: "_LineWalk | None" = field(init=False)
    _head: bytes = b""
    _tail: bytes = b""
    _end: int = 0
    _walked: int = 0  # bytes that the walk has passed, from the first on

    def __post_init__(self) -> None:
        self._boxes = BoxWalk(*BOXES[self.format]) if self.format in BOXES else None
        self._segment = SegmentWalk() if self.format in (WEBM, MKV) else None
        self._walk = Walk(WALKS[self.format]()) if self.format in WALKS else None
        self._lines = _LineWalk(self.reads) if self.format is JSONL else None

    @property
    def in_order(self) -> bool:
        """Whether the bytes must be fed in their order."""
        return self._lines is not None

    @property
    def knows_end(self) -> bool:
        """Whether the format shows where the medium ends."""
        return bool(self._boxes) or self.format in END_MARKS or self.format in (WEBP, WAV)

    @property
    def unread(self) -> bool:
        """Whether all lines were fed and none of them can be read."""
        return self._lines is not None and self._lines.unread

    def feed(self, offset: int, piece: bytes | memoryview) -> None:
        """The bytes at `offset`."""
        if offset <= len(self._head) < HEAD_BYTES:
            self._head += bytes(piece[len(self._head) - offset : HEAD_BYTES - offset])
        self._keep_tail(offset, bytes(piece[-TAIL_BYTES:]), offset + len(piece))
        for by_offset in (self._boxes, self._segment):
            if by_offset:
                by_offset.feed(offset, piece)
        if self._walk and offset == self._walked:
            self._walk.feed(piece)
            self._walked += len(piece)
        if self._lines:
            self._lines.feed(piece)

    def next_gap(self, total: int) -> int | None:
        """Where the next bytes are that are still needed; None if no more are needed."""
        by_offset = self._boxes or self._segment
        if by_offset:
            return by_offset.next_gap(total)
        seen = self._end >= total and len(self._tail) >= min(TAIL_BYTES, total)
        return None if seen or self.format not in END_MARKS else max(0, total - TAIL_BYTES)

    def error(self, total: int) -> str:
        """What is missing in a medium of `total` bytes; empty if it is complete."""
        if self._boxes:
            return self._boxes.error(total)
        if self._segment:
            problem = self._segment.error(total)
        elif self._walk:
            problem = self._walk_problem(self._walk, total)
        elif self._lines:
            return self._lines.error()
        else:
            problem = self._size_problem(total)
        return f"the {self.format.extension}: {problem}" if problem else ""

    def media_info(self) -> MediaInfo:
        """Duration and picture size if the format's header has them, and the bytes behind the medium's end."""
        if self._walk:
            width, height = self._walk.size or (None, None)
            ends = self.format in END_MARKS and self._walk.end is not None
            return MediaInfo(None, width, height, max(0, self._walked - (self._walk.end or 0)) if ends else 0)
        if self.format in (WEBP, WAV, FLAC):
            return header_info(self._head, self._end)
        by_offset = self._boxes or self._segment
        return by_offset.media_info() if by_offset else MediaInfo()

    def _walk_problem(self, walk: Walk, total: int) -> str:
        if self._walked < total and walk.end is None and not walk.problem:  # the pieces came in another order
            return "" if END_MARKS.get(self.format, _any)(self._tail) else "it has no end mark"
        if walk.end is not None and walk.end > total:
            return f"it is {walk.end - total} bytes short"
        return walk.error()

    def _keep_tail(self, start: int, last: bytes, end: int) -> None:
        """Keep the last bytes of the medium so far: a part may be shorter than an end mark, and arrive first."""
        tail = (self._tail + last)[-TAIL_BYTES:] if start == self._end else last
        if end > self._end or (end == self._end and len(tail) > len(self._tail)):
            self._tail, self._end = tail, end

    def _size_problem(self, total: int) -> str:
        """What the size in the header says."""
        head = self._head
        if self.format is TS and total % TS_PACKET:
            return "it ends within a packet"
        if head[:4] == b"FORM":
            size = int.from_bytes(head[4:8], "big")
        elif head[12:16] == b"ds64":  # RF64: the true size of a WAV of more than 4 GiB
            size = int.from_bytes(head[20:28], "little")
        elif self.format in (WEBP, WAV):
            size = int.from_bytes(head[4:8], "little")
            size = 0 if any(low <= size <= high for low, high in UNKNOWN_SIZES) else size
        else:
            size = 0
        return f"it is {size + 8 - total} bytes short" if size + 8 > total else ""


MOVIE = ("MP4", frozenset({b"moov", b"mdat"}))
BOXES: dict[Format, tuple[str, frozenset[bytes]]] = {
    **dict.fromkeys((MP4, MOV, M4A), MOVIE),
    AVIF: ("AVIF", frozenset({b"meta", b"mdat"})),
    HEIC: ("HEIC", frozenset({b"meta", b"mdat"})),
}
WALKS: dict[Format, Callable[[], Steps]] = {PNG: png, JPEG: jpeg, GIF: gif, MP3: mp3, OGG: ogg}
# How a picture ends, with the padding that some tools add. An MP3 may have tags behind its frames.
END_MARKS: dict[Format, Callable[[bytes], bool]] = {
    PNG: lambda tail: tail.endswith(b"IEND\xaeB`\x82"),
    JPEG: lambda tail: tail.rstrip(b"\0\r\n").endswith(b"\xff\xd9"),
    GIF: lambda tail: tail.rstrip(b"\0").endswith(b";"),
}
# Sizes that programs write into a pipe, where they cannot go back: the largest of 31 or 32 bits, less the header's or a
# buffer's size. No file is that long by chance.
UNKNOWN_SIZES = ((0x7FFF0000, 0x80000FFF), (0xFFFF0000, 0xFFFFFFFF))


def _any(_: bytes) -> bool:
    """The end of a format without an end mark."""
    return True


@dataclass(slots=True)
class _LineWalk:
    """JSON lines: each must parse, and the caller must be able to read one of them, if it wants to."""

    _reads: Reads | None
    _begun: bool = False
    _read: bool = False
    _rest: bytes = b""
    _bad: bool = False

    def feed(self, piece: bytes | memoryview) -> None:
        if self._bad:  # it stays so, and the rest need not be kept
            return
        if not self._begun:
            self._begun, piece = True, bytes(piece).removeprefix(BOM_UTF8)
        *lines, self._rest = (self._rest + bytes(piece)).split(b"\n")
        self._bad = len(self._rest) > MAX_LINE or not all(map(_parses, lines))
        self._read = self._read or (self._reads is not None and any(map(self._reads, lines)))

    @property
    def unread(self) -> bool:
        return self._reads is not None and not self._read and not self._reads(self._rest)

    def error(self) -> str:
        return "a line is no JSON" if self._bad or not _parses(self._rest) else ""


def _parses(line: bytes) -> bool:
    if not line.strip():
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
