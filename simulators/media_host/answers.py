"""The media host's responses: good ones, and every kind of bad one.

A bad response is sent piece by piece: bytes to send, seconds to wait, `RESET` or `HANG_UP`. The connection is closed
after it, and a header announces that, so that no client sends its next request on it. Bad responses respect the
requested range, if any: a cut is in the middle of the expected bytes.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cached_property
from http import HTTPStatus
from typing import Final, Literal

from simulators.media_host.samples import SampleMedia

DRIP_SECONDS = 0.1  # seconds between pieces of a dripping response: at this pace a 20 KB clip takes half an hour
SLOW_PIECE, SLOW_SECONDS = 64 * 1024, 0.01  # 6 MB/s, like hosts that limit each connection
PART_BYTES = 20 * 1024 * 1024  # the part size that the archive uses for large media
FOR_EVER = float("inf")
RESET: Final = "reset"  # close with a TCP reset
HANG_UP: Final = "hang-up"  # close without TLS's close_notify

type Piece = bytes | float | Literal["reset", "hang-up"]
type Pieces = Iterator[Piece]


@dataclass(frozen=True)
class Request:
    """A request as the host received it. Header names are in lower case; `path` is without the query."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    at: float  # seconds since 1970

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name.lower()), None)


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of a response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def head(self) -> bytes:
        """The status line, the headers and the empty line, as sent."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def but(self, status: int | None = None, *, body: bytes | None = None, **headers: str | None) -> "Answer":
        """A copy with some headers changed. `_` in header names means `-`; None removes a header."""
        changed = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in changed.items() if value is not None}
        return Answer(status or self.status, kept, self.body if body is None else body)

    @property
    def closing(self) -> "Answer":
        """A copy with `Connection: close`."""
        return self.but(Connection="close")

    def __iter__(self) -> Pieces:
        yield self.head
        yield self.body


@dataclass(frozen=True)
class Exchange:
    """A request and its medium. `attempt` is 1 for the first request for its path. `good_path` serves the same medium
    without a fault."""

    request: Request
    medium: SampleMedia
    attempt: int
    good_path: str

    @cached_property
    def due(self) -> Answer:
        """The response of a good host."""
        return good(self.request, self.medium).closing

    @property
    def half(self) -> bytes:
        """The first half of the expected body."""
        return self.due.body[: len(self.due.body) // 2]


def good(request: Request, medium: SampleMedia) -> Answer:
    """The medium, or the requested range (one range; supports If-Range and If-Match)."""
    etag, size = f'"{medium.sha256[:32]}"', len(medium.content)
    if request.header("if-match") not in (None, "*", etag):
        return Answer(412, {"Content-Length": "0"})
    headers = {"Content-Type": medium.content_type, "Accept-Ranges": "bytes", "ETag": etag}
    span = _span(request.header("range"), size)
    if span is None or request.header("if-range") not in (None, etag):
        status, span = 200, range(size)
    elif span:
        status = 206
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    else:
        return Answer(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
    headers["Content-Length"] = str(len(span))
    return Answer(status, headers, b"" if request.method == "HEAD" else medium.content[span.start : span.stop])


def refusal(status: int, code: str) -> Answer:
    """An error in S3's format."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'.encode()
    return Answer(status, {"Content-Type": "application/xml", "Content-Length": str(len(body))}, body)


def redirect(to: str) -> Answer:
    """302 to another URL or path."""
    return Answer(302, {"Location": to, "Content-Length": "0"})


def _span(header: str | None, size: int) -> range | None:
    """The bytes that a Range header requests: None if its unit is unknown, empty if there are none."""
    unit, _, span = (header or "").partition("=")
    first, dash, last = span.strip().partition("-")
    if unit != "bytes" or not dash or not (first + last).isdecimal():
        return None
    if not first:
        return range(max(0, size - int(last)), size)
    return range(int(first), min(size, int(last) + 1 if last else size))


def _chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


# ---- Complete media, sent in unusual ways --------------------------------------------------------------------------


def chunked(exchange: Exchange) -> Pieces:
    yield exchange.due.but(Content_Length=None, Transfer_Encoding="chunked").head
    yield _chunk(exchange.due.body) + b"0\r\n\r\n"


