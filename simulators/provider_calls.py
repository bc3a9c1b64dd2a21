"""The four webhooks as their providers call them: who calls, with which proof, with which body.

Each function makes one `Call`, which `send` posts; sending the same call again is a retry. Nothing here is shared with
the bundle, so the proofs are computed by other code than what checks them. A forged call is made with another secret.

The bodies are the providers' own examples with other ids, links and times. Where a provider publishes no literal
example, the body is put together from its published list of fields; the docstrings say which.
"""

import base64
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import urllib3

# What the bodies give as the webhook's address; where they are sent is `send`'s.
RECEIVER = "https://dailies.example.com"
ANSWER_SECONDS = 35  # API Gateway gives a function 30
CREATIFY_ZONE = timezone(timedelta(hours=-7))


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
    """What the webhook answered: status, body (parsed where it is JSON), when it was called (seconds since 1970), and
    how many seconds it took."""

    status: int
    body: Any
    called_at: float
    seconds: float


def send(call: Call, webhook_base_url: str) -> Reply:
    """Post a call. Raises urllib3's HTTPError where nobody answers."""
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


# ---- Sync: a signature over the body, in two headers -----------------------------------------------------------------


def sync_proofs(secret: str, body: bytes, at: int) -> dict[str, dict[str, str]]:
    """The headers that prove a body to be Sync's, by the form they take; `at` is in seconds since 1970. Sync documents
    both headers, and of the second no form. The key is the whole secret, `whsec_` included."""
    timed = f"t={at},v1={hmac.digest(secret.encode(), f'{at}.'.encode() + body, sha256).hex()}"
    digest = hmac.digest(secret.encode(), body, sha256)
    return {
        "both": {"Sync-Signature": timed, "X-Signature-Primary": digest.hex()},
        "Sync-Signature": {"Sync-Signature": timed},
        "X-Signature-Primary, timed": {"X-Signature-Primary": timed},
        "X-Signature-Primary, hex": {"X-Signature-Primary": digest.hex()},
        "X-Signature-Primary, sha256=": {"X-Signature-Primary": f"sha256={digest.hex()}"},
        "X-Signature-Primary, base64": {"X-Signature-Primary": base64.b64encode(digest).decode()},
    }


def sync_generation(
    case: str,
    job_id: str,
    secret: str,
    *,
    output_url: str = "",
    segment_output_url: str = "",
    proof: str = "both",
    at: datetime | None = None,
) -> Call:
    """A generation is `completed` or `failed` (or `processing`, which Sync's list of webhook statuses does not have).

    From the fields of https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks; no literal example
    is published.
    """
    at = at or datetime.now(UTC)
    body: dict[str, Any] = {
        "id": job_id,
        "createdAt": zulu(at - timedelta(minutes=5)),
        "status": case.upper(),
        "model": "lipsync-2",
        "input": [
            {"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"},
            {"type": "audio", "url": "https://assets.sync.so/docs/example-audio.wav"},
        ],
        "options": {"sync_mode": "loop"},
        "webhookUrl": f"{RECEIVER}/webhooks/sync/generation",
    }
    if case == "completed":
        body |= {"outputDuration": 2.0, "outputUrl": output_url, "segmentOutputUrl": segment_output_url}
    if case == "failed":
        body |= {"error": "An error occurred in the generation pipeline.", "error_code": "generation_pipeline_failed"}
    return _sync_call("sync/generation", case, body, secret=secret, proof=proof, at=at)


def sync_batch(
    case: str, job_id: str, secret: str, *, output_url: str, proof: str = "both", at: datetime | None = None
) -> Call:
    """A batch is `completed`, in the example's camelCase, or `failed`, in the schema's snake_case.

    https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks/batch-status-update has both; a failed
    batch is no example there, but made from the schema.
    """
    at = at or datetime.now(UTC)
    created = zulu(at - timedelta(hours=1))
    links = {"outputUrl": output_url, "webhookUrl": f"{RECEIVER}/webhooks/sync/batch"}
    if case == "completed":
        metrics = {"totalGenerations": 5, "successCount": 4, "failedCount": 1, "pendingCount": 0}
        body = {"id": job_id, "status": "COMPLETED", "metrics": metrics, **links, "createdAt": created, "options": {}}
    else:
        metrics = {"total_generations": 5, "success_count": 0, "failed_count": 5, "pending_count": 0}
        body = {"id": job_id, "created_at": created, "status": case.upper(), "metrics": metrics, **links}
    return _sync_call("sync/batch", case, body, secret=secret, proof=proof, at=at)


