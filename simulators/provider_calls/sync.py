"""Sync's calls: a signature over the body, in two headers.

The bodies are Sync's own examples with other ids, links and times. Without a literal example, they are made from Sync's
published list of fields.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from simulators.provider_calls.call import RECEIVER, Call, compact
from simulators.provider_calls.sample import Case, Headers, Medium, Order, Sample

SECRET = "whsec_dailies_example_0123456789abcdef"  # noqa: S105  the example of events/, published with them
GENERATION_ID = "6533643b-aceb-4c40-967e-d9ba9baac39e"  # the ids of Sync's own examples
BATCH_ID = "batch_abc123"
OUTPUT_URL = f"https://api.sync.so/v2/generations/{GENERATION_ID}/result?token=00000000-0000-4000-8000-000000000000"
RESULT_URL = f"https://api.sync.so/v2/batches/{BATCH_ID}/result"


def sync_proofs(secret: str, body: bytes, at: int) -> dict[str, Headers]:
    """The headers that verify a body, by their form; `at` is in seconds since 1970. Sync documents both headers, but
    not the second's form. The key is the complete secret, `whsec_` included."""
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
    """A generation is `completed` or `failed` (or `processing`, which Sync's list of webhook statuses lacks)."""
    links = {"output": output_url, "segment": segment_output_url}
    return _call("sync/generation", Order(case, job_id, secret, links, at or datetime.now(UTC)), proof)


def sync_batch(
    case: str, job_id: str, secret: str, *, output_url: str, proof: str = "both", at: datetime | None = None
) -> Call:
    """A batch is `completed`, in the example's camelCase, or `failed`, in the schema's snake_case."""
    return _call("sync/batch", Order(case, job_id, secret, {"result": output_url}, at or datetime.now(UTC)), proof)


def sync_batch_row(request_id: str, generation_id: str, output_url: str | None) -> dict[str, str]:
    """A row of a batch's result: a completed generation, or without a link a failed one.

    From the fields that Sync names in its batch tools; no literal row is published.
    """
    row = {"requestId": request_id, "status": "COMPLETED" if output_url else "FAILED", "generationId": generation_id}
    return row | (
        {"outputMediaUrl": output_url} if output_url else {"error": "No audio file was provided in the request."}
    )


def sync_batch_result(rows: list[dict[str, str]]) -> bytes:
    """The JSONL behind a batch's `outputUrl`."""
    return b"".join(compact(row) + b"\n" for row in rows)


def zulu(at: datetime) -> str:
    """A time as Sync writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def generation_body(order: Order) -> bytes:
    """Made from the fields of https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks; no literal
    example is published."""
    body: dict[str, Any] = {
        "id": order.job_id,
        "createdAt": zulu(order.at - timedelta(minutes=5)),
        "status": order.case.upper(),
        "model": "lipsync-2",
        "input": [
            {"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"},
            {"type": "audio", "url": "https://assets.sync.so/docs/example-audio.wav"},
        ],
        "options": {"sync_mode": "loop"},
        "webhookUrl": f"{RECEIVER}/webhooks/sync/generation",
    }
    if order.case == "completed":
        links = {"outputUrl": order.links.get("output", ""), "segmentOutputUrl": order.links.get("segment", "")}
        body |= {"outputDuration": 2.0, **links}
    if order.case == "failed":
        body |= {"error": "An error occurred in the generation pipeline.", "error_code": "generation_pipeline_failed"}
    return compact(body)


def batch_body(order: Order) -> bytes:
    """https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks/batch-status-update has both
    spellings; a failed batch is made from its schema, since no example is published."""
    created = zulu(order.at - timedelta(hours=1))
    links = {"outputUrl": order.links.get("result", ""), "webhookUrl": f"{RECEIVER}/webhooks/sync/batch"}
    if order.case == "completed":
        metrics = {"totalGenerations": 5, "successCount": 4, "failedCount": 1, "pendingCount": 0}
        return compact(
            {
                "id": order.job_id,
                "status": "COMPLETED",
                "metrics": metrics,
                **links,
                "createdAt": created,
                "options": {},
            }
        )
    metrics = {"total_generations": 5, "success_count": 0, "failed_count": 5, "pending_count": 0}
    body = {"id": order.job_id, "created_at": created, "status": order.case.upper(), "metrics": metrics, **links}
    return compact(body)


def prove(body: bytes, secret: str, at: datetime) -> Headers:
    """Both headers, as Sync sends them."""
    return sync_proofs(secret, body, int(at.timestamp()))["both"]


def _call(webhook: str, order: Order, proof: str) -> Call:
    body = {"sync/generation": generation_body, "sync/batch": batch_body}[webhook](order)
    headers = {
        "Content-Type": "application/json",
        **sync_proofs(order.secret, body, int(order.at.timestamp()))[proof],
    }
    return Call(webhook, order.case, order.job_id, f"/webhooks/{webhook}", headers, body)


GENERATION = Sample(
    webhook="sync/generation",
    secret=SECRET,
    job_id=GENERATION_ID,
    cases={
        "completed": Case("completed", ("output", "segment")),
        "failed": Case("failed"),
        "processing": Case("processing", recorded=False),
    },
    media={"output": Medium("generation.mp4", OUTPUT_URL), "segment": Medium("segment.mp4")},
    body=generation_body,
    prove=prove,
)
BATCH = Sample(
    webhook="sync/batch",
    secret=SECRET,
    job_id=BATCH_ID,
    cases={"completed": Case("completed", ("result",)), "failed": Case("failed")},
    media={"result": Medium("result.jsonl", RESULT_URL)},
    body=batch_body,
    prove=prove,
)
