"""Captions (captions.ai, now Mirage): videos by an AI creator. It sends a webhook when an operation succeeds or fails.

Proof: `Authorization: Bearer <secret>`, with the secret from the registration of the webhook. Undocumented: the body of
`creator.failure`, so only `event` and `operationId` are required; retries; a clock.

https://help.captions.ai/docs/api/webhooks (checked 2026-11-21)
"""

import json
from typing import Any

from pydantic import Field

from dailies.jobs.models import Delivery, JobError, MediaLink, Proof, Report, Status
from dailies.providers.contract import (
    Credentials,
    GetJob,
    Limit,
    ProofRules,
    Provider,
    RegisteredWebhook,
    Request,
    StatusPolling,
    Submission,
    Webhook,
    WebhookApi,
)
from dailies.providers.explanation import Explained, Explanation, first_of
from dailies.providers.payload import Amount, JobId, Lenient, Payload, StatusWord, Url
from dailies.providers.signatures import Secrets, bearer

WORDS: dict[str, Status] = {
    "creator.success": "completed",
    "creator.failure": "failed",
}

POLL_WORDS: dict[str, Status] = {
    "QUEUED": "pending",
    "PROCESSING": "processing",
    "COMPLETE": "completed",
}


class CreatorFailure(Payload):
    """Why an operation failed. No page names the field; these are the usual ones."""

    error: Explained = Explanation()
    detail: Explained = Explanation()
    message: Explained = Explanation()
    reason: Explained = Explanation()


class CreatorEvent(CreatorFailure):
    """The result of an operation of the creator."""

    event: StatusWord
    operation_id: JobId = Field(validation_alias="operationId")
    url: Url = None
    credits_spent: Lenient[Amount] = Field(None, validation_alias="creditsSpent")


def verify(delivery: Delivery, secrets: Secrets, _rules: ProofRules) -> Proof:
    """Verify the bearer token. It has no time, so a replay verifies too."""
    return bearer(delivery.headers.get("authorization", ""), secrets)


def parse_creator(body: bytes) -> Report:
    """An operation's success or failure."""
    payload = CreatorEvent.read(body)
    status = WORDS.get(payload.event, "unknown")
    why = first_of(payload.error, payload.message, payload.detail, payload.reason)
    return Report(
        job_id=payload.operation_id,
        status=status,
        provider_status=payload.event,
        media=(MediaLink("output", payload.url),) if payload.url else (),
        # no page says which failures are worth another submission
        error=JobError(*why, retryable=False) if status == "failed" else None,
        credits=payload.credits_spent,
    )


class CreatorPoll(Payload):
    """The state of an operation. `progress` is not read: it documents the payload."""

    state: StatusWord
    url: Url = None
    progress: Lenient[float] = None


def poll_creator(base_url: str, credentials: Credentials, job_id: str) -> Request:
    """https://help.captions.ai/docs/api/creator (checked 2026-11-21)"""
    return _post(base_url, credentials, "/creator/poll", operationId=job_id)


def _headers(credentials: Credentials) -> dict[str, str]:
    return {"x-api-key": credentials["api_key"]}


def parse_creator_poll(body: bytes, job_id: str) -> Report:
    """The state of the operation `job_id`. The answer has no id."""
    payload = CreatorPoll.read(body)
    return Report(
        job_id=job_id,
        status=POLL_WORDS.get(payload.state, "unknown"),
        provider_status=payload.state,
        media=(MediaLink("output", payload.url),) if payload.url else (),
    )


class SubmittedCreator(Payload):
    """The answer to a submission."""

    operation_id: JobId = Field(validation_alias="operationId")


def parse_creator_failure(body: bytes, job_id: str) -> Report:
    """A guess: the API answers the poll of a failed operation with 400. If the operation succeeds later, that status
    wins."""
    refusal = CreatorFailure.read(body)
    why = first_of(refusal.error, refusal.message, refusal.detail, refusal.reason)
    return Report(job_id=job_id, status="failed", provider_status="400", error=JobError(*why, retryable=False))


class WebhookResponse(Payload):
    """A registered webhook: in the list, and in the answer to a registration or an update."""

    id: JobId
    url: str
    secret: str = Field(min_length=1)
    enabled_events: frozenset[str] = Field(validation_alias="enabledEvents")

    def registration(self) -> RegisteredWebhook:
        """The webhook as `RegisteredWebhook`."""
        return RegisteredWebhook(self.id, self.url, self.enabled_events, self.secret)


class RegisteredWebhooks(Payload):
    """All webhooks of the account."""

    registered: tuple[WebhookResponse, ...] = Field(validation_alias="registeredWebhooks")


class Events(Payload):
    """The event names that a webhook can subscribe to."""

    events: frozenset[str] = Field(min_length=1)


def list_events(base_url: str, credentials: Credentials) -> Request:
    """https://help.captions.ai/api-reference/webhooks (checked 2026-11-21), as are the next four"""
    return _post(base_url, credentials, "/webhooks/events")


def list_webhooks(base_url: str, credentials: Credentials) -> Request:
    """List the webhooks. The answer contains their secrets."""
    return _post(base_url, credentials, "/webhooks/list")


def register_webhook(base_url: str, credentials: Credentials, url: str, events: frozenset[str]) -> Request:
    """Register another webhook, even if one has this URL."""
    return _post(base_url, credentials, "/webhooks/register", url=url, enabledEvents=sorted(events))


def update_webhook(
    base_url: str, credentials: Credentials, webhook_id: str, url: str | None, events: frozenset[str] | None
) -> Request:
    """Change a webhook; None keeps a value. Any update makes a new secret.

    Undocumented: until when Captions uses the old one.
    """
    given = {"url": url, "enabledEvents": None if events is None else sorted(events)}
    changes = {name: value for name, value in given.items() if value is not None}
    return _post(base_url, credentials, "/webhooks/update", id=webhook_id, **changes)


def delete_webhook(base_url: str, credentials: Credentials, webhook_id: str) -> Request:
    """Delete a webhook. Captions then sends no more deliveries to it."""
    return _post(base_url, credentials, "/webhooks/delete", id=webhook_id)


def _post(base_url: str, credentials: Credentials, path: str, **fields: Any) -> Request:
    headers = {**_headers(credentials), "content-type": "application/json"}
    return Request("POST", base_url.rstrip("/") + path, headers, json.dumps(fields).encode())


REGISTRY = WebhookApi(
    events=list_events,
    read_events=lambda body: Events.read(body).events,
    all=list_webhooks,
    read_all=lambda body: tuple(one.registration() for one in RegisteredWebhooks.read(body).registered),
    register=register_webhook,
    update=update_webhook,
    read_one=lambda body: WebhookResponse.read(body).registration(),
    delete=delete_webhook,
)
CREATOR = Webhook(provider="captions", name="creator", verify=verify, parse=parse_creator)
CAPTIONS = Provider(
    name="captions",
    webhooks=(CREATOR,),
    roles={"output": frozenset({"video"})},
    manifests={},
    link_refresh={"output": GetJob(poll_creator, parse_creator_poll)},
    polling={"creator": StatusPolling(900, GetJob(poll_creator, parse_creator_poll, parse_creator_failure))},
    # https://help.captions.ai/api-reference (checked 2026-11-21); the body has the id of a registered webhook
    submissions={
        "submit": Submission(
            "creator",
            "/creator/submit",
            _headers,
            job_id=lambda body: SubmittedCreator.read(body).operation_id,
            webhook_field="webhookId",
            by_id=True,
        )
    },
    api_limit=Limit(5),
)
