"""API Gateway's HTTP API, payload format 2.0: its event to our delivery, our answer to its response."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from dailies.errors import DeliveryTooLarge, VerificationError
from dailies.jobs.models import Delivery
from dailies.timestamps import Timestamp


def delivery(event: Mapping[str, Any], *, received_at: Timestamp, limit: int) -> Delivery:
    """The delivery in the event, API Gateway's base64 undone.

    DeliveryTooLarge where the body has more than `limit` bytes. VerificationError where the body cannot be the bytes
    that were sent, so that no proof can hold.
    """
    text = event.get("body") or ""
    if len(text) > limit * 4 // 3 + 4:  # more than its base64 would have
        raise DeliveryTooLarge(f"{len(text)} characters")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError as error:  # also binascii.Error and UnicodeError
        raise VerificationError("the body is not decodable") from error
    if len(body) > limit:
        raise DeliveryTooLarge(f"{len(body)} bytes")
    return Delivery(
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=body,
        token=(event.get("pathParameters") or {}).get("token") or "",
        received_at=received_at,
    )


def response(status: int, body: Mapping[str, str], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The response in API Gateway's form."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(body, separators=(",", ":")),
    }
