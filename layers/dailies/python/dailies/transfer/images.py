"""PNG, JPEG and GIF, block by block to their end. What follows the end is not part of the picture.

https://www.w3.org/TR/png-3/ · ITU-T T.81 · https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

from dailies.transfer.walk import End, Malformed, Marker, Read, Skip, Steps

SOI, EOI, SOS, TEM = 0xD8, 0xD9, 0xDA, 0x01
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
        yield Skip(int.from_bytes(head[:4], "big") + 4)


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
            yield Skip(int.from_bytes((yield Read(2)), "big") - 2)
        marker = (yield Marker()) if marker[1] == SOS else (yield Read(2))


def gif() -> Steps:
    """Blocks: extensions and images, whose data are sub-blocks with a length byte each, up to the trailer."""
    yield from _colours((yield Read(13))[10])
    while (kind := (yield Read(1))[0]) != TRAILER:
        if kind == EXTENSION:
            yield Skip(1)
        elif kind == IMAGE:
            yield from _colours((yield Read(9))[8])
            yield Skip(1)
        else:
            raise Malformed("a block of the GIF has no kind")
        while size := (yield Read(1))[0]:
            yield Skip(size)


def _colours(flags: int) -> Steps:
    """The table of colours that the flags announce."""
    if flags & 0x80:
        yield Skip(3 << ((flags & 7) + 1))
