"""Reads a response's head as RFC 9110 and RFC 9112 define it, where the standard library reads it more strictly.

The rest of the response is the standard library's.
"""

import http.client
import re
from http import HTTPStatus
from io import BufferedReader
from typing import cast

MAX_INTERIM = 32  # responses before the final one; a host that sends more does not answer
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*(\r?\n)", re.DOTALL)
EQUAL_LENGTHS = re.compile(rb"(\d+)(?:[ \t]*,[ \t]*\1)+")
FOLD = re.compile(r"[ \t]*[\r\n]+[ \t]*")
STATUS_LINE = b"HTTP/"


class Response(http.client.HTTPResponse):
    """A response whose interim responses (1xx but 101) are skipped, and whose header values have no blanks around them.

    A transfer coding other than chunked, and two different lengths, are an HTTPException: where the body ends is then
    unknown.
    """

    def begin(self) -> None:
        for _ in range(MAX_INTERIM):
            self.headers = self.msg = None  # type: ignore[assignment]  # else the standard library reads no head
            self._read_head()
            if not 100 <= self.status < 200 or self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                break
        else:
            raise http.client.HTTPException("too many interim responses")
        for name, value in self.headers.items():
            if "\n" in value:  # it was sent in several lines
                self.headers.replace_header(name, FOLD.sub(" ", value))
        if self.headers.get("transfer-encoding", "chunked").lower() not in ("chunked", "identity"):
            raise http.client.HTTPException("a transfer coding that was not asked for")
        if not self.chunked and len(set(self.headers.get_all("content-length", []))) > 1:
            raise http.client.HTTPException("two different lengths")

    def _read_head(self) -> None:
        """Let the standard library read one head, line by line through `_Lines`."""
        stream = self.fp
        lines = _Lines(stream)
        self.fp = cast("BufferedReader", lines)
        try:
            super().begin()
        finally:
            if cast("object", self.fp) is lines:
                self.fp = stream


class _Lines:
    """The lines of a head, with the blanks around values removed. A line that is no field becomes an empty one of the
    name X-Malformed: the standard library would take the rest of the head for the body."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._in_fields = False

    def readline(self, limit: int = -1) -> bytes:
        line = self._stream.readline(limit)
        if not self._in_fields:
            self._in_fields = line.startswith(STATUS_LINE)
            return line
        if not line.endswith(b"\n"):  # too long, or cut
            return line
        if not line.strip(b"\r\n"):
            self._in_fields = False
            return line
        if line[:1] in b" \t":  # the value of the line before goes on
            return b" " + line.strip() + b"\r\n"
        field = FIELD.fullmatch(line)
        if not field:
            return b"X-Malformed: \r\n"
        name, value, end = field.groups()
        if name.lower() == b"content-length" and (equal := EQUAL_LENGTHS.fullmatch(value)):
            value = equal[1]
        return name + b": " + value + end

    def close(self) -> None:
        self._stream.close()
