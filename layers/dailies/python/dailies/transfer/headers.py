"""What the first bytes of WebP, WAV and FLAC say of the medium. Bytes that say nothing give nothing; never raises.

https://developers.google.com/speed/webp/docs/riff_container, https://www.rfc-editor.org/rfc/rfc9649 (WebP),
https://www.rfc-editor.org/rfc/rfc9639 (FLAC)
"""

import struct

from dailies.transfer.mp4 import MediaInfo


def header_info(head: bytes, total: int) -> MediaInfo:
    """Duration or size. `head`: the first bytes. `total`: the medium's size in bytes."""
    if head.startswith(b"fLaC"):
        return MediaInfo(_flac_seconds(head))
    if head[8:12] == b"WAVE":
        return MediaInfo(_wav_seconds(head, total))
    return MediaInfo(None, *(_webp_size(head) or (None, None)))


def _flac_seconds(head: bytes) -> float | None:
    """By STREAMINFO, the first block: 20 bits of the sample rate, 36 of the number of samples."""
    packed = int.from_bytes(head[18:26], "big")
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    return samples / rate if len(head) >= 26 and rate and samples else None


def _wav_seconds(head: bytes, total: int) -> float | None:
    """The bytes of `data` by the bytes of a second. A size that a pipe could not know is what the file has."""
    at, second = 12, 0
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt " and at + 20 <= len(head):
            (second,) = struct.unpack_from("<I", head, at + 16)
        if name == b"data":
            return min(size, total - at - 8) / second if second else None
        at += 8 + size + size % 2
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """By the first chunk: of a lossy, a lossless or an extended file."""
    if len(head) < 30:
        return None
    match head[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (packed,) = struct.unpack_from("<I", head, 21)
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None