def sync_batch_row(request_id: str, generation_id: str, output_url: str | None) -> dict[str, str]:
    """A row of a batch's result: a generation that completed, or without a link one that failed.

    From the fields that Sync names in its batch tools; no literal row is published.
    """
    row = {"requestId": request_id, "status": "COMPLETED" if output_url else "FAILED", "generationId": generation_id}
    return row | (
        {"outputMediaUrl": output_url} if output_url else {"error": "No audio file was provided in the request."}
    )


def sync_batch_result(rows: list[dict[str, str]]) -> bytes:
    """The JSONL that a batch's `outputUrl` leads to."""
    return b"".join(compact(row) + b"\n" for row in rows)


def _sync_call(webhook: str, case: str, body: dict[str, Any], *, secret: str, proof: str, at: datetime) -> Call:
    raw = compact(body)
    headers = {"Content-Type": "application/json", **sync_proofs(secret, raw, int(at.timestamp()))[proof]}
    return Call(webhook, case, body["id"], f"/webhooks/{webhook}", headers, raw)


# ---- Creatify: no signature, a secret token in the path --------------------------------------------------------------


def creatify_product_to_videos(
    case: str,
    job_id: str,
    token: str,
    *,
    photo_url: str = "",
    video_url: str = "",
    regen_source_id: str | None = None,
    at: datetime | None = None,
) -> Call:
    """A product-to-video job moved: `image_generating image_generated video_generating video_generated failed`, each a
    POST of its own with the whole job; `at` is its `updated_at`. A regeneration names the job it was made from.

    The examples of gen_image and regen_image on https://docs.creatify.ai (Product to Video), every `<string>` filled.
    """
    at = at or datetime.now(UTC)
    path = f"/webhooks/creatify/product_to_videos/{token}"
    body = {
        "id": job_id,
        "type": "product_anyshot",
        "product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg",
        "aspect_ratio": "16x9",
        "override_avatar": None,
        "motion_style": "talking" if "video" in case else "",
        "product_showcase_url": "",
        "image_prompt": "a café table at dusk",
        "video_prompt": "",
        "status": case,
        "generated_video_url": video_url,
        "generated_photo_url": photo_url,
        "created_at": (at - timedelta(minutes=3)).astimezone(CREATIFY_ZONE).isoformat(timespec="microseconds"),
        "updated_at": at.astimezone(CREATIFY_ZONE).isoformat(timespec="microseconds"),
        "webhook_url": f"{RECEIVER}{path}",
        "failed_reason": "The product could not be found in the picture." if case == "failed" else "",
    }
    if regen_source_id:
        body |= {"regen_source_id": regen_source_id, "regen_type": "regen_image"}
    raw = json.dumps(body).encode()  # as Python's requests writes it: with spaces, in ASCII
    return Call("creatify/product_to_videos", case, job_id, path, {"Content-Type": "application/json"}, raw)


# ---- Captions: a shared secret as bearer -----------------------------------------------------------------------------


def captions_creator(case: str, job_id: str, secret: str, *, url: str = "") -> Call:
    """An operation of the creator ends in `success` or `failure`.

    The first from the fields that Captions documents. What it sends on a failure is published nowhere: only `event` and
    `operationId` are to be relied on, the rest is a guess.
    """
    body: dict[str, Any] = {"event": f"creator.{case}", "operationId": job_id}
    if case == "success":
        body = {"url": url, **body, "creditsSpent": 30}
    else:
        body |= {"error": "The operation failed."}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    return Call("captions/creator", case, job_id, "/webhooks/captions/creator", headers, compact(body))


def compact(body: dict[str, Any]) -> bytes:
    """JSON as JSON.stringify writes it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def zulu(at: datetime) -> str:
    """A time as Sync writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
