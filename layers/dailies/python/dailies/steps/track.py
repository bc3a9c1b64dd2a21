"""Record a submitted job as an event, so that the job is known before its first webhook arrives."""

import json
from collections.abc import Mapping
from typing import Any

from dailies.errors import PayloadError
from dailies.jobs.models import Event, content_digest
from dailies.providers.contract import Provider
from dailies.providers.payload import JobId, Payload
from dailies.timestamps import Timestamp


class Notice(Payload):
    """The detail of a `Job Submitted` event, which the owner's app publishes on the bus."""

    provider: str
    webhook: str
    job_id: JobId


def submitted_event(detail: Mapping[str, Any], providers: Mapping[str, Provider], *, at: Timestamp) -> Event:
    """The event of a submitted job. `detail`: `provider`, `webhook`, `job_id`. PayloadError if it names no job, or no
    webhook that is known."""
    notice = Notice.read(json.dumps(detail).encode())
    provider = providers.get(notice.provider)
    if provider is None:
        raise PayloadError(f"provider: none of {', '.join(sorted(providers))}")
    webhooks = [webhook.name for webhook in provider.webhooks]
    if notice.webhook not in webhooks:
        raise PayloadError(f"webhook: none of {', '.join(webhooks)}")
    content = {"provider": notice.provider, "webhook": notice.webhook, "job_id": notice.job_id}
    return Event(
        event_id=content_digest("track", content),
        provider=notice.provider,
        webhook=notice.webhook,
        job_id=notice.job_id,
        status="pending",
        provider_status="",
        origin="track",
        received_at=at,
        payload=json.dumps(detail).encode(),
    )
