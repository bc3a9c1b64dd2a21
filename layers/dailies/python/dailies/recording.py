"""The events that nobody delivers: a job was submitted, the provider's API told of one, reconcile looked after one.

Each is recorded as a delivery's is, so that all that is known of a job is the merge of its events. Pure.
"""

import json
from collections.abc import Mapping
from typing import Any

from dailies.clock import Moment
from dailies.errors import PayloadError
from dailies.models import Event, Report, content_digest
from dailies.payload import JobId, Payload
from dailies.provider import Provider


class Notice(Payload):
    """The detail of a `Job Submitted` that the owner's app puts on the bus."""

    provider: str
    webhook: str
    job_id: JobId


def submitted_event(detail: Mapping[str, Any], providers: Mapping[str, Provider], *, at: Moment) -> Event:
    """That a job was submitted. PayloadError where the detail names no webhook of a provider's, or no job."""
    told = Notice.read(json.dumps(detail).encode())
    provider = providers.get(told.provider)
    if provider is None:
        raise PayloadError(f"provider: none of {', '.join(sorted(providers))}")
    webhooks = [webhook.name for webhook in provider.webhooks]
    if told.webhook not in webhooks:
        raise PayloadError(f"webhook: none of {', '.join(webhooks)}")
    content = {"provider": told.provider, "webhook": told.webhook, "job_id": told.job_id}
    return Event(
        event_id=content_digest("track", content),
        provider=told.provider,
        webhook=told.webhook,
        job_id=told.job_id,
        status="pending",
        provider_status="",
        origin="track",
        received_at=at,
        payload=json.dumps(detail).encode(),
    )


def poll_event(provider: str, webhook: str, report: Report, answer: bytes, *, at: Moment, **what: Any) -> Event:
    """What the provider's API told of a job when it was asked at this moment. `what`: more of the event's fields."""
    content = {
        "provider": provider,
        "job_id": report.job_id,
        "answer": answer.decode(errors="replace"),
        "asked_at": at,  # each look counts, also where the answer is the same
    }
    return Event.of(
        report,
        event_id=content_digest("poll", content),
        provider=provider,
        webhook=webhook,
        origin="poll",
        received_at=at,
        payload=answer,
        **what,
    )


def nothing(job_id: str) -> Report:
    """That nothing was told of a job: its event says only that somebody looked."""
    return Report(job_id=job_id, status="unknown", provider_status="")
