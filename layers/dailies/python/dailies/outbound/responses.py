"""Reads the status and the headers of a host's response, as RFC 9110 defines them. Pure."""

import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from dailies.errors import HostFailed, LinkDead

ACCEPTED = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})  # a provider took what it was given
RETRYABLE = frozenset({408, 416, 425, 429})  # of the 4xx, those that are not about the link
# The link is not accepted any more. 400: Google for an expired signed link, S3 if the signer's session has expired
# (both `ExpiredToken`), and either for a link that it cannot parse.
LINK_EXPIRED = frozenset({400, 401, 403, 404, 410})
HAS_MEDIUM = frozenset({200, 203, 206})  # 203: a proxy on the way changed something of it; the bytes decide
NOT_READY = frozenset({202, 204, 205, 425})
RETRY_LATER = frozenset({429, 503})  # with Retry-After
# A host may answer so only because a range was requested.
RANGE_REFUSED = frozenset({400, 403, 405, 406, 409, 411, 412, 413, 414, 416, 417, 422, 431, 500, 501, 502, 503, 505})
# Codes of S3 and its likes for a busy host and for a bad link: the range was not the reason.
OTHER_REASON = re.compile(rb"SlowDown|Busy|Expired|AccessDenied|Signature|Credential|InvalidToken|AccessKeyId")
COMPRESSION_MARKS = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd
COMPRESSED = "the host compressed what was asked for as it is"
WHOLE_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
# The unit's case is free, and the total may be unknown (RFC 9110, 14.4). Some hosts write "bytes=" or blanks.
CONTENT_RANGE = re.compile(r"bytes[ \t=:]*(\d{1,19})\s*-\s*(\d{1,19})\s*/\s*(\d{1,19}|\*)", re.ASCII | re.IGNORECASE)
# Content codings that change the bytes. Other labels (aws-chunked, base64, utf-8) stayed from an upload.
CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz", "pack200-gzip"})


class Range(NamedTuple):
    """A range as the host describes it: its first and its last byte, and the whole medium's size. None: unknown."""

    first: int
    last: int
    total: int | None


def accept(status: int, headers: Message) -> None:
    """Return if the response has a medium. Else LinkDead if the host rejects the link, and HostFailed for all other
    statuses, with the pause that the host asks for."""
    if status in HAS_MEDIUM:
        return
    if status in LINK_EXPIRED:
        raise LinkDead(f"the host answered {status}")
    asked = retry_after(headers.get("retry-after", "")) if status in RETRY_LATER else 0
    raise HostFailed(f"the host answered {status}{': not ready yet' if status in NOT_READY else ''}", asked)


def may_be_for_the_range(status: int, headers: Message, body: bytes) -> bool:
    """Whether a host may answer so only because a range was requested. `body`: the first bytes. A host that is busy, or
    says when to come back, is left alone."""
    if (status in RETRY_LATER and headers.get("retry-after")) or OTHER_REASON.search(body):
        return False
    return status in RANGE_REFUSED


def content_range(headers: Message, length: int | None, start: int, end: int | None) -> Range:
    """The range that the host sends, which may be shorter than requested. HostFailed if it does not begin at `start`,
    reaches beyond `end` (None: the medium's end), or contradicts itself. `length`: of the response, None if unknown."""
    said = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if not said:
        raise HostFailed("the host answered a range without saying which")
    first, last = int(said[1]), int(said[2])
    total = None if said[3] == "*" else int(said[3])
    described = f"{first}-{last} of {said[3]}"
    if first != start or last < first or (total is not None and last >= total) or (end is not None and last >= end):
        raise HostFailed(f"the host answered another range: {described}")
    if length is not None and length != last - first + 1:
        raise HostFailed(f"the host answered another range: {length} bytes as {first}-{last}")
    return Range(first, last, total)


def promised_range(headers: Message, length: int | None, start: int, end: int | None) -> int:
    """The whole medium's size in bytes, if the host sends the requested range: from `start` to before `end`, None for
    the rest. `length`: of the response, None if unknown. Else HostFailed."""
    first, last, total = content_range(headers, length, start, end)
    if total is None:
        raise HostFailed("the host answered a range of a medium of unknown size")
    if end is not None and last != min(end, total) - 1:
        raise HostFailed(f"the host answered another range: {first}-{last} of {total}")
    if end is None and last != total - 1:
        raise HostFailed(f"the host answered a shorter range: {first}-{last} of {total}")
    return total


def codings(headers: Message) -> tuple[str, ...]:
    """The labels of Content-Encoding that name a compression, in lower case. Whether the bytes are compressed, they
    show themselves."""
    said = ",".join(headers.get_all("content-encoding", [])).lower().split(",")
    return tuple(label for label in (one.partition(";")[0].strip() for one in said) if label in CODINGS)


def shows_compression(head: bytes) -> bool:
    """Whether the first bytes have the mark of a compression."""
    return head.startswith(COMPRESSION_MARKS)


def validator(headers: Message) -> str:
    """The value for If-Range: a strong ETag, else Last-Modified; empty if the response has neither."""
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def retry_after(said: str) -> float:
    """The seconds in a `Retry-After`, which holds seconds or a date. 0 if it is neither."""
    if WHOLE_SECONDS.fullmatch(said):
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, or one without a zone
        return 0
