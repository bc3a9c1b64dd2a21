"""Read a media URL without fetching it. URLs are plain strings; these functions never raise."""

import re
from hashlib import sha256
from urllib.parse import urlsplit

BLANKS = " \t\r\n\f\v\0\u00a0\u200b\u2060\u3000\ufeff"  # around a URL: no part of it


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
