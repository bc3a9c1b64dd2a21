"""The copied media: MP4s of exact sizes, a real clip followed by random media data."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from awscrt import checksums

from simulators.media_host.samples import media

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True)
class File:
    """A file on the media host. `crc64nvme`: the checksum that the copy must have."""

    name: str
    size: int
    crc64nvme: int


def files(folder: Path, sizes: Sequence[int]) -> dict[int, File]:
    """The files of these sizes. Missing ones are made. Each is read once, so that the host serves from memory."""
    folder.mkdir(parents=True, exist_ok=True)
    clip = media()["generation.mp4"].content
    return {size: _file(folder / f"{size}.mp4", size, clip) for size in sizes}


def _file(path: Path, size: int, clip: bytes) -> File:
    known = path.with_suffix(".json")
    if not known.exists() or path.stat().st_size != size:
        crc = _make(path, size, clip)
        known.write_text(json.dumps({"crc64nvme": crc}))
    with path.open("rb", buffering=0) as file:
        buffer = bytearray(MIB)
        while file.readinto(buffer):
            pass
    return File(path.name, size, json.loads(known.read_text())["crc64nvme"])


def _make(path: Path, size: int, clip: bytes) -> int:
    # A size of 1 means that the real one follows, in 8 bytes: boxes may be longer than 4 GiB.
    box = (1).to_bytes(4) + b"mdat" + (size - len(clip)).to_bytes(8)
    crc, left = 0, size
    with path.open("wb") as file:
        for piece in (clip, box):
            file.write(piece)
            crc, left = checksums.crc64nvme(piece, crc), left - len(piece)
        while left:
            piece = os.urandom(min(left, MIB))
            file.write(piece)
            crc, left = checksums.crc64nvme(piece, crc), left - len(piece)
    return int(crc)
