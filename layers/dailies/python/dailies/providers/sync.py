"""Sync (sync.so): lip-synced video. It sends a webhook when a generation or a batch completes or fails.

Proof: two documented headers that disagree. `Sync-Signature: t=..,v1=..` covers the time, a dot and the raw body.
`X-Signature-Primary` is "an HMAC signature of the payload" without an algorithm. It is accepted in the same form, in
hex or in base64. The key is the whole `whsec_...` string. Undocumented: retries, a delivery id, the unit of `t`.

https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks (checked 2026-11-21)
https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks/batch-status-update (checked 2026-11-21)
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from pydantic import AliasChoices, Field

from dailies import timestamps
from dailies.errors import PayloadError, StaleSignature, VerificationError
from dailies.jobs.models import Delivery, JobError, MediaLink, Proof, Report, Status
from dailies.providers.contract import (
    Credentials,
    GetJob,
    Limit,
    ListJobs,
    ProofRules,
    Provider,
    ReportedJob,
    Request,
    ResultManifest,
    StatusPolling,
    Submission,
    Webhook,
    parse_each,
)
from dailies.providers.explanation import Explained, Explanation, first_of
from dailies.providers.payload import MAX_URL, JobId, Lenient, Payload, Seconds, StatusWord, Url, list_items
from dailies.providers.signatures import Secrets, plain_hmac, timestamped_hmac

WORDS: dict[str, Status] = {
    "PENDING": "pending",
    "JOBS_CREATED": "processing",
    "PROCESSING": "processing",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "REJECTED": "failed",
    "TIMED_OUT": "failed",
    "CANCELED": "canceled",
}

# A guess: the other errors of https://sync.so/docs/developer-guides/error-handling are faults of the input.
RETRYABLE = frozenset({
    "generation_timeout",
    "generation_pipeline_failed",
    "generation_database_error",
    "generation_internal_auth",
    "generation_unhandled_error",
})  # fmt: skip


MAX_LISTED = 100  # generations in one answer of the list; Sync accepts no larger `limit`


class Generation(Payload):
    """A generation in a webhook, in an answer to GET or in an older batch result.

    Not read, only documentation of the payload: `created_at`, `input`, `model`, `options`, `webhook_url`.
    """

    id: JobId
    status: StatusWord
    created_at: Lenient[str] = Field(None, validation_alias=AliasChoices("createdAt", "created_at"))
    input: Lenient[list[Any]] = None
    model: Lenient[str] = None
    options: Lenient[dict[str, Any]] = None
    error: Explained = Explanation()
    error_code: Explained = Field(Explanation(), validation_alias=AliasChoices("error_code", "errorCode"))
    output_duration: Lenient[Seconds] = Field(None, validation_alias=AliasChoices("outputDuration", "output_duration"))
    output_url: Url = Field(None, validation_alias="outputUrl")
    output_media_url: Url = Field(None, validation_alias="outputMediaUrl")
    segment_output_url: Url = Field(None, validation_alias="segmentOutputUrl")
    webhook_url: Lenient[str] = Field(None, validation_alias=AliasChoices("webhookUrl", "webhook_url"))


class BatchMetrics(Payload):
    """The results of a batch's generations: snake_case in the schema, camelCase in the official example.

    No field is read: they document the payload.
    """

    total_generations: Lenient[int] = Field(
        None, validation_alias=AliasChoices("total_generations", "totalGenerations")
    )
    success_count: Lenient[int] = Field(None, validation_alias=AliasChoices("success_count", "successCount"))
    failed_count: Lenient[int] = Field(None, validation_alias=AliasChoices("failed_count", "failedCount"))
    pending_count: Lenient[int] = Field(None, validation_alias=AliasChoices("pending_count", "pendingCount"))


class Batch(Payload):
    """A batch. COMPLETED may contain failed items. `outputUrl` redirects (302) to a signed JSONL file.

    Not read, only documentation of the payload: `created_at`, `metrics`, `webhook_url`.
    """

    id: JobId
    status: StatusWord
    created_at: Lenient[str] = Field(None, validation_alias=AliasChoices("created_at", "createdAt"))
    metrics: Lenient[BatchMetrics] = None
    output_url: Url = Field(None, validation_alias=AliasChoices("outputUrl", "output_url"))
    webhook_url: Lenient[str] = Field(None, validation_alias=AliasChoices("webhookUrl", "webhook_url"))


class BatchRow(Payload):
    """A row of a batch's result in the flat shape. `request_id` is not read: it documents the payload."""

    generation_id: JobId = Field(validation_alias=AliasChoices("generationId", "generation_id"))
    status: StatusWord
    request_id: Lenient[str] = Field(None, validation_alias=AliasChoices("requestId", "request_id"))
    output_media_url: Url = Field(
        None, validation_alias=AliasChoices("outputMediaUrl", "outputUrl", "output_media_url")
    )
    error: Explained = Explanation()
    error_code: Explained = Field(Explanation(), validation_alias=AliasChoices("errorCode", "error_code"))


