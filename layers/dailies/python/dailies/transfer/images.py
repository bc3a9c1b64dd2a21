"""PNG, JPEG and GIF, block by block to their end. What follows the end is not part of the picture.

https://www.w3.org/TR/png-3/ · ITU-T T.81 · https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

import struct

from dailies.transfer.walk import End, Malformed, Marker, Read, Size, Skip, Steps, SubBlocks

SOI, EOI, SOS, TEM = 0xD8, 0xD9, 0xDA, 0x01
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # starts of frame: each has the picture's size
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B


def png() -> Steps:
    """Chunks: a length, a type, the data and a checksum each, up to IEND."""
    yield Skip(8)
    name = b""
    while name != b"IEND":
        head = yield Read(8)
        name = head[4:]
        if not name.isalpha():
            raise Malformed("a chunk of the PNG has no name")
        size = int.from_bytes(head[:4], "big")
        if name == b"IHDR" and size >= 8:
            width, height = struct.unpack(">II", (yield Read(8)))
            yield Size(width, height)
            size -= 8
        yield Skip(size + 4)


def jpeg() -> Steps:
    """Pictures, one behind the other: a camera's preview, a gain map. Most files have one."""
    while (yield Read(2)) == bytes((0xFF, SOI)):
        yield from _picture()
        yield End()


def _picture() -> Steps:
    """Segments: a marker, a length and the data each. Coded data follows each start of scan, up to the end of image."""
    marker = yield Read(2)
    while marker[1] != EOI:
        if marker[0] != 0xFF:
            raise Malformed("a segment of the JPEG has no marker")
        if marker[1] == 0xFF:  # a fill byte
            marker = marker[1:] + (yield Read(1))
            continue
        if marker[1] != TEM:
            size = int.from_bytes((yield Read(2)), "big") - 2
            if marker[1] in FRAMES and size >= 5:
                height, width = struct.unpack(">xHH", (yield Read(5)))
                yield Size(width, height)
                size -= 5
            yield Skip(max(0, size))
        marker = (yield Marker()) if marker[1] == SOS else (yield Read(2))


def gif() -> Steps:
    """Blocks: extensions and images, whose data are sub-blocks with a length byte each, up to the trailer."""
    width, height, flags = struct.unpack("<6xHHBxx", (yield Read(13)))
    yield Size(width, height)
    yield from _colours(flags)
    while (kind := (yield Read(1))[0]) != TRAILER:
        if kind == EXTENSION:
            yield Skip(1)
        elif kind == IMAGE:
            yield from _colours((yield Read(9))[8])
            yield Skip(1)
        else:
            raise Malformed("a block of the GIF has no kind")
        yield SubBlocks()


def _colours(flags: int) -> Steps:
    """The table of colours that the flags announce."""
    if flags & 0x80:
        yield Skip(3 << ((flags & 7) + 1))
