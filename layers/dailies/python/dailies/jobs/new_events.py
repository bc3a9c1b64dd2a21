"""Events of jobs that were polled: what the provider's API answered, or that it was only asked. Pure."""

from typing import Any

from dailies.jobs.models import Event, Report, content_digest
from dailies.timestamps import Timestamp


def poll_event(provider: str, webhook: str, report: Report, answer: bytes, *, at: Timestamp, **what: Any) -> Event:
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
