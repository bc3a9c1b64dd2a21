"""CloudFormation's custom resources: what it asks for, and the answer that it waits for. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html (checked 2026-11-25)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dailies.providers.contract import Request

MAX_REASON = 500  # characters; the whole answer may have 4096 bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `physical_id` names what was made; `reason` is one line where it failed; `data` is for
    the template's GetAtt; `problem` is one line where something went wrong that is no failure of the resource."""

    physical_id: str
    reason: str = ""
    data: Mapping[str, str] | None = None
    problem: str = ""


def answer(event: Mapping[str, Any], outcome: Outcome) -> Request:
    """The call that tells CloudFormation. The URL is signed for a PUT without a content type."""
    body = {
        "Status": "FAILED" if outcome.reason else "SUCCESS",
        "Reason": " ".join(outcome.reason.split())[:MAX_REASON],
        "PhysicalResourceId": outcome.physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(outcome.data or {}),
    }
    return Request("PUT", event["ResponseURL"], {"content-type": ""}, json.dumps(body).encode())
