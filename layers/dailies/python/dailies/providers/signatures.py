"""Schemes that verify the sender of a delivery. No I/O.

Each function returns the `Proof` or raises VerificationError, and nothing else, for any input. Comparisons are of bytes
and take constant time.
"""

import binascii
import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

from dailies import timestamps
from dailies.errors import StaleSignature, VerificationError
from dailies.jobs.models import Proof

type Secrets = Mapping[str, str]
"""The valid secrets by version: current, pending, previous. Placeholders and short secrets are left out."""

# A rotation needs two signatures. Each further one costs a comparison.
MAX_SIGNATURES = 8


def timestamped_hmac(header: str, body: bytes, secrets: Secrets, *, scheme: str, now: float, tolerance: float) -> Proof:
    """Verify `t=<unix time>,v1=<hex>`: HMAC-SHA256 of the time, a dot and the raw body. The key is the whole secret.

    A header may have up to MAX_SIGNATURES `v1`, but one `t`. `now`: seconds since 1970. `tolerance`: seconds.
    StaleSignature, a VerificationError, if the signature is valid but its time is not.
    """
    fields = [item.strip().partition("=") for item in header.split(",")]
    times = [value for key, _, value in fields if key == "t"]
    signatures = [value for key, _, value in fields if key == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,16}", times[0]) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise VerificationError(f"{scheme}: not of the form t=...,v1=...")
    proof = _matching(
        [_hex(signature) for signature in signatures], f"{times[0]}.".encode() + body, secrets, scheme=f"{scheme} t,v1"
    )
    if abs(now - timestamps.unix(int(times[0]))) > tolerance:
        raise StaleSignature(f"{scheme}: signed too long ago or too far ahead")
    return proof


def plain_hmac(header: str, body: bytes, secrets: Secrets, *, scheme: str) -> Proof:
    """Verify HMAC-SHA256 of the raw body, in hex (with or without `sha256=`) or base64. It has no time."""
    try:
        return _matching([_hex(header.removeprefix("sha256="))], body, secrets, scheme=f"{scheme} hex")
    except VerificationError:
        return _matching([_base64(header)], body, secrets, scheme=f"{scheme} base64")


def bearer(header: str, secrets: Secrets) -> Proof:
    """Verify `Bearer <secret>`. The scheme's case does not matter."""
    scheme, _, presented = header.partition(" ")
    if scheme.lower() != "bearer":
        raise VerificationError("not a bearer")
    return _equal(presented.strip(" "), secrets, scheme="bearer")


def path_token(token: str, secrets: Secrets) -> Proof:
    """Verify a secret that is the last segment of the webhook's path."""
    return _equal(token, secrets, scheme="path token")


def redacted(payload: bytes, secrets: Secrets) -> bytes:
    """The payload with each secret replaced by `[redacted]`, also if its letters are escaped as in JSON or a URL."""
    for secret in secrets.values():
        payload = re.sub(b"".join(map(_spellings, secret)), b"[redacted]", payload)
    return payload


def _spellings(letter: str) -> bytes:
    plain = letter.encode("utf-8", "surrogatepass")
    percent = b"".join(b"%%%02x" % byte for byte in plain)
    return rb"(?:%b|(?i:\\u%04x|%b))" % (re.escape(plain), ord(letter), percent)


def _matching(signatures: list[bytes], message: bytes, secrets: Secrets, *, scheme: str) -> Proof:
    for version, secret in secrets.items():
        expected = hmac.digest(secret.encode(), message, sha256)
        matches = [hmac.compare_digest(expected, signature) for signature in signatures]  # all of them: constant time
        if any(matches):
            return Proof(scheme, version)
    raise VerificationError(f"{scheme}: no match")


def _equal(presented: str, secrets: Secrets, *, scheme: str) -> Proof:
    given = presented.encode("utf-8", "surrogatepass")
    for version, secret in secrets.items():
        if hmac.compare_digest(secret.encode(), given):
            return Proof(scheme, version)
    raise VerificationError(f"{scheme}: no match")


def _hex(text: str) -> bytes:
    """The bytes of hex digits. Malformed input becomes empty bytes, which never match."""
    try:
        return binascii.unhexlify(text.encode())
    except (binascii.Error, UnicodeError):
        return b""


def _base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True)
    except (binascii.Error, UnicodeError):
        return b""
