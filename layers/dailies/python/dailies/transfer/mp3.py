"""MP3: whether frames follow each other, and whether as many bytes are there as its Xing or Info header says.

ISO/IEC 11172-3, 13818-3; http://gabriel.mp3-tech.org/mp3infotag.html and https://id3.org/id3v2.4.0-structure (read
2026-11-30).
"""

from typing import NamedTuple

from dailies.transfer.walk import Malformed, Read, Skip, Steps

# kbit/s by the header's index, for layer III: MPEG-1, then MPEG-2 and 2.5.
RATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
HERTZ = {
    0: 11_025,
    2: 22_050,
    3: 44_100,
}  # by version (2.5, 2, 1), for the first index; 48,000 and 32,000 for the others
FRAMES = 3  # in a row: a text that begins like a frame has no second one where the first ends
HAS_FRAMES, HAS_BYTES = 1, 2  # flags of a Xing header
ID3 = b"ID3"


class Frame(NamedTuple):
    """A frame's header: its `size` in bytes with the header, and where a Xing header would begin in it."""

    size: int
    xing_at: int


def mp3() -> Steps:
    """Tags, then frames. With a Xing or Info header, up to the byte that it promises; else FRAMES of them."""
    head = yield Read(4)
    while head[:3] == ID3:
        more = yield Read(6)
        if any(byte & 0x80 for byte in more[2:]):
            raise Malformed("the MP3's tag has no size")
        yield Skip(sum(byte << shift for byte, shift in zip(more[2:], (21, 14, 7, 0), strict=True)))
        head = yield Read(4)
    for number in range(FRAMES):
        frame = _frame(head)
        body = yield Read(frame.size - 4)
        if not number and (promised := _promised(body[frame.xing_at :])) is not None:
            yield Skip(max(0, promised - frame.size))
            return
        head = yield Read(4)


def _frame(head: bytes) -> Frame:
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, hertz, padding, mono = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1, head[3] >> 6 == 3
    if head[0] != 0xFF or head[1] < 0xE0 or version == 1 or layer != 1 or rate in (0, 15) or hertz == 3:
        raise Malformed("no MP3 frames follow each other")
    is_first = version == 3
    per_second = (
        HERTZ[version] * 480 // 441 if hertz == 1 else HERTZ[version] * 320 // 441 if hertz == 2 else HERTZ[version]
    )
    size = (144 if is_first else 72) * RATES[is_first][rate] * 1000 // per_second + padding
    return Frame(size, (17 if mono else 32) if is_first else (9 if mono else 17))


def _promised(xing: bytes) -> int | None:
    """The bytes from the first frame on, as a Xing or Info header says them; None if it does not."""
    if xing[:4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(xing[4:8], "big")
    if not flags & HAS_BYTES:
        return None
    at = 12 if flags & HAS_FRAMES else 8
    return int.from_bytes(xing[at : at + 4], "big") or None
