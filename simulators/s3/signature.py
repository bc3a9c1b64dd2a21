"""Verifies requests as S3 does: AWS's Signature Version 4, in the header or in the query.

Written from AWS's description (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html),
without botocore, which is the code under test. Does not verify the signatures of single chunks.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, unquote

from simulators.s3.errors import Refusal

ACCESS_KEY = "AKIDSINK"
SECRET_KEY = "sink-secret"  # noqa: S105  of a stand-in on loopback
SKEW = timedelta(minutes=15)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+), ?"
    r"SignedHeaders=(?P<signed>[^,]+), ?Signature=(?P<signature>\w+)"
)


@dataclass(frozen=True)
class Signed:
    """A request's signature. `payload` is the SHA-256 of its body, or a constant instead."""

    credential: str
    headers: tuple[str, ...]
    signature: str
    at: str
    lives: timedelta
    payload: str


def verify(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The body's SHA-256 in hex from the signed headers, or S3's constant for none. Raises Refusal as S3 would. `path`
    as sent, `query` decoded, `headers` by lower-case name."""
    said = _said(query, headers)
    key, _, scope = said.credential.partition("/")
    date, _, rest = scope.partition("/")
    region = rest.partition("/")[0]
    if key != ACCESS_KEY:
        raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if rest != f"{region}/s3/aws4_request" or not said.at.startswith(date):
        raise Refusal(400, "AuthorizationHeaderMalformed", f"The credential's scope is malformed: {scope}")
    _check_time(said)
    unsigned = [name for name in headers if name.startswith("x-amz-") and name not in said.headers]
    if unsigned or "host" not in said.headers:
        raise Refusal(403, "AccessDenied", f"There were headers present which were not signed: {', '.join(unsigned)}")
    canonical = "\n".join(
        (
            method,
            path,
            "&".join(
                sorted(f"{_encoded(name)}={_encoded(value)}" for name, value in query.items() if name != SIGNATURE)
            ),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in said.headers),
            "",
            ";".join(said.headers),
            said.payload,
        )
    )
    to_sign = "\n".join(("AWS4-HMAC-SHA256", said.at, scope, sha256(canonical.encode()).hexdigest()))
    secret = f"AWS4{SECRET_KEY}".encode()
    for step in (date, region, "s3", "aws4_request"):
        secret = hmac.digest(secret, step.encode(), "sha256")
    if hmac.digest(secret, to_sign.encode(), "sha256").hex() != said.signature:
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match yours.")
    return said.payload


SIGNATURE = "X-Amz-Signature"


def _said(query: Mapping[str, str], headers: Mapping[str, str]) -> Signed:
    if SIGNATURE in query:
        return Signed(
            credential=query.get("X-Amz-Credential", ""),
            headers=tuple(query.get("X-Amz-SignedHeaders", "").split(";")),
            signature=query[SIGNATURE],
            at=query.get("X-Amz-Date", ""),
            lives=timedelta(seconds=int(query.get("X-Amz-Expires", "0"))),
            payload=headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        raise Refusal(403, "AccessDenied", "Access Denied: the request is not signed.")
    if "x-amz-content-sha256" not in headers:
        raise Refusal(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    return Signed(
        credential=found["credential"],
        headers=tuple(found["signed"].split(";")),
        signature=found["signature"],
        at=headers.get("x-amz-date", ""),
        lives=SKEW,
        payload=headers["x-amz-content-sha256"],
    )


def _check_time(said: Signed) -> None:
    try:
        at = datetime.strptime(said.at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal(403, "AccessDenied", "The request has no valid date.") from error
    now = datetime.now(UTC)
    if at > now + SKEW:
        raise Refusal(403, "RequestTimeTooSkewed", "The request's time is too far ahead.")
    if now > at + said.lives:
        raise Refusal(403, "AccessDenied" if said.lives != SKEW else "RequestTimeTooSkewed", "Request has expired.")


def _encoded(text: str) -> str:
    return quote(unquote(text) if "%" in text else text, safe="-_.~")
