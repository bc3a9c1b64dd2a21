"""What a host's answer says, read from its status and its head."""

import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from dailies.errors import HostFailed, LinkDead

ACCEPTED = frozenset(
    {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
)  # what a provider says of what it was given
RETRYABLE = frozenset({408, 416, 425, 429})  # of the 4xx, those that are not about the link
# What a host says of a link that it takes no more. 400: Google of a signed link whose time is over, S3 of one whose
# signer's session is (both `ExpiredToken`), and either of a link that it cannot read.
LINK_EXPIRED = frozenset({400, 401, 403, 404, 410})
WITH_RETRY_AFTER = frozenset({429, 503})  # with Retry-After
WHOLE_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


def accept(status: int, headers: Message) -> None:
    """Nothing where a medium comes. LinkDead where the host takes the link no more, HostFailed for all else that it may
    answer, with the pause that it asks for."""
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    if status in LINK_EXPIRED:
        raise LinkDead(f"the host answered {status}")
    asked = retry_after(headers.get("retry-after", "")) if status in WITH_RETRY_AFTER else 0
    raise HostFailed(f"the host answered {status}", asked)


def promised_range(headers: Message, length: int | None, start: int, end: int | None) -> int:
    """The whole medium's size in bytes, where the range that the host says it sends is the one it was asked for: from
    `start` to before `end`, None for the rest. `length`: of the answer, as far as it is promised. Else HostFailed."""
    said = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if not said:
        raise HostFailed("the host answered a range without saying which")
    first, last, total = map(int, said.groups())
    if first != start or not first <= last < total or (end is not None and last != min(end, total) - 1):
        raise HostFailed(f"the host answered another range: {first}-{last} of {total}")
    if length is not None and length != last - first + 1:
        raise HostFailed(f"the host answered another range: {length} bytes as {first}-{last}")
    if end is None and last != total - 1:
        raise HostFailed(f"the host answered a shorter range: {first}-{last} of {total}")
    return total


def validator(headers: Message) -> str:
    """What If-Range takes: a strong ETag, else the time of the last change; empty where there is neither."""
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def retry_after(said: str) -> float:
    """Seconds that a host asks us to wait, by its `Retry-After`: seconds, or a date. 0 where it is neither."""
    if WHOLE_SECONDS.fullmatch(said):
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, or one without a zone
        return 0