def no_length(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(Content_Length=None)


def end_unannounced(exchange: Exchange) -> Pieces:
    """No length, and over TLS no close_notify: the client cannot tell whether the body is complete."""
    yield from no_length(exchange)
    yield HANG_UP


def range_ignored(exchange: Exchange) -> Pieces:
    content = exchange.medium.content
    yield from exchange.due.but(200, body=content, Content_Range=None, Content_Length=str(len(content)))


def gzip_unasked(exchange: Exchange) -> Pieces:
    packed = gzip.compress(exchange.due.body, mtime=0)
    yield from exchange.due.but(body=packed, Content_Length=str(len(packed)), Content_Encoding="gzip")


def partial_unasked(exchange: Exchange) -> Pieces:
    size = len(exchange.medium.content)
    yield from exchange.due.but(
        206, Content_Range=exchange.due.headers.get("Content-Range", f"bytes 0-{size - 1}/{size}")
    )


def slow(exchange: Exchange) -> Pieces:
    yield exchange.due.head
    for start in range(0, len(exchange.due.body), SLOW_PIECE):
        yield exchange.due.body[start : start + SLOW_PIECE]
        yield SLOW_SECONDS


# ---- Media that end too soon, too late or never --------------------------------------------------------------------


def cut_with_length(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(body=exchange.half)


def cut_at_part(exchange: Exchange) -> Pieces:
    """Cuts where a part ends; in the middle if the medium is no longer than one part."""
    large = len(exchange.due.body) > PART_BYTES
    yield from exchange.due.but(body=exchange.due.body[:PART_BYTES] if large else exchange.half)


def cut_once(exchange: Exchange) -> Pieces:
    yield from cut_at_part(exchange) if exchange.attempt == 1 else exchange.due


def cut_with_weak_etag(exchange: Exchange) -> Pieces:
    """A weak ETag cannot be used in If-Range, so a client cannot ensure that a range is of the same version."""
    yield from exchange.due.but(body=exchange.half, ETag=f"W/{exchange.due.headers['ETag']}")


def cut_chunked(exchange: Exchange) -> Pieces:
    yield exchange.due.but(Content_Length=None, Transfer_Encoding="chunked").head
    yield _chunk(exchange.half)  # and no last chunk


def cut_without_length(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(body=exchange.half, Content_Length=None)


def reset_at_half(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(body=exchange.half)
    yield RESET


def stall_at_half(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(body=exchange.half)
    yield FOR_EVER


def length_too_long(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(Content_Length=str(len(exchange.due.body) + 1000))


def length_too_short(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(Content_Length=str(len(exchange.due.body) - 1000))


def length_huge(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(Content_Length=str(100 * 2**40))  # 100 TiB: more than any object may have


def empty(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(200, body=b"", Content_Range=None, Content_Length="0")


def body_drip(exchange: Exchange) -> Pieces:
    yield exchange.due.head
    for byte in exchange.due.body:
        yield bytes([byte])
        yield DRIP_SECONDS


def body_flood(exchange: Exchange) -> Pieces:
    yield from exchange.due.but(body=_chunk(exchange.due.body), Content_Length=None, Transfer_Encoding="chunked")
    while True:
        yield _chunk(bytes(256 * 1024))


# ---- Other content than the medium --------------------------------------------------------------------------------


def wrong_content_range(exchange: Exchange) -> Pieces:
    """Content-Range starts one byte after the requested and sent range."""
    size = len(exchange.medium.content)
    span = _span(exchange.request.header("range"), size) or range(size)
    yield from exchange.due.but(206, Content_Range=f"bytes {span.start + 1}-{span.stop}/{size + 1}")


def whole_as_range(exchange: Exchange) -> Pieces:
    """Sends the whole medium for any range, with a Content-Range of the whole."""
    content = exchange.medium.content
    said = f"bytes 0-{len(content) - 1}/{len(content)}"
    yield from exchange.due.but(206, body=content, Content_Range=said, Content_Length=str(len(content)))


def end_unavailable(exchange: Exchange) -> Pieces:
    """503 for ranges that reach the end, only for those."""
    said = exchange.due.headers.get("Content-Range", "")
    ends = said.startswith("bytes ") and int(said.partition("-")[2].partition("/")[0]) + 1 == len(
        exchange.medium.content
    )
    yield from refusal(503, "SlowDown").closing if ends else exchange.due


def range_not_satisfiable(exchange: Exchange) -> Pieces:
    yield from Answer(416, {"Content-Range": f"bytes */{len(exchange.medium.content)}", "Content-Length": "0"}).closing


def changing(exchange: Exchange) -> Pieces:
    """Another version for each request: the last byte and the ETag differ."""
    content = exchange.medium.content[:-1] + bytes([exchange.attempt % 256])
    yield from good(exchange.request, SampleMedia(exchange.medium.name, exchange.medium.content_type, content)).closing


# ---- Responses whose headers never end ----------------------------------------------------------------------------


def headers_drip(exchange: Exchange) -> Pieces:
    yield exchange.due.head.removesuffix(b"\r\n")
    while True:
        yield DRIP_SECONDS
        yield b"X-More: to come\r\n"


def headers_flood(exchange: Exchange) -> Pieces:
    yield exchange.due.head.removesuffix(b"\r\n")
    while True:
        yield b"X-More: to come\r\n" * 1000


# ---- Redirects and retries ----------------------------------------------------------------------------------------


def redirect_to_itself(exchange: Exchange) -> Pieces:
    yield from redirect(f"{exchange.request.path}?{exchange.request.query}").closing


def redirect_to_good(exchange: Exchange) -> Pieces:
    yield from redirect(exchange.good_path).closing


def unavailable_twice(exchange: Exchange) -> Pieces:
    yield from refusal(503, "SlowDown").closing if exchange.attempt <= 2 else exchange.due


def busy_once(exchange: Exchange) -> Pieces:
    yield from refusal(429, "TooManyRequests").but(Retry_After="1").closing if exchange.attempt == 1 else exchange.due


def back_in_two_minutes(exchange: Exchange) -> Pieces:
    """Retry-After as a date, by the host's clock."""
    until = formatdate(exchange.request.at + 120, usegmt=True)
    yield from refusal(503, "SlowDown").but(Retry_After=until).closing


def page(content_type: str) -> Answer:
    """An HTML error page with status 200."""
    body = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Your link has expired.</body></html>\n"
    return Answer(200, {"Content-Type": content_type, "Content-Length": str(len(body))}, body)
