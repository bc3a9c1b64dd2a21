"""Events of polls: the answer of a provider's API, or a poll without a result. No I/O."""

from typing import Any

from dailies.jobs.models import Event, Report, content_digest
from dailies.timestamps import Timestamp


def poll_event(provider: str, webhook: str, report: Report, answer: bytes, *, at: Timestamp, **others: Any) -> Event:
    """The event of one poll of a job. `answer`: the body that the API returned. `at`: the time of the request.
    `others`: more fields of the event."""
    content = {
        "provider": provider,
        "job_id": report.job_id,
        "answer": answer.decode(errors="replace"),
        "asked_at": at,  # each poll is an event, even if the answer does not change
    }
    return Event.of(
        report,
        event_id=content_digest("poll", content),
        provider=provider,
        webhook=webhook,
        origin="poll",
        received_at=at,
        payload=answer,
        **others,
    )


def nothing(job_id: str) -> Report:
    """A report without content: its event records only that the job was polled."""
    return Report(job_id=job_id, status="unknown", provider_status="")
