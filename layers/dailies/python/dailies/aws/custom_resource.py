"""The answer to a request for a CloudFormation custom resource. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html (checked 2026-11-25)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dailies.providers.contract import Request

MAX_REASON = 500  # characters; CloudFormation accepts 4096 bytes for the complete answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a request.

    `physical_id`: the id of the created resource. `reason`: one line, empty if the request succeeded. `data`: values
    for the template's GetAtt. `problem`: one line about an error that does not make the request fail, or empty.
    """

    physical_id: str
    reason: str = ""
    data: Mapping[str, str] | None = None
    problem: str = ""


def answer(event: Mapping[str, Any], outcome: Outcome) -> Request:
    """The HTTP request that answers `event`. CloudFormation has signed its URL for a PUT without a content type."""
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
