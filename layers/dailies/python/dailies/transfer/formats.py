"""What kind of medium bytes are, and whether they are whole: by the bytes alone, never by a header's word. Pure.

Formats: ISO/IEC 14496-12 (MP4, MOV), PNG, JPEG, GIF, RIFF (WebP, WAV), MP3, Matroska, JSON lines.
"""

import json
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dailies.jobs.models import MediaKind
from dailies.outbound.responses import shows_compression
from dailies.transfer.mp4 import BoxWalk, MediaInfo

type Reads = Callable[[bytes], bool]

HEAD_BYTES = 64  # enough for every mark below
TAIL_BYTES = 16
UNKNOWN = "no known medium"
MAX_LINE = 1024 * 1024  # of JSON lines; a longer one is not what a provider lists jobs in


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of medium and how its objects are called."""

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
JSONL = Format("jsonl", "application/x-ndjson", "jsonl")

# The first that matches; the marks stand in the first HEAD_BYTES.
MAGIC: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
    (re.compile(mark, re.DOTALL), what)
    for mark, what in (
        (rb".{4}ftypqt  ", MOV),
        (rb".{4}ftypM4[AB]", M4A),
        (rb".{4}ftyp", MP4),
        (rb".{4}(?:moov|mdat|wide|free|skip|pnot)", MOV),  # QuickTime from before ftyp
        (rb"\x1a\x45\xdf\xa3.*webm", WEBM),
        (rb"\x1a\x45\xdf\xa3", MKV),
        (rb"\x89PNG\r\n\x1a\n", PNG),
        (rb"\xff\xd8\xff", JPEG),
        (rb"GIF8[79]a", GIF),
        (rb"RIFF.{4}WEBP", WEBP),
        (rb"RIFF.{4}WAVE", WAV),
        (rb"ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]", MP3),
        (rb"\s*\{", JSONL),
    )
)


def sniff(head: bytes) -> Format | None:
    """The format that the first bytes show; None where they show none of a medium."""
    return next((what for mark, what in MAGIC if mark.match(head)), None)


def looks_like(head: bytes) -> str:
    """For a reason: what the bytes are instead of a medium."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
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
    """Whether bytes are a whole medium, as far as their format tells. See them all, at their offsets, then ask.

    Boxes and end marks may be seen in any order, lines (`in_order`) only one after the other. `reads`: whether whoever
    wants the medium can read a line of it; None where any JSON will do.
    """

    format: Format
    reads: Reads | None = None
    boxes: BoxWalk | None = field(init=False)
    _lines: "_LineWalk | None" = field(init=False)
    _head: bytes = b""
    _tail: bytes = b""
    _end: int = 0

    def __post_init__(self) -> None:
        self.boxes = BoxWalk() if self.format in (MP4, MOV, M4A) else None
        self._lines = _LineWalk(self.reads) if self.format is JSONL else None

    @property
    def in_order(self) -> bool:
        """Whether the bytes must be seen in their order."""
        return self._lines is not None

    @property
    def knows_end(self) -> bool:
        """Whether the format shows where the medium ends."""
        return bool(self.boxes) or self.format in END_MARKS or self.format in (WEBP, WAV)

    @property
    def unread(self) -> bool:
        """Whether none of its lines, all seen, is one that can be read."""
        return self._lines is not None and self._lines.unread

    def feed(self, offset: int, piece: bytes | memoryview) -> None:
        """Bytes that stand at `offset`."""
        if offset == 0:
            self._head = bytes(piece[:HEAD_BYTES])
        self._keep_tail(offset, bytes(piece[-TAIL_BYTES:]), offset + len(piece))
        if self.boxes:
            self.boxes.feed(offset, piece)
        if self._lines:
            self._lines.feed(piece)

    def next_gap(self, total: int) -> int | None:
        """Where bytes stand that must still be seen to tell; None where there are none."""
        if self.boxes:
            return self.boxes.next_gap(total)
        seen = self._end >= total and len(self._tail) >= min(TAIL_BYTES, total)
        return None if seen or self.format not in END_MARKS else max(0, total - TAIL_BYTES)

    def error(self, total: int) -> str:
        """What is missing of a medium of `total` bytes; empty where it is whole."""
        if self.boxes:
            return self.boxes.error(total)
        if self._lines:
            return self._lines.error()
        ends = END_MARKS.get(self.format)
        if ends and not ends(self._tail):
            return f"the {self.format.extension} has no end mark"
        return self._riff_problem(total) if self.format in (WEBP, WAV) else ""

    def media_info(self) -> MediaInfo:
        """Duration and picture size, where the format's header says them."""
        return self.boxes.media_info() if self.boxes else MediaInfo()

    def _keep_tail(self, start: int, last: bytes, end: int) -> None:
        """A piece's last bytes, where they are the last that were seen, or more of them: a part may be shorter than
        an end mark, and seen before the one in front of it."""
        tail = (self._tail + last)[-TAIL_BYTES:] if start == self._end else last
        if end > self._end or (end == self._end and len(tail) > len(self._tail)):
            self._tail, self._end = tail, end

    def _riff_problem(self, total: int) -> str:
        said = int.from_bytes(self._head[4:8], "little") + 8
        streamed = said in (8, 0xFFFFFFFF + 8)  # written without knowing the length: says nothing
        return "" if streamed or said <= total else f"the {self.format.extension} is {said - total} bytes short"


END_MARKS: dict[Format, Callable[[bytes], bool]] = {
    PNG: lambda tail: tail.endswith(b"IEND\xaeB`\x82"),
    JPEG: lambda tail: tail.rstrip(b"\0\r\n").endswith(b"\xff\xd9"),
    GIF: lambda tail: tail.rstrip(b"\0").endswith(b";"),
}


@dataclass(slots=True)
class _LineWalk:
    """Over JSON lines: each must parse, and one of them be read, where somebody wants to."""

    _reads: Reads | None
    _read: bool = False
    _rest: bytes = b""
    _bad: bool = False

    def feed(self, piece: bytes | memoryview) -> None:
        if self._bad:  # nothing mends it, and what follows need not be kept
            return
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
