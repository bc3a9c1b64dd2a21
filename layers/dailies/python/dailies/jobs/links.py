"""What a media URL says by itself, without being fetched. URLs are kept as strings; these never raise."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from dailies import timestamps
from dailies.timestamps import Timestamp


def media_id(url: str) -> str:
    """Eight hex digits of the SHA-256 of a URL without its query: another signature is the same medium."""
    return sha256(url.partition("?")[0].encode("utf-8", "surrogatepass")).hexdigest()[:8]


def host(url: str) -> str:
    """The host's name in lower case; empty where the URL has none or is malformed."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def unsigned(text: str) -> str:
    """A text with the queries of the URLs in it taken out: a signature makes a URL a key."""
    return re.sub(r"(?i)(https?://[^\s?#]*)[?#]\S*", r"\1", text)


def expires_at(url: str) -> Timestamp | None:
    """When the link dies, where it is written in it: by AWS and Google (date and seconds), by CloudFront and older S3
    (`Expires`), by Azure (`se`), or as `exp`. None where nothing says so."""
    try:
        said = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query, max_num_fields=100)}
    except ValueError:
        return None
    for signer in ("x-amz", "x-goog"):
        if died := _dated(said.get(f"{signer}-date", ""), said.get(f"{signer}-expires", "")):
            return died
    return _unix(said.get("expires", "")) or timestamps.parse(said.get("se", "")) or _unix(said.get("exp", ""))


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