class OlderBatchRow(Payload):
    """A row of a batch's result in the older guide's shape, with a whole generation. `request_id` is not read."""

    request_id: Lenient[str] = Field(None, validation_alias=AliasChoices("requestId", "request_id"))
    response: Generation


def verify(delivery: Delivery, secrets: Secrets, rules: ProofRules) -> Proof:
    """Verify by the first header and form that matches.

    If Sync changes one of them, the other still matches, and the log field `proof` shows which. A matching signature
    with a stale time is a replay, so no other header is tried.
    """
    now = timestamps.seconds(delivery.received_at)
    stamped = {name: delivery.headers.get(name, "") for name in ("sync-signature", "x-signature-primary")}
    refusal = VerificationError("no signature header")
    for name, header in stamped.items():
        if header:
            try:
                return timestamped_hmac(header, delivery.body, secrets, scheme=name, now=now, tolerance=rules.tolerance)
            except StaleSignature:
                raise
            except VerificationError as error:
                refusal = error
    bare = stamped["x-signature-primary"]
    if bare and rules.accept_bare_sync_signature:
        return plain_hmac(bare, delivery.body, secrets, scheme="x-signature-primary")
    raise refusal


def parse_generation(body: bytes) -> Report:
    """The status of a generation."""
    return _generation(Generation.read(body))


def parse_batch(body: bytes) -> Report:
    """The status of a batch. Its medium is the result, which lists its generations."""
    batch = Batch.read(body)
    return Report(
        job_id=batch.id,
        status=WORDS.get(batch.status, "unknown"),
        provider_status=batch.status,
        media=_media(("result", batch.output_url)),
    )


def read_result(lines: Iterator[bytes], batch_id: str) -> Iterator[Report]:
    """The generations in a batch's result, each a separate job. Rows that cannot be parsed are skipped, but the whole
    result is archived as the batch's medium."""
    for line in lines:
        with suppress(PayloadError):
            yield _row(line, batch_id)


def _row(line: bytes, batch_id: str) -> Report:
    try:
        row = BatchRow.read(line)
    except PayloadError:
        return _generation(OlderBatchRow.read(line).response, parent=batch_id)
    return Report(
        job_id=row.generation_id,
        status=WORDS.get(row.status, "unknown"),
        provider_status=row.status,
        media=_media(("output", row.output_media_url)),
        error=_error(row.error_code, row.error),
        parent=batch_id,
    )


def _generation(generation: Generation, parent: str | None = None) -> Report:
    return Report(
        job_id=generation.id,
        status=WORDS.get(generation.status, "unknown"),
        provider_status=generation.status,
        media=_media(
            ("output", generation.output_url),
            ("output", generation.output_media_url),
            ("segment", generation.segment_output_url),
            seconds=generation.output_duration,
        ),
        error=_error(generation.error_code, generation.error),
        parent=parent,
    )


def _media(*links: tuple[str, str | None], seconds: Decimal | None = None) -> tuple[MediaLink, ...]:
    """The links without None and duplicates. `seconds`: the output's duration."""
    return tuple(
        dict.fromkeys(MediaLink(role, url, seconds if role == "output" else None) for role, url in links if url)
    )


def _error(code: Explanation, error: Explanation) -> JobError | None:
    found = first_of(Explanation(code.code or code.message), error)
    return JobError(*found, retryable=found.code in RETRYABLE) if any(found) else None


def _headers(credentials: Credentials) -> dict[str, str]:
    return {"x-api-key": credentials["api_key"]}


def _get(base_url: str, credentials: Credentials, path: str) -> Request:
    return Request("GET", base_url.rstrip("/") + path, _headers(credentials))


