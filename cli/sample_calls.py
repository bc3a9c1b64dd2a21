"""The calls that the providers make, with their documented bodies and correct proofs: to try a stack with.

The bodies are those of `simulators/provider_calls.py`, which the tests and the demo use as well.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from simulators.provider_calls import (
    Call,
    captions_creator,
    creatify_product_to_videos,
    sync_batch,
    sync_generation,
    sync_proofs,
)
from simulators.recorded_events.__main__ import http_api_event

type Link = Callable[[str], str]
"""Makes the link to a medium, by its file's name: `generation.mp4`."""

SECRET_OF = {
    "sync/generation": "sync/signing",
    "sync/batch": "sync/signing",
    "creatify/product_to_videos": "creatify/token",
    "captions/creator": "captions/signing",
}
# What each may report, the usual one first; for all, what a receiver must cope with.
CASES = {
    "sync/generation": ("completed", "failed", "processing"),
    "sync/batch": ("completed", "failed"),
    "creatify/product_to_videos": (
        "video_generated",
        "image_generating",
        "image_generated",
        "video_generating",
        "failed",
    ),
    "captions/creator": ("success", "failure"),
}
UNREADABLE, FORGED = "unreadable", "forged"
SOMEBODY_ELSES = "somebody-elses-secret-0123456789abcdefghijk"  # as long as the stack's own token
CASES_WITH_MEDIA = frozenset({"completed", "success", "video_generated", "image_generated", "video_generating"})


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be made: what it reports of which job, its proof's secret, and where its media are."""

    webhook: str
    case: str
    job_id: str
    secret: str = field(repr=False)
    link: Link = field(repr=False)


def call(order: Order) -> Call:
    """The call, signed now."""
    if order.case == UNREADABLE:
        return _unreadable(order)
    if order.case == FORGED:
        return replace(call(replace(order, case=CASES[order.webhook][0], secret=SOMEBODY_ELSES)), case=FORGED)
    secret, case, link = order.secret, order.case, order.link
    match order.webhook:
        case "sync/generation":
            output, segment = ("generation.mp4", "segment.mp4") if case == "completed" else ("", "")
            return sync_generation(
                case,
                order.job_id,
                secret,
                output_url=output and link(output),
                segment_output_url=segment and link(segment),
            )
        case "sync/batch":
            return sync_batch(
                case, order.job_id, secret, output_url=link("result.jsonl") if case == "completed" else ""
            )
        case "creatify/product_to_videos":
            return creatify_product_to_videos(
                case,
                order.job_id,
                secret,
                photo_url=link("product.png") if case in CASES_WITH_MEDIA else "",
                video_url=link("product.mp4") if case == "video_generated" else "",
            )
        case _:
            return captions_creator(case, order.job_id, secret, url=link("operation.mp4") if case == "success" else "")


def as_event(made: Call) -> str:
    """What API Gateway hands to the function for a call: for `python -m demo.invoke FUNCTION --event -`."""
    return json.dumps(http_api_event(made, datetime.now(UTC)), indent=2)


def as_curl(made: Call, url: str) -> str:
    """A line that makes the call."""
    headers = [f"-H {_quoted(f'{name}: {value}')}" for name, value in made.headers.items()]
    return " ".join(["curl", "-sS", _quoted(url), *headers, "--data-binary", _quoted(made.body.decode())])


def _unreadable(order: Order) -> Call:
    """Proven, but with nothing in it that the webhook's documentation knows."""
    body = json.dumps({"made_by": "dailies trigger", "about": order.job_id}).encode()
    made = call(replace(order, case="failure" if order.webhook == "captions/creator" else "failed"))
    proofs = sync_proofs(order.secret, body, int(datetime.now(UTC).timestamp()))["both"]
    headers = made.headers | (proofs if order.webhook.startswith("sync/") else {})
    return replace(made, case=UNREADABLE, body=body, headers=headers)


def _quoted(text: str) -> str:
    """As one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
