"""Responses of hosts that are complete media in an unusual form, as seen in public reports of media downloads."""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus

from simulators.media_host.answers import Answer, Exchange, Pieces, refusal

CAP_BYTES = 5000  # of each range of a host that caps them


def _plain(exchange: Exchange) -> Answer:
    content = exchange.medium.content
    return exchange.due.but(200, body=content, Content_Range=None, Content_Length=str(len(content)))


def refuses_ranges(status: int) -> Callable[[Exchange], Pieces]:
    """This status for each request with a range, and the medium without one."""

    def answer(exchange: Exchange) -> Pieces:
        yield from refusal(status, "NoRanges").closing if exchange.request.header("range") else _plain(exchange)

    return answer


def _capped(exchange: Exchange) -> Answer:
    content = exchange.medium.content
    said = (exchange.request.header("range") or "bytes=0-").removeprefix("bytes=")
    first = int(said.partition("-")[0])
    body = content[first : first + CAP_BYTES]
    return exchange.due.but(
        206,
        body=body,
        Content_Length=str(len(body)),
        Content_Range=f"bytes {first}-{first + len(body) - 1}/{len(content)}",
    )


def caps_ranges(exchange: Exchange) -> Pieces:
    yield from _capped(exchange) if exchange.request.header("range") else _plain(exchange)


def caps_everything(exchange: Exchange) -> Pieces:
    yield from _capped(exchange)


def caps_and_refuses_the_whole(exchange: Exchange) -> Pieces:
    yield from _capped(exchange) if exchange.request.header("range") else refusal(403, "RangeNeeded").closing


def _described(*, always: bool, said: str) -> Callable[[Exchange], Pieces]:
    def answer(exchange: Exchange) -> Pieces:
        if not always and not exchange.request.header("range"):
            yield from _plain(exchange)
            return
        content = exchange.medium.content
        described = said.format(last=len(content) - 1, size=len(content))
        yield from _plain(exchange).but(206, Content_Range=described or None)

    return answer


def multipart(exchange: Exchange) -> Pieces:
    """Each range as a multipart body, which a host may send only for several."""
    if not exchange.request.header("range"):
        yield from _plain(exchange)
        return
    content = exchange.medium.content
    body = b"--b\r\nContent-Range: bytes 0-%d/%d\r\n\r\n%b\r\n--b--\r\n" % (len(content) - 1, len(content), content)
    kind = "multipart/byteranges; boundary=b"
    yield from _plain(exchange).but(206, body=body, Content_Length=str(len(body)), Content_Type=kind)


def interim(*statuses: int) -> Callable[[Exchange], Pieces]:
    """Interim responses before the final one."""

    def answer(exchange: Exchange) -> Pieces:
        for status in statuses:
            yield f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nLink: </style.css>\r\n\r\n".encode()
        yield from exchange.due

    return answer


def headers(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Exchange], Pieces]:
    """The medium, with its header lines changed."""

    def answer(exchange: Exchange) -> Pieces:
        status, *lines = exchange.due.head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        yield b"\r\n".join([status, *change(lines), b"", b""])
        yield exchange.due.body

    return answer


def labelled(label: str) -> Callable[[Exchange], Pieces]:
    """The medium as it is, with a Content-Encoding that an uploader left."""

    def answer(exchange: Exchange) -> Iterator[bytes]:
        yield from exchange.due.but(Content_Encoding=label)  # type: ignore[misc]

    return answer


def chunked_with_a_blank(exchange: Exchange) -> Pieces:
    yield _plain(exchange).but(Content_Length=None, Transfer_Encoding="Chunked \t").head
    yield f"{len(exchange.medium.content):x}\r\n".encode() + exchange.medium.content + b"\r\n0\r\n\r\n"


def ready_third(body: bytes, status: int = 200) -> Callable[[Exchange], Pieces]:
    """Something else for the first two requests, as before the medium is written."""

    def answer(exchange: Exchange) -> Pieces:
        early = Answer(status, {"Content-Length": str(len(body))}, body).closing
        yield from early if exchange.attempt <= 2 else exchange.due

    return answer


ODD: dict[str, Callable[[Exchange], Pieces]] = {
    **{f"range-{status}": refuses_ranges(status) for status in (400, 403, 405, 416, 500, 501, 503)},
    **{f"labelled-{label.replace(',', '-')}": labelled(label) for label in
       ("aws-chunked", "aws-chunked,gzip", "base64", "utf-8", "binary", "none", "IDENTITY", "br")},
    "caps-ranges": caps_ranges,
    "caps-everything": caps_everything,
    "caps-and-refuses-the-whole": caps_and_refuses_the_whole,
    "range-unknown-total": _described(always=False, said="bytes 0-{last}/*"),
    "always-unknown-total": _described(always=True, said="bytes 0-{last}/*"),
    "range-capital-unit": _described(always=True, said="Bytes 0-{last}/{size}"),
    "range-equals-sign": _described(always=True, said="bytes=0-{last}/{size}"),
    "range-of-another": _described(always=False, said="bytes 7-{last}/{size}"),
    "range-undescribed": _described(always=False, said=""),
    "range-multipart": multipart,
    "early-hints": interim(103),
    "interim-several": interim(100, 102, 103, 103),
    "blanks-in-headers": headers(lambda lines: [line.replace(b": ", b":\t ") + b" \t" for line in lines]),
    "blank-before-colon": headers(lambda lines: [line.replace(b": ", b" : ") for line in lines]),
    "line-without-colon": headers(lambda lines: [b"no field at all", *lines]),
    "equal-lengths": headers(
        lambda lines: [line + b", " + line.split()[1] if line.startswith(b"Content-Length") else line for line in lines]
    ),
    "chunked-with-a-blank": chunked_with_a_blank,
    "empty-then-ready": ready_third(b""),
    "json-then-ready": ready_third(json.dumps({"status": "processing"}).encode()),
    "text-then-ready": ready_third(b"Your video is being prepared."),
    "page-then-ready": ready_third(b"<!DOCTYPE html><html><body>Soon</body></html>"),
    "accepted-then-ready": ready_third(b"", 202),
    "missing-then-ready": ready_third(b"", 404),
    "too-early-then-ready": ready_third(b"", 425),
}  # fmt: skip
"""By the names in links."""
