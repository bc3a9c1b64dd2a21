"""A connection to S3 for the bytes of one object, sent piece by piece."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

from dailies.errors import StorageFailed
from dailies.outbound.connection import tls_context

STORAGE_SECONDS = 30.0  # for S3 to accept bytes or to respond


class StorageConnection:
    """A connection to the bucket that is kept for several requests."""

    def __init__(self, url: str, ca_file: str) -> None:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        name = parts.hostname or ""
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        options = {"context": tls_context(ca_file)} if tls else {}
        self._connection = kind(name, parts.port, timeout=STORAGE_SECONDS, **options)  # type: ignore[arg-type]

    def begin(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Send a request's head. StorageFailed if S3 cannot be reached."""
        try:
            self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                self._connection.putheader(name, value)
            self._connection.endheaders()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise StorageFailed(f"S3 could not be reached: {type(error).__name__}") from error

    def send(self, piece: memoryview | bytes) -> None:
        """Send the next bytes of its body. OSError if S3 does not accept more: it may have sent its response."""
        self._connection.send(piece)

    def answer(self) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return S3's response: status, headers, body. StorageFailed if none arrives."""
        try:
            with self._connection.getresponse() as response:
                return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise StorageFailed(f"S3 did not answer: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection. S3 ignores a request whose body is incomplete. The next request connects again."""
        self._connection.close()
