"""Streams a body to S3 in one request, which botocore signs. Only one piece of the body is in memory.

The checksum (CRC64NVME) follows the body as a trailer. S3 rejects the request if it received other bytes.

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

PIECE_BYTES = 256 * 1024  # in each chunk of a body; S3 requires at least 8 KB
TRAILER = "x-amz-checksum-crc64nvme"
END = f"0\r\n{TRAILER}:%s\r\n\r\n"
CODE = re.compile(rb"<Code>(\w{1,64})</Code>")


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part, or a complete object, that S3 stored.

    `version_id` is empty for a part, and in a bucket without versions. `crc`: the CRC64NVME. `bytes`: the size.
    """

    etag: str
    version_id: str
    crc: int
    bytes: int


class PutStream:
    """One connection to S3, which sends one body after the other. Use it as a context, or close it."""

    def __init__(self, endpoint: UploadEndpoint) -> None:
        self._endpoint = endpoint
        self._connection = StorageConnection(endpoint.url, endpoint.ca_file)
        self._crc = 0
        self._left = 0
        self._size = 0

    def begin(
        self, size: int, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send the head of a PUT whose body has `size` bytes. Send the body with `send`, then call `finish`."""
        url = self._endpoint.url + (f"?{urlencode(query)}" if query else "")
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
        request.context["checksum"] = {
            "request_algorithm": {"in": "trailer"}
        }  # botocore then signs the request for a trailer
        S3SigV4Auth(self._endpoint.credentials, "s3", self._endpoint.region).add_auth(request)
        parts = urlsplit(url)
        self._crc, self._left, self._size = 0, size, size
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self._connection.begin("PUT", target, {"Host": parts.netloc, **dict(request.headers.items())})

    def send(self, buffer: "ChunkBuffer", size: int) -> None:
        """Send the first `size` bytes of the buffer's piece: PIECE_BYTES, or fewer for the last piece of a body.

        ObjectExists or StorageFailed if S3 closes the connection.
        """
        self._crc = checksums.crc64nvme(buffer.piece[:size], self._crc)
        self._left -= size
        try:
            self._connection.send(buffer.chunk(size))
        except OSError as error:
            self._refused(error)

    def finish(self) -> UploadedPart:
        """End the body and return what S3 stored. ObjectExists or StorageFailed if S3 stored nothing, ValueError if the
        body is incomplete."""
        if self._left:
            raise ValueError(f"{self._left} bytes of the body were not sent")
        try:
            self._connection.send((END % crc_text(self._crc)).encode())
        except OSError as error:
            self._refused(error)
        status, headers, body = self._connection.answer()
        etag = headers.get("etag", "")
        if status != HTTPStatus.OK or not etag:  # S3 may report an error in the body of a 200, without an ETag
            self._raise(status, body)
        if headers.get(TRAILER, crc_text(self._crc)) != crc_text(self._crc):
            raise StorageFailed("S3's checksum differs from ours")
        return UploadedPart(etag, headers.get("x-amz-version-id", ""), self._crc, self._size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. S3 discards a body that is not finished."""
        self._connection.close()

    def _refused(self, error: OSError) -> None:
        """S3 closed the connection: raise the reason that its answer gives, if there is one."""
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
    """A buffer for one piece, with space around it for a chunk's header and end, so one call sends all of it.

    `piece` has PIECE_BYTES bytes.
    """

    ROOM = 16  # bytes for the header: the size in hexadecimal digits, and two more

    def __init__(self) -> None:
        self._all = memoryview(bytearray(self.ROOM + PIECE_BYTES + 2))
        self.piece = self._all[self.ROOM : self.ROOM + PIECE_BYTES]

    def chunk(self, size: int) -> memoryview:
        """The first `size` bytes of the piece as a chunk. Overwrites the two bytes after them."""
        head = b"%x\r\n" % size
        start = self.ROOM - len(head)
        end = self.ROOM + size
        self._all[start : self.ROOM] = head
        self._all[end : end + 2] = b"\r\n"
        return self._all[start : end + 2]


def crc_of(text: str) -> int:
    """Parse a CRC64NVME in S3's form: base64 of eight bytes."""
    return int.from_bytes(b64decode(text), "big")


def crc_text(crc: int) -> str:
    """Format a CRC64NVME in S3's form: base64 of eight bytes."""
    return b64encode(struct.pack(">Q", crc)).decode()


def _encoded(size: int) -> int:
    """Bytes of a body of `size` bytes in chunks, with its trailer."""
    full, rest = divmod(size, PIECE_BYTES)
    chunks = full * (len(f"{PIECE_BYTES:x}") + 4 + PIECE_BYTES) + (len(f"{rest:x}") + 4 + rest if rest else 0)
    return chunks + len(END % crc_text(0))