def get_generation(base_url: str, credentials: Credentials, job_id: str) -> Request:
    """https://sync.so/docs/api-reference/api/generate-api/get (checked 2026-11-21)"""
    return _get(base_url, credentials, f"/v2/generate/{quote(job_id, safe='')}")


def get_batch(base_url: str, credentials: Credentials, job_id: str) -> Request:
    """https://sync.so/docs/api-reference/api/batch-api/get (checked 2026-11-21)"""
    return _get(base_url, credentials, f"/v2/batch/{quote(job_id, safe='')}")


def get_download(base_url: str, credentials: Credentials, job_id: str) -> Request:
    """A fresh link, as plain text: https://sync.so/docs/api-reference/api/generate-api/download (checked 2026-11-21)"""
    return _get(base_url, credentials, f"/v2/generations/{quote(job_id, safe='')}/download")


def read_download(body: bytes, job_id: str) -> Report:
    """The link to the output, without quotes. The generation's status stays unknown."""
    try:
        url = body.decode().strip().strip('"')
    except UnicodeDecodeError as error:
        raise PayloadError("the link is no text") from error
    if not url.startswith(("https://", "http://")) or len(url.encode()) > MAX_URL or not url.isprintable():
        raise PayloadError("no link")
    return Report(job_id=job_id, status="unknown", provider_status="", media=(MediaLink("output", url),))


def list_generations(base_url: str, credentials: Credentials, job_ids: Sequence[str]) -> Request:
    """https://sync.so/docs/api-reference/api/generate-api/list (checked 2026-11-30)

    With `limit` the newest come first. Without it the list has all generations, in no documented order. `ids` is a
    comma-separated list.
    """
    ids = f"ids={','.join(quote(job_id, safe='') for job_id in job_ids)}&" if job_ids else ""
    return _get(base_url, credentials, f"/v2/generations?{ids}limit={MAX_LISTED}")


def read_generations(body: bytes) -> list[ReportedJob]:
    """The generations in the list."""
    return parse_each(list_items(body, "generations"), parse_generation)


class SyncSigningSecretResponse(Payload):
    """The organisation's webhook secret."""

    secret: str = Field(min_length=1)


def get_signing_secret(base_url: str, credentials: Credentials) -> Request:
    """https://sync.so/docs/api-reference/api/organizations-api/get-webhook-secret (checked 2026-11-25)"""
    return _get(base_url, credentials, "/v2/organizations/webhook/secret")


def read_signing_secret(body: bytes) -> str:
    """The whole `whsec_...` string. PayloadError if it is masked, which the API can do."""
    secret = SyncSigningSecretResponse.read(body).secret.strip()
    if "*" in secret or not secret.isprintable():
        raise PayloadError("secret: not whole")
    return secret


GENERATION = Webhook(provider="sync", name="generation", verify=verify, parse=parse_generation)
BATCH = Webhook(provider="sync", name="batch", verify=verify, parse=parse_batch)
GET_GENERATION = GetJob(get_generation, lambda body, _: parse_generation(body))
GET_BATCH = GetJob(get_batch, lambda body, _: parse_batch(body))
SYNC = Provider(
    name="sync",
    webhooks=(GENERATION, BATCH),
    roles={
        "output": frozenset({"video", "audio"}),
        "segment": frozenset({"video", "audio"}),
        "result": frozenset({"jsonl"}),
    },
    manifests={"result": ResultManifest(webhook="generation", read=read_result)},
    link_refresh={
        "output": GetJob(get_download, read_download),
        "segment": GET_GENERATION,
        "result": GET_BATCH,
    },
    polling={
        "generation": StatusPolling(600, GET_GENERATION, ListJobs(list_generations, read_generations, MAX_LISTED)),
        "batch": StatusPolling(1800, GET_BATCH),
    },
    # https://sync.so/docs/api-reference/api/generate-api/create (checked 2026-11-21)
    submissions={
        "generate": Submission(
            "generation",
            "/v2/generate",
            _headers,
            job_id=lambda body: Generation.read(body).id,
            webhook_field="webhookUrl",
        )
    },
    # https://sync.so/docs/developer-guides/rate-limits (checked 2026-11-21): 60 of POST /v2/generate, 600 of the rest;
    # two of these are left to fetch_sync_secret, which sends at most one request a minute and does not count it
    api_limit=Limit(598),
    submit_limit=Limit(60),
    signing_prefix="whsec_",
)
