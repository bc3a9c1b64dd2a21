"""One POST to a webhook, and how to send it. Sending the same call again is a retry."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import urllib3

RECEIVER = "https://dailies.example.com"  # the webhooks' base URL in the bodies; `send` takes the real one
ANSWER_SECONDS = 35  # API Gateway gives a function 30 seconds


@dataclass(frozen=True)
class Call:
    """One POST to a webhook. `case` is what it reports, in the provider's words."""

    webhook: str
    case: str
    job_id: str
    path: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{self.webhook} {self.job_id} {self.case}"


@dataclass(frozen=True)
class Reply:
    """The webhook's response: status, body (parsed if it is JSON), time of the call (seconds since 1970), and seconds
    until the response."""

    status: int
    body: Any
    called_at: float
    seconds: float


def send(call: Call, webhook_base_url: str) -> Reply:
    """Send a call. Raises urllib3's HTTPError if there is no response."""
    called_at, began = time.time(), time.perf_counter()
    answer = urllib3.request(
        "POST",
        webhook_base_url.rstrip("/") + call.path,
        body=call.body,
        headers=call.headers,
        timeout=ANSWER_SECONDS,
        retries=False,
    )
    seconds = time.perf_counter() - began
    try:
        body = json.loads(answer.data)
    except ValueError:
        body = answer.data.decode(errors="replace")
    return Reply(answer.status, body, called_at, seconds)


def compact(body: dict[str, Any]) -> bytes:
    """JSON as JSON.stringify writes it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
