"""When a media URL stops working, by the dialects of those who sign URLs. Never raises.

A module of its own: receivers read links, and none of these patterns.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from dailies import timestamps
from dailies.timestamps import Timestamp

MIN_UNIX = 10**9  # the year 2001: a smaller number is a duration
MAX_PACKED = 8192  # characters of a policy or a token
# X-Amz-Date and X-Amz-Expires; with X-Goog-, x-oss-, X-Tos-, X-Obs- and others
SIGNED_AT = re.compile(r"(x-[a-z]{2,10}-)date")
# Expires, Expiry, expiration, exp, x-expires, token_exp, expires_at ...; Azure's `se`, Qiniu's `e`
EXPIRY_NAME = re.compile(r"(?:[\w.-]*[_.-])?exp(?:ire[sd]?|iry|iration)?(?:[_-]?(?:at|on|time|ts|date))?|se|e|deadline")
HEX_NAMES = frozenset({"txtime", "wstime", "wsabstime"})  # Tencent, Wangsu
DECIMAL_SECONDS = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)
HEX_SECONDS = re.compile(r"[0-9a-f]{8}", re.ASCII | re.IGNORECASE)
NESTED = re.compile(r"(?:^|[~/&;:,|!?])(?:exp|expires|expiry)[=:](\d{10}(?:\d{3})?)(?!\d)", re.ASCII | re.IGNORECASE)
SPAN_NAMES = frozenset({"q-sign-time", "q-key-time"})  # Tencent's COS
SPAN = re.compile(r"\d{10};(\d{10})", re.ASCII)
STAMPED = re.compile(r"(\d{10})[-_:.](?=[\w%+/=.-]{16,})", re.ASCII)  # auth_key, verify, token: a time and a digest
TOKEN = re.compile(r"ey[\w-]+={0,2}\.(ey[\w-]+)={0,2}\.[\w-]*={0,2}", re.ASCII)  # header, claims, signature
IN_JSON = re.compile(  # a token's claim, or a policy's end
    r'(?:"(?:exp|expires|expiry|expires_at)"|"DateLessThan"\s*:\s*\{\s*"AWS:EpochTime")'
    r'\s*:\s*"?(\d{10}(?:\d{3})?)(?!\d)',
    re.ASCII,
)
URL_SAFE = str.maketrans("-_", "+/")
CLOUDFRONT = str.maketrans("-_~", "+=/")


def expires_at(url: str, learnt: Timestamp = "") -> Timestamp | None:
    """When the link expires, if it says so in one of the signers' dialects; the earliest, if it says several times.

    `learnt`: when the link arrived. What lies before is no expiry: a duration, or the time of signing.
    """
    try:
        parts = urlsplit(url)
        terms = [(name.lower(), value) for name, value in parse_qsl(parts.query, max_num_fields=100)]
    except ValueError:
        return None
    ends = [*_from_terms(terms), *_from_nested(terms, parts.path)]
    return min((end for end in ends if end > learnt), default=None)


def _from_terms(terms: Sequence[tuple[str, str]]) -> Iterator[Timestamp]:
    """By parameters of their own."""
    said = dict(terms)
    for name, value in terms:
        if (signer := SIGNED_AT.fullmatch(name)) and (end := _dated(value, said.get(f"{signer[1]}expires", ""))):
            yield end
        read = HEX_SECONDS if name in HEX_NAMES else DECIMAL_SECONDS if EXPIRY_NAME.fullmatch(name) else None
        if read is DECIMAL_SECONDS and (end := timestamps.parse(value)) and not value.isdecimal():
            yield end
        if read and read.fullmatch(value) and (end := _unix(value, 16 if read is HEX_SECONDS else 10)):
            yield end


def _from_nested(terms: Sequence[tuple[str, str]], path: str) -> Iterator[Timestamp]:
    """Inside of a parameter or the path: Akamai's `exp=`, Tencent's `begin;end`, a time in front of a digest, a JSON
    Web Token, CloudFront's policy."""
    for text in (path, *(value for _, value in terms)):
        for found in NESTED.finditer(text):
            if end := _unix(found[1]):
                yield end
        content = _from_base64(text)
        for found in IN_JSON.finditer(content):
            if end := _unix(found[1]):
                yield end
    for name, value in terms:
        if name in SPAN_NAMES and (span := SPAN.fullmatch(value)) and (end := _unix(span[1])):
            yield end
        if (stamp := STAMPED.match(value)) and name not in SPAN_NAMES and (end := _unix(stamp[1])):
            yield end


def _from_base64(text: str) -> str:
    """The JSON in a policy or in a token's claims; empty if there is none."""
    claims = TOKEN.fullmatch(text)
    packed = claims[1].translate(URL_SAFE) if claims else text.translate(CLOUDFRONT)
    if not packed.startswith(("ey", "ew")) or len(packed) > MAX_PACKED:  # base64 of { and what follows it
        return ""
    try:
        return b64decode(packed.rstrip("=") + "=" * (-len(packed.rstrip("=")) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


def _dated(date: str, seconds: str) -> Timestamp | None:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return timestamps.from_datetime(signed + timedelta(seconds=int(seconds)))
    except (ValueError, OverflowError):
        return None


def _unix(text: str, base: int = 10) -> Timestamp | None:
    try:
        seconds = timestamps.unix(int(text, base))
        return timestamps.at(seconds) if seconds >= MIN_UNIX else None
    except (ValueError, OverflowError, OSError):
        return None
