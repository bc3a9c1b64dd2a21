"""Captions' calls: a shared secret as bearer token.

The body of a success has the fields that Captions documents. The body of a failure is not published: only `event` and
`operationId` are certain, the rest is a guess.
"""

from datetime import datetime
from typing import Any

from simulators.provider_calls.call import Call, compact
from simulators.provider_calls.sample import Case, Headers, Medium, Order, Sample

SECRET = "dailies-example-captions-secret"  # noqa: S105  the example of events/, published with them
OPERATION_ID = "tg7FaiVgmGqTQfuDhyGA"
OPERATION_URL = (
    "https://storage.googleapis.com/captions-avatar-orc/orc/studio/dWBgT5iv1D4KS6KwpbCr/result.mp4"
    "?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260115T102900Z&X-Goog-Expires=543058&X-Goog-SignedHeaders=host"
    "&X-Goog-Signature=0123456789abcdef"
)


def captions_creator(case: str, job_id: str, secret: str, *, url: str = "") -> Call:
    """An operation of the creator ended in `success` or `failure`."""
    return CREATOR.call(Order(case, job_id, secret, {"output": url}))


def creator_body(order: Order) -> bytes:
    """The body for an operation's end."""
    body: dict[str, Any] = {"event": f"creator.{order.case}", "operationId": order.job_id}
    if order.case == "success":
        return compact({"url": order.links.get("output", ""), **body, "creditsSpent": 30})
    return compact({**body, "error": "The operation failed."})


def prove(_body: bytes, secret: str, _at: datetime) -> Headers:
    """The header with the secret itself."""
    return {"Authorization": f"Bearer {secret}"}


CREATOR = Sample(
    webhook="captions/creator",
    secret=SECRET,
    job_id=OPERATION_ID,
    cases={"success": Case("completed", ("output",)), "failure": Case("failed")},
    media={"output": Medium("operation.mp4", OPERATION_URL)},
    body=creator_body,
    prove=prove,
)
