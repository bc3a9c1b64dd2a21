"""What kind of medium bytes are, and whether they are whole: by the bytes alone, never by a header's word. Pure.

Formats: ISO/IEC 14496-12 (MP4, MOV), PNG, JPEG, GIF, RIFF (WebP, WAV), MP3, Matroska, JSON lines.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

type Kind = Literal["video", "audio", "image", "jsonl"]

HEAD_BYTES = 64  # enough for every mark below
TAIL_BYTES = 16
MOST_LINE = 1024 * 1024  # of JSON lines; a longer one is not what a provider lists jobs in


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of medium and how its objects are called."""

    kind: Kind
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
MARKS: tuple[tuple[re.Pattern[bytes], Format], ...] = tuple(
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
    return next((what for mark, what in MARKS if mark.match(head)), None)


def looks_like(head: bytes) -> str:
    """For a reason: what the bytes are instead of a medium."""
    start = head.lstrip()[:16].lower()
    if not head:
        return "nothing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith(b"<"):
        return "XML or HTML"
    return "JSON" if start.startswith((b"{", b"[")) else "no known medium"


@dataclass(slots=True)
class Wholeness:
    """Whether bytes are a whole medium, as far as their format tells. Feed them all, in order, then ask."""

    format: Format
    _total: int = 0
    _head: bytes = b""
    _tail: bytes = b""
    _walk: "_BoxWalk | _LineWalk | None" = field(default=None)

    def __post_init__(self) -> None:
        if self.format in (MP4, MOV, M4A):
            self._walk = _BoxWalk()
        elif self.format is JSONL:
            self._walk = _LineWalk()

    def feed(self, piece: bytes | memoryview) -> None:
        """The next bytes."""
        self._total += len(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += bytes(piece[: HEAD_BYTES - len(self._head)])
        self._tail = (self._tail + bytes(piece[-TAIL_BYTES:]))[-TAIL_BYTES:]
        if self._walk:
            self._walk.feed(piece)

    def problem(self) -> str:
        """What is missing at the end; empty where it is whole, as far as its format lets one see."""
        if self._walk:
            return self._walk.problem()
        ends = END_MARKS.get(self.format)
        if ends and not ends(self._tail):
            return f"the {self.format.extension} has no end mark"
        if self.format in (WEBP, WAV):
            return self._riff_problem()
        return ""

    def _riff_problem(self) -> str:
        said = int.from_bytes(self._head[4:8], "little") + 8
        streamed = said in (8, 0xFFFFFFFF + 8)  # written without knowing the length: says nothing
        return (
            ""
            if streamed or said <= self._total
            else f"the {self.format.extension} is {said - self._total} bytes short"
        )


END_MARKS: dict[Format, Callable[[bytes], bool]] = {
    PNG: lambda tail: tail.endswith(b"IEND\xaeB`\x82"),
    JPEG: lambda tail: tail.rstrip(b"\0\r\n").endswith(b"\xff\xd9"),
    GIF: lambda tail: tail.rstrip(b"\0").endswith(b";"),
}


@dataclass(slots=True)
class _BoxWalk:
    """Over the top boxes of an MP4: they must end where the bytes end, and `moov` and `mdat` be there: nothing plays
    without the index or without what it points to, and a cut between two boxes shows in nothing else."""

    _skip: int = 0
    _header: bytes = b""
    _missing: set[bytes] = field(default_factory=lambda: {b"moov", b"mdat"})
    _open_end: bool = False

    def feed(self, piece: bytes | memoryview) -> None:
        at = 0
        while at < len(piece) and not self._open_end:
            if self._skip:
                step = min(self._skip, len(piece) - at)
                self._skip -= step
                at += step
                continue
            need = 16 if self._header[:4] == b"\0\0\0\1" else 8  # a size of 1: the true one follows in 8 bytes
            step = min(need - len(self._header), len(piece) - at)
            self._header += bytes(piece[at : at + step])
            at += step
            if len(self._header) == need and not (need == 8 and self._header[:4] == b"\0\0\0\1"):
                self._enter(need)

    def _enter(self, header: int) -> None:
        size = int.from_bytes(self._header[8:16] if header == 16 else self._header[:4], "big")
        self._missing.discard(self._header[4:8])
        self._header = b""
        self._open_end = size == 0 or size < header  # to the end of the file; or no box at all
        self._skip = max(0, size - header)

    def problem(self) -> str:
        if self._skip or self._header.strip(b"\0"):  # a few zeros at the end are padding
            return "the MP4 is cut within a box"
        return f"the MP4 has no {b' and no '.join(sorted(self._missing)).decode()} box" if self._missing else ""


@dataclass(slots=True)
class _LineWalk:
    """Over JSON lines: each must parse."""

    _rest: bytes = b""
    _bad: bool = False

    def feed(self, piece: bytes | memoryview) -> None:
        if self._bad:  # nothing mends it, and what follows need not be kept
            return
        *lines, self._rest = (self._rest + bytes(piece)).split(b"\n")
        self._bad = len(self._rest) > MOST_LINE or not all(map(_parses, lines))

    def problem(self) -> str:
        return "a line is no JSON" if self._bad or not _parses(self._rest) else ""


def _parses(line: bytes) -> bool:
    if not line.strip():
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
