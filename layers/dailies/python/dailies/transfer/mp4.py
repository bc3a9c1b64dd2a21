"""Over the boxes of an MP4 or MOV (ISO/IEC 14496-12): whether they end where the bytes end, and what the header says.

The bytes may be seen in any order, as ranges arrive: only those count that hold the next box's header. `missing` says
where that is, so that whoever has random access can go and fetch it.
"""

import struct
from dataclasses import dataclass, field

HEADER_BYTES = 16  # a box's size, its type, and its true size where it needs 64 bits
BLANK = b"\0\r\n\t "  # behind the last box: padding, or a line's end that a tool has added
TKHD_BYTES = 84  # of the older version; the newer is longer
MOOV_BYTES = 64 * 1024  # of the header that are read: the movie's and the first tracks' stand at its front


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """The header's facts: seconds, and the picture's size in pixels; None if it does not have them. `trailing`: bytes
    behind the medium's end."""

    duration: float | None = None
    width: int | None = None
    height: int | None = None
    trailing: int = 0


@dataclass(slots=True)
class BoxWalk:
    """The walk. Feed it all bytes, at their offsets, then ask. The boxes `needed` must be there: nothing plays without
    the index or the data, and a cut between two boxes shows in nothing else. `name`: the format, for errors."""

    name: str = "MP4"
    needed: frozenset[bytes] = frozenset({b"moov", b"mdat"})
    _at: int = 0  # where the next header begins
    _header: bytes = b""  # as much of it as was seen
    _open_end: bool = False
    _no_box: bool = False
    _seen: set[bytes] = field(default_factory=set)
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
        if self._at > total or (self._at < total and not self._open_end and self._header.strip(BLANK)):
            return f"the {self.name} is cut within a box"
        if self._at < total and not self._open_end and total - self._at >= HEADER_BYTES:
            return f"the {self.name}'s boxes do not reach its end"
        if missing := self.needed - self._seen:
            return f"the {self.name} has no {b' and no '.join(sorted(missing)).decode()} box"
        return self._index_problem()

    def _index_problem(self) -> str:
        if b"moov" not in self.needed:
            return ""
        names = {name for name, _ in _boxes(bytes(self._moov))}
        if not names:
            return f"the {self.name}'s moov box is empty"
        whole = len(self._moov) == self._moov_size < MOOV_BYTES
        return f"the {self.name} has no track" if whole and b"trak" not in names else ""

    def media_info(self) -> MediaInfo:
        """The index's facts, as far as it was fed."""
        return _media_info(bytes(self._moov)) if self._index == b"moov" else _picture_info(bytes(self._moov))

    @property
    def _index(self) -> bytes:
        """The box that describes the medium."""
        return b"moov" if b"moov" in self.needed else b"meta"

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
        self._seen.add(name)
        to_the_end = size == 0  # or padding
        if name == self._index and self._moov_at is None and (to_the_end or size >= header):
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
    scale = 0
    for name, box in _boxes(moov):
        if name == b"mvhd":
            duration, scale = _duration(box)
        elif name == b"mvex":  # in fragments: the movie's header counts the first at most, `mehd` all of them
            duration = _fragments_duration(box, scale)
        elif name == b"trak" and width is None:
            for inner, track in _boxes(box):
                if inner == b"tkhd" and len(track) >= TKHD_BYTES:
                    width, height = _shown_size(track)
    return MediaInfo(duration, width, height)


def _shown_size(tkhd: bytes) -> tuple[int | None, int | None]:
    """The size in pixels as it is shown: a quarter turn in the matrix swaps width and height. None for sound."""
    across, down = struct.unpack(">II", tkhd[-8:])  # 16.16 fixed point; 0 for sound
    if not (across and down):
        return None, None
    a, b = struct.unpack(">ii", tkhd[-44:-36])
    width, height = across >> 16, down >> 16
    return (height, width) if a == 0 and b else (width, height)


def _picture_info(meta: bytes) -> MediaInfo:
    """The largest picture's size in an AVIF's or HEIC's `meta`, as it is shown: `irot` turns it."""
    properties = meta[4:]  # behind version and flags
    for name in (b"iprp", b"ipco"):
        properties = next((box for found, box in _boxes(properties) if found == name), b"")
    sizes = [struct.unpack(">II", box[4:12]) for name, box in _boxes(properties) if name == b"ispe" and len(box) >= 12]
    if not sizes:
        return MediaInfo()
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    turned = any(name == b"irot" and box[:1] in (b"\1", b"\3") for name, box in _boxes(properties))
    return MediaInfo(None, *((height, width) if turned else (width, height)))


def _fragments_duration(mvex: bytes, scale: int) -> float | None:
    """The seconds of all fragments; None if no `mehd` has them."""
    mehd = next((box for name, box in _boxes(mvex) if name == b"mehd"), b"")
    ticks = int.from_bytes(mehd[4:12] if mehd[:1] == b"\1" else mehd[4:8], "big")
    return ticks / scale if ticks and scale else None


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


def _duration(mvhd: bytes) -> tuple[float | None, int]:
    """The movie's seconds, None if unknown, and the ticks in a second."""
    layout, at = (">IQ", 20) if mvhd[:1] == b"\1" else (">II", 12)
    if len(mvhd) < at + struct.calcsize(layout):
        return None, 0
    scale, length = struct.unpack_from(layout, mvhd, at)
    unknown = length in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # 0 where it was written in fragments
    return (length / scale if scale and not unknown else None), scale
