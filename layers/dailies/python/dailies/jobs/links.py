"""Read a media URL without fetching it. URLs are plain strings; these functions never raise."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from dailies import timestamps
from dailies.timestamps import Timestamp


def media_id(url: str) -> str:
    """Eight hex digits of the SHA-256 of a URL without its query, so that a new signature keeps the id."""
    return sha256(url.partition("?")[0].encode("utf-8", "surrogatepass")).hexdigest()[:8]


def host(url: str) -> str:
    """The host's name in lower case; empty if the URL has none or is malformed."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def unsigned(text: str) -> str:
    """The text without the queries of its URLs: a signed query gives access to the file."""
    return re.sub(r"(?i)(https?://[^\s?#]*)[?#]\S*", r"\1", text)


def expires_at(url: str) -> Timestamp | None:
    """When the link expires, by its query; None if the query does not say.

    AWS and Google have a date and seconds, CloudFront and older S3 `Expires`, Azure `se`, others `exp`.
    """
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query, max_num_fields=100)}
    except ValueError:
        return None
    for signer in ("x-amz", "x-goog"):
        if expiry := _dated(query.get(f"{signer}-date", ""), query.get(f"{signer}-expires", "")):
            return expiry
    return _unix(query.get("expires", "")) or timestamps.parse(query.get("se", "")) or _unix(query.get("exp", ""))


def _dated(date: str, seconds: str) -> Timestamp | None:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return timestamps.from_datetime(signed + timedelta(seconds=int(seconds)))
    except (ValueError, OverflowError):
        return None


def _unix(text: str) -> Timestamp | None:
    try:
        return timestamps.at(timestamps.unix(int(text)))
    except (ValueError, OverflowError, OSError):
        return None
