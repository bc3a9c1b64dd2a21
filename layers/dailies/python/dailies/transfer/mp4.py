"""Over the boxes of an MP4 or MOV (ISO/IEC 14496-12): whether they end where the bytes end, and what the header says.

The bytes may be seen in any order, as ranges arrive: only those count that hold the next box's header. `missing` says
where that is, so that whoever has random access can go and fetch it.
"""

import struct
from dataclasses import dataclass, field

HEADER_BYTES = 16  # a box's size, its type, and its true size where it needs 64 bits
MOOV_BYTES = 64 * 1024  # of the header that are read: the movie's and the first tracks' stand at its front


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the header says: seconds, and the picture's size in pixels; None where it does not."""

    duration: float | None = None
    width: int | None = None
    height: int | None = None


@dataclass(slots=True)
class BoxWalk:
    """The walk. See all bytes, at their offsets, then ask. `moov` and `mdat` must be there: nothing plays without the
    index or without what it points to, and a cut between two boxes shows in nothing else."""

    _at: int = 0  # where the next header begins
    _header: bytes = b""  # as much of it as was seen
    _open_end: bool = False
    _no_box: bool = False
    _unseen: set[bytes] = field(default_factory=lambda: {b"moov", b"mdat"})
    _moov_at: int | None = None
    _moov_size: int = 0
    _moov: bytearray = field(default_factory=bytearray)

    def feed(self, offset: int, piece: bytes | memoryview) -> None:
        """Bytes that stand at `offset`."""
        end = offset + len(piece)
        while not self._open_end:
            start = self._at + len(self._header)
            if not offset <= start < end:
                break
            self._header += bytes(piece[start - offset : start - offset + HEADER_BYTES - len(self._header)])
            if not self._enter():
                break
        self._keep_moov(offset, piece)

    def next_gap(self, total: int) -> int | None:
        """Where the next bytes stand that the walk still needs of an object of `total` bytes; None at its end."""
        if self._moov_at is not None and len(self._moov) < min(self._moov_size, total - self._moov_at):
            return self._moov_at + len(self._moov)
        start = self._at + len(self._header)
        return None if self._open_end or self._no_box or start >= total else start

    def error(self, total: int) -> str:
        """What is wrong with an object of `total` bytes, once all of it was seen; empty where it is whole."""
        if self._at > total or (self._at < total and not self._open_end and self._header.strip(b"\0")):
            return "the MP4 is cut within a box"
        if self._at < total and not self._open_end and total - self._at >= HEADER_BYTES:
            return "the MP4's boxes do not reach its end"
        if self._unseen:
            return f"the MP4 has no {b' and no '.join(sorted(self._unseen)).decode()} box"
        return "" if _boxes(bytes(self._moov)) else "the MP4's moov box is empty"

    def media_info(self) -> MediaInfo:
        """What stands in the header, as far as it was seen."""
        return _media_info(bytes(self._moov))

    def _enter(self) -> bool:
        """Go on behind the box whose header was seen; False where more of it must be seen."""
        if len(self._header) < 8:
            return False
        size = int.from_bytes(self._header[:4], "big")
        header = 8
        if size == 1:
            if len(self._header) < HEADER_BYTES:
                return False
            size, header = int.from_bytes(self._header[8:16], "big"), HEADER_BYTES
        name = self._header[4:8]
        self._unseen.discard(name)
        to_the_end = size == 0  # or padding
        if name == b"moov" and self._moov_at is None and (to_the_end or size >= header):
            self._moov_at = self._at + header
            self._moov_size = MOOV_BYTES if to_the_end else min(size - header, MOOV_BYTES)
        if size < header:
            self._open_end = to_the_end
            self._no_box = not to_the_end
            return False
        self._at += size
        self._header = b""
        return True

    def _keep_moov(self, offset: int, piece: bytes | memoryview) -> None:
        if self._moov_at is None:
            return
        start = self._moov_at + len(self._moov)
        if offset <= start < offset + len(piece):
            wanted = self._moov_size - len(self._moov)
            self._moov += bytes(piece[start - offset : start - offset + wanted])


def _media_info(moov: bytes) -> MediaInfo:
    duration: float | None = None
    width = height = None
    for name, box in _boxes(moov):
        if name == b"mvhd":
            duration = _duration(box)
        elif name == b"trak" and width is None:
            for inner, track in _boxes(box):
                if inner == b"tkhd" and len(track) >= 8:
                    across, down = struct.unpack(">II", track[-8:])  # 16.16 fixed point; 0 for sound
                    width, height = (across >> 16, down >> 16) if across and down else (None, None)
    return MediaInfo(duration, width, height)


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """The boxes in these bytes, the last perhaps cut."""
    found = []
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8:
            break
        found.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def _duration(mvhd: bytes) -> float | None:
    layout, at = (">IQ", 20) if mvhd[:1] == b"\1" else (">II", 12)
    if len(mvhd) < at + struct.calcsize(layout):
        return None
    scale, length = struct.unpack_from(layout, mvhd, at)
    unknown = length in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # 0 where it was written in fragments
    return length / scale if scale and not unknown else None
