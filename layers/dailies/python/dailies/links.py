"""What a media URL says by itself, without being fetched. URLs are kept as strings; these never raise."""

import re
from hashlib import sha256
from urllib.parse import urlsplit


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
