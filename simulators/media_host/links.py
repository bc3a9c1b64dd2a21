"""Signed links to media, in S3's or Google's format. The media host makes and verifies them; the command makes them."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from urllib.parse import urlencode

HOUR = 3600
SIGNED = "/signed"  # the first segment of a signed link's path
FIRST_CREDENTIAL = "credential-0"  # signs links until the first revocation

type Dialect = Literal["X-Amz", "X-Goog"]  # the prefix of the signing parameters: S3's, Google's


def signed_url(
    base_url: str,
    path: str,
    *,
    key: bytes,
    issued: float,
    lifetime: int = HOUR,
    credential: str = FIRST_CREDENTIAL,
    dialect: Dialect = "X-Amz",
) -> str:
    """A link to `path` (with its leading slash), valid for `lifetime` seconds after `issued` (seconds since 1970)."""
    path = SIGNED + path
    terms = {
        f"{dialect}-Credential": credential,
        f"{dialect}-Date": datetime.fromtimestamp(issued, UTC).strftime("%Y%m%dT%H%M%SZ"),
        f"{dialect}-Expires": str(lifetime),
    }
    return f"{base_url}{path}?{urlencode({**terms, f'{dialect}-Signature': signature(path, terms, key)})}"


def signature(path: str, terms: Mapping[str, str], key: bytes) -> str:
    """The signature, in hex, of a path (`SIGNED` included) and its signing parameters."""
    return hmac.digest(key, f"{path}\n{urlencode(terms)}".encode(), sha256).hex()
