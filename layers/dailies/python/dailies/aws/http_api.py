"""Converts between API Gateway's HTTP API, payload format 2.0, and our types. Pure."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from dailies.errors import DeliveryTooLarge, VerificationError
from dailies.jobs.models import Delivery
from dailies.timestamps import Timestamp


def delivery(event: Mapping[str, Any], *, received_at: Timestamp, limit: int) -> Delivery:
    """The delivery in an event, with its body as bytes.

    DeliveryTooLarge if the body has more than `limit` bytes. VerificationError if the body cannot be decoded, so no
    signature can match it.
    """
    text = event.get("body") or ""
    if len(text) > limit * 4 // 3 + 4:  # more characters than base64 of `limit` bytes
        raise DeliveryTooLarge(f"the body has {len(text)} characters, more than {limit} bytes")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:  # also binascii.Error and UnicodeError
        raise VerificationError("the body is not valid base64 or UTF-8") from error
    if len(body) > limit:
        raise DeliveryTooLarge(f"the body has {len(body)} bytes, the limit is {limit}")
    return Delivery(
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=body,
        token=(event.get("pathParameters") or {}).get("token") or "",
        received_at=received_at,
    )


def response(status: int, body: Mapping[str, str], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A response in API Gateway's form: `body` as JSON."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body, separators=(",", ":")),
    }
