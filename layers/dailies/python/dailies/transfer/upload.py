"""Bytes on their way to S3: one request each, signed by botocore, sent piece by piece as they come.

The checksum follows behind the bytes (CRC64NVME, as a trailer): S3 compares it with what arrived and takes nothing
where it differs. So nothing is held back but the piece at hand.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode, urlsplit

from awscrt import checksums
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from dailies.aws.bucket import UploadEndpoint
from dailies.errors import ObjectExists, StorageFailed
from dailies.outbound.storage import StorageConnection

PIECE_BYTES = 256 * 1024  # what a chunk of a body holds; S3 takes any from 8 KB on
TRAILER = "x-amz-checksum-crc64nvme"
END = f"0\r\n{TRAILER}:%s\r\n\r\n"
CODE = re.compile(rb"<Code>(\w{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """What S3 took: its ETag, the version where it made one, and the CRC64NVME of the bytes."""

    etag: str
    version_id: str
    crc: int
    bytes: int


class PutStream:
    """One connection to S3, for one body after the other."""

    def __init__(self, door: UploadEndpoint) -> None:
        self._door = door
        self._connection = StorageConnection(door.url, door.ca_file)
        self._crc = 0
        self._left = 0
        self._size = 0

    def begin(
        self, size: int, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Begin a body of so many bytes."""
        url = self._door.url + (f"?{urlencode(query)}" if query else "")
        request = AWSRequest(
            method="PUT",
            url=url,
            headers={
                **(headers or {}),
                "Content-Encoding": "aws-chunked",
                "Content-Length": str(_encoded(size)),
                "X-Amz-Decoded-Content-Length": str(size),
                "X-Amz-Trailer": TRAILER,
            },
        )
        request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}  # what botocore signs such a body by
        S3SigV4Auth(self._door.credentials, "s3", self._door.region).add_auth(request)
        parts = urlsplit(url)
        self._crc, self._left, self._size = 0, size, size
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection.begin("PUT", target, {"Host": parts.netloc, **dict(request.headers.items())})

    def send(self, frame: "ChunkBuffer", size: int) -> None:
        """Send a frame's piece of so many bytes: PIECE_BYTES, but for the body's last."""
        self._crc = checksums.crc64nvme(frame.piece[:size], self._crc)
        self._left -= size
        try:
            self._connection.send(frame.chunk(size))
        except OSError as error:
            self._refused(error)

    def finish(self) -> UploadedPart:
        """End the body and hear what S3 says: ObjectExists, StorageFailed, or what it took."""
        if self._left:
            raise ValueError(f"{self._left} bytes of the body were not sent")
        try:
            self._connection.send((END % crc_text(self._crc)).encode())
        except OSError as error:
            self._refused(error)
        status, headers, body = self._connection.answer()
        etag = headers.get("etag", "")
        if status != HTTPStatus.OK or not etag:  # without one, an error came with 200
            self._raise(status, body)
        if headers.get(TRAILER, crc_text(self._crc)) != crc_text(self._crc):
            raise StorageFailed("S3 computed another checksum than we did")
        return UploadedPart(etag, headers.get("x-amz-version-id", ""), self._crc, self._size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave; a body that is not finished does nothing at S3."""
        self._connection.close()

    def _refused(self, error: OSError) -> None:
        """S3 takes no more: its answer, if there is one, says why."""
        status, _, body = self._connection.answer()
        self._connection.close()
        self._raise(status, body, error)

    def _raise(self, status: int, body: bytes, cause: Exception | None = None) -> None:
        self._connection.close()
        code = CODE.search(body)
        name = code[1].decode() if code else str(status)
        if status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT):
            raise ObjectExists(name) from cause
        raise StorageFailed(f"S3 answered {name}") from cause


class ChunkBuffer:
    """A buffer for a piece, with room around it for what a chunk of a body needs: sent as one."""

    ROOM = 16

    def __init__(self) -> None:
        self._all = memoryview(bytearray(self.ROOM + PIECE_BYTES + 2))
        self.piece = self._all[self.ROOM : self.ROOM + PIECE_BYTES]

    def chunk(self, size: int) -> memoryview:
        """The first bytes of the piece as a chunk of a body. What stands behind them in the piece is overwritten."""
        head = b"%x\r\n" % size
        start = self.ROOM - len(head)
        end = self.ROOM + size
        self._all[start : self.ROOM] = head
        self._all[end : end + 2] = b"\r\n"
        return self._all[start : end + 2]


def crc_of(text: str) -> int:
    """The CRC64NVME that S3 wrote so."""
    return int.from_bytes(b64decode(text), "big")


def crc_text(crc: int) -> str:
    """A CRC64NVME as S3 writes it."""
    return b64encode(struct.pack(">Q", crc)).decode()


def _encoded(size: int) -> int:
    """How long a body is with its chunks' frames and its trailer."""
    full, rest = divmod(size, PIECE_BYTES)
    chunks = full * (len(f"{PIECE_BYTES:x}") + 4 + PIECE_BYTES) + (len(f"{rest:x}") + 4 + rest if rest else 0)
    return chunks + len(END % crc_text(0))
