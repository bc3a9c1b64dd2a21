"""WebM and Matroska: how long the segment says it is, and what its first elements say of the medium.

https://www.rfc-editor.org/rfc/rfc8794 (EBML), https://www.rfc-editor.org/rfc/rfc9559 (Matroska)
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dailies.transfer.mp4 import MediaInfo

HEADER_BYTES = 64 * 1024  # of the medium's start that are read: muxers put Info and Tracks before the first cluster
EBML, SEGMENT, INFO, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
SCALE, DURATION = 0x2AD7B1, 0x4489
TRACK, VIDEO = 0xAE, 0xE0
WIDTH, HEIGHT, SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_UNIT = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2
USUAL_SCALE = 1_000_000  # nanoseconds of a tick


class Element(NamedTuple):
    """An element: `start` and `end` of its data; `end` is None if its size is unknown, as a live muxer writes it."""

    name: int
    start: int
    end: int | None


@dataclass(slots=True)
class SegmentWalk:
    """Feed it the medium's pieces; those of its first HEADER_BYTES count, in their order."""

    _start: bytearray = field(default_factory=bytearray)

    def feed(self, offset: int, piece: bytes | memoryview) -> None:
        """The bytes at `offset`."""
        if offset <= len(self._start) < min(offset + len(piece), HEADER_BYTES):
            self._start += bytes(piece[len(self._start) - offset : HEADER_BYTES - offset])

    def next_gap(self, total: int) -> int | None:
        """Where the next needed bytes are in an object of `total` bytes; None if no more are needed."""
        return len(self._start) if len(self._start) < min(total, HEADER_BYTES) else None

    def error(self, total: int) -> str:
        """What is missing in an object of `total` bytes; empty if it is complete, as far as it says."""
        segment = self._segment()
        if segment is None:
            return "it has no segment"
        if segment.end is not None and segment.end > total:
            return f"it is {segment.end - total} bytes short"
        names = {element.name for element in _elements(self._start, segment.start, segment.end)}
        if TRACKS not in names and CLUSTER not in names and total <= HEADER_BYTES:
            return "it has no track"
        return ""

    def media_info(self) -> MediaInfo:
        """The duration, and the picture's size as it is shown."""
        segment = self._segment()
        if segment is None:
            return MediaInfo()
        found = {e.name: e for e in _elements(self._start, segment.start, segment.end)}
        width, height = self._size(found[TRACKS]) if TRACKS in found else (None, None)
        return MediaInfo(self._seconds(found[INFO]) if INFO in found else None, width, height)

    def _segment(self) -> Element | None:
        return next((e for e in _elements(self._start, 0, None) if e.name == SEGMENT), None)

    def _seconds(self, info: Element) -> float | None:
        fields = self._fields(info)
        ticks = _float(fields.get(DURATION, b""))
        scale = int.from_bytes(fields.get(SCALE, b""), "big") or USUAL_SCALE
        return ticks * scale / 1e9 if ticks else None

    def _size(self, tracks: Element) -> tuple[int | None, int | None]:
        for track in _elements(self._start, tracks.start, tracks.end):
            for video in _elements(self._start, track.start, track.end) if track.name == TRACK else ():
                if video.name == VIDEO:
                    fields = {name: int.from_bytes(data, "big") for name, data in self._fields(video).items()}
                    in_pixels = not fields.get(SHOWN_UNIT)
                    width = (in_pixels and fields.get(SHOWN_WIDTH)) or fields.get(WIDTH)
                    height = (in_pixels and fields.get(SHOWN_HEIGHT)) or fields.get(HEIGHT)
                    return (width, height) if width and height else (None, None)
        return None, None

    def _fields(self, parent: Element) -> dict[int, bytes]:
        children = _elements(self._start, parent.start, parent.end)
        return {child.name: bytes(self._start[child.start : child.end]) for child in children}


def _elements(data: bytes | bytearray, at: int, end: int | None) -> Iterator[Element]:
    """The elements from `at` on that begin in these bytes, up to `end`. Ends at the first of unknown size."""
    limit = len(data) if end is None else min(end, len(data))
    while at < limit:
        name, start = _number(data, at, keep_mark=True)
        size, start = _number(data, start, keep_mark=False) if name is not None else (None, start)
        if name is None or start > len(data):
            return
        last = None if size is None else start + size
        yield Element(name, start, last)
        if last is None:
            return
        at = last


def _number(data: bytes | bytearray, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """A number of variable length, and where it ends; None for an unknown size, or if it is not all there."""
    if at >= len(data) or not data[at]:
        return None, len(data) + 1
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if keep_mark:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def _float(data: bytes) -> float | None:
    layout = {4: ">f", 8: ">d"}.get(len(data))
    value = struct.unpack(layout, data)[0] if layout else None
    return value if value and 0 < value < 1e15 else None
