"""Reads bodies for the S3 simulator: removes the framing, counts bytes and computes checksums as they arrive.

Framings are nested: HTTP's (a length, or chunks) around the bytes or around `aws-chunked`, which ends with the trailing
checksum. Both kinds of chunks look alike, so one class reads both.
"""

import hashlib
import io
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from awscrt import checksums

from simulators.s3.errors import Refusal

PIECE_BYTES = 256 * 1024  # read at once; larger ones exceed the processor's cache
MAX_LINE = 8 * 1024  # of a chunk's header or a trailer: a signature is the longest


class Source(Protocol):
    """The source of bytes: a connection, or a framing around it."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...
    def readline(self, size: int, /) -> bytes: ...


class Cut(Refusal):
    """The body ended too early."""

    def __init__(self) -> None:
        super().__init__(400, "IncompleteBody", "The body ended before the number of bytes that was promised.")


class Sized(io.RawIOBase):
    """A body of `size` bytes."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what is handed in here is one
        if not self._left:
            return 0
        read = self._source.readinto(memoryview(buffer)[: self._left])
        if not read:
            raise Cut
        self._left -= read
        return read


class Chunked(io.RawIOBase):
    """A body in chunks: `size in hex[;extensions]`, the bytes, and after the last, empty chunk the trailers."""

    def __init__(self, source: Source) -> None:
        self.trailers: dict[str, str] = {}
        self._source = source
        self._left = 0  # of the current chunk
        self._inside = False
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as above
        if not self._left and not self._ended:
            self._next_chunk()
        if self._ended:
            return 0
        read = self._source.readinto(memoryview(buffer)[: self._left])
        if not read:
            raise Cut
        self._left -= read
        return read

    def _next_chunk(self) -> None:
        if self._inside and self._line():
            raise Refusal(400, "InvalidChunkSizeError", "A chunk is longer than it says.")
        self._inside = True
        try:
            self._left = int(self._line().partition(b";")[0], 16)
        except ValueError as error:
            raise Refusal(400, "InvalidChunkSizeError", "A chunk does not begin with its size.") from error
        if self._left == 0:
            self._ended = True
            while line := self._line():
                name, _, value = line.decode("latin-1").partition(":")
                self.trailers[name.strip().lower()] = value.strip()

    def _line(self) -> bytes:
        line = self._source.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            raise Cut
        return line.rstrip(b"\r\n")


@dataclass(frozen=True)
class Crc:
    """A checksum that can be combined: a whole object's from those of its parts."""

    width: int  # bytes
    update: Callable[[memoryview, int], int]
    combine: Callable[[int, int, int], int]

    def text(self, value: int) -> str:
        """The value in headers."""
        return b64encode(value.to_bytes(self.width)).decode()


CRCS = {
    "crc64nvme": Crc(8, checksums.crc64nvme, checksums.combine_crc64nvme),
    "crc32": Crc(4, checksums.crc32, checksums.combine_crc32),
    "crc32c": Crc(4, checksums.crc32c, checksums.combine_crc32c),
}
HASHES = {"sha256": hashlib.sha256, "sha1": hashlib.sha1, "md5": hashlib.md5}
ALGORITHMS = (*CRCS, "sha256", "sha1")  # checksums that S3 keeps with an object


class Sums:
    """Checksums of the bytes fed, by algorithm."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        wanted = set(algorithms)
        self._crcs = dict.fromkeys(wanted & CRCS.keys(), 0)
        self.hashes = {name: HASHES[name](usedforsecurity=False) for name in wanted & HASHES.keys()}

    def update(self, piece: memoryview) -> None:
        for name, value in self._crcs.items():
            self._crcs[name] = CRCS[name].update(piece, value)
        for summed in self.hashes.values():
            summed.update(piece)

    def crc(self, name: str) -> int:
        """The number itself, to be combined."""
        return self._crcs[name]

    def text(self, name: str) -> str:
        """The value in headers: base64."""
        return CRCS[name].text(self._crcs[name]) if name in CRCS else b64encode(self.hashes[name].digest()).decode()

    def hex(self, name: str) -> str:
        """A hash in hex."""
        return self.hashes[name].hexdigest()


@dataclass(frozen=True)
class Body:
    """The received body: `content` only if it is kept."""

    size: int
    sums: Sums
    content: bytes | None


NOTHING = Body(0, Sums(()), None)


def read(body: io.RawIOBase, sums: Sums, buffer: memoryview, *, keep: bool) -> Body:
    """Read a whole body; `buffer` receives the bytes, each piece over the last."""
    size, kept = 0, bytearray()
    while count := body.readinto(buffer) or 0:
        size += count
        sums.update(buffer[:count])
        if keep:
            kept += buffer[:count]
    return Body(size, sums, bytes(kept) if keep else None)
