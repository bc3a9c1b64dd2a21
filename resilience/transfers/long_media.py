"""Media of any length in which no two parts have the same bytes, and their checksum by independent code.

A clip, followed by a box that players skip, full of noise. The noise repeats in steps of a prime number of bytes. So
the bytes at one place occur at no place for which a part or a piece could be confused. The checksum of the whole
follows from those of its few different pieces.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from random import Random

from simulators.media_host.samples import SampleMedia, media

CLIP = media()["generation.mp4"]
MIB = 2**20
STEP = 65_521  # the last prime below 64 KiB
HEAD = 16  # bytes of a box's header, in the form for sizes above 4 GiB

POLYNOMIAL = 0x9A6C9329AC4BC9B5  # CRC-64/NVME's polynomial, bits reversed: the highest bit is x^0
ONES = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True)
class LongMedium:
    """The pieces of its bytes, in order."""

    pieces: tuple[bytes, ...]

    @cached_property
    def content(self) -> bytes:
        """All bytes."""
        return b"".join(self.pieces)

    @cached_property
    def medium(self) -> SampleMedia:
        """The medium as a host serves it."""
        return SampleMedia("long.mp4", "video/mp4", self.content)

    @cached_property
    def crc64nvme(self) -> int:
        """The checksum, without the library that the layer and the S3 simulator use."""
        whole = 0
        for piece in self.pieces:
            whole = _times(whole, _power(len(piece))) ^ crc64nvme(piece)
        return whole


@cache
def long_medium(size: int) -> LongMedium:
    """An MP4 of this number of bytes."""
    noise = Random(size).randbytes(STEP)
    padding = size - len(CLIP.content)
    steps, rest = divmod(padding - HEAD, STEP)
    head = (1).to_bytes(4) + b"free" + padding.to_bytes(8)
    return LongMedium((CLIP.content, head, *(noise,) * steps, noise[:rest]))


@cache
def crc64nvme(piece: bytes) -> int:
    """CRC-64/NVME of some bytes, byte by byte, by its definition."""
    value = ONES
    for byte in piece:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ ONES


def _times(a: int, b: int) -> int:
    """The product of two polynomials, modulo the checksum's polynomial."""
    product = 0
    for bit in range(63, -1, -1):
        product ^= b if a >> bit & 1 else 0
        b = _times_x(b)
    return product


@cache
def _power(size: int) -> int:
    """The factor by which this number of following bytes multiplies a checksum: x to the power of 8 for each."""
    result, factor = 1 << 63, 1 << 55
    while size:
        result = _times(result, factor) if size & 1 else result
        factor, size = _times(factor, factor), size >> 1
    return result


def _times_x(value: int, times: int = 1) -> int:
    for _ in range(times):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = [_times_x(byte, 8) for byte in range(256)]
