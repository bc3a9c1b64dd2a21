"""Merge an event into its job. No I/O. The events' order and repetition do not change the result.

For each field of a job, `join` picks the greater of two values by a total order. So it is commutative, associative and
idempotent, and a merge needs no other event row. Those may expire.
"""

from collections.abc import Iterable
from dataclasses import astuple, replace

from dailies.jobs import link_expiry, links
from dailies.jobs.models import Confirmation, Event, Job, MediaItem, Receipt, Status

# Without a clock, the later of two statuses here wins. An unknown status word never wins.
STEPS: tuple[Status, ...] = ("unknown", "pending", "processing", "canceled", "failed", "completed")


def merge(job: Job | None, event: Event) -> Job:
    """The job after the event. `job` is None for its first event. `version` does not change."""
    single = _job_of(event)
    return single if job is None else join(job, single)


def join(a: Job, b: Job) -> Job:
    """One job with the facts of both. The status comes with its error, word and time from one of them."""
    winner = max(a, b, key=_status_rank)
    return replace(
        winner,
        webhook=max(a.webhook, b.webhook),
        first_seen_at=min(a.first_seen_at, b.first_seen_at),
        updated_at=max(a.updated_at, b.updated_at),
        media=_join_media(a.media + b.media),
        parent=max(filter(None, (a.parent, b.parent)), default=None),
        credits=max((c for c in (a.credits, b.credits) if c is not None), default=None),
        reconciled_at=max(a.reconciled_at, b.reconciled_at),
        silent_at=max(a.silent_at, b.silent_at),
        confirmation=max(a.confirmation, b.confirmation),
        version=max(a.version, b.version),
    )


def _job_of(event: Event) -> Job:
    """The job that has only this event."""
    update_at = event.received_at if event.is_update else ""
    media = [
        MediaItem(
            role=medium.role,
            media_id=medium.media_id,
            found_at=update_at,
            link_host=links.host(medium.url),
            link_expires_at=link_expiry.expires_at(medium.url, event.received_at),
        )
        for medium in event.media
    ]
    if event.receipt:
        media.append(MediaItem(role=event.receipt.role, media_id=event.receipt.media_id, receipt=event.receipt))
    return Job(
        provider=event.provider,
        webhook=event.webhook,
        job_id=event.job_id,
        status=event.status,
        provider_status=event.provider_status,
        occurred_at=event.occurred_at or "",
        error=event.error,
        first_seen_at=event.received_at,
        updated_at=update_at,
        media=_join_media(media),
        parent=event.parent,
        credits=event.credits,
        reconciled_at=event.received_at if event.origin == "poll" else "",
        silent_at=event.received_at if event.silent else "",
        confirmation=Confirmation()
        if event.contradiction is None
        else Confirmation(event.received_at, event.contradiction),
    )


def _status_rank(job: Job) -> tuple[object, ...]:
    """The order of statuses: a known one first, then the provider's clock, then the later step. The rest only makes the
    order total, so that `join` is commutative."""
    is_known = job.status != "unknown"
    error = (job.error.code, job.error.message, job.error.retryable) if job.error else ()
    return (is_known, job.occurred_at, STEPS.index(job.status), error, job.provider_status)


def _join_media(media: Iterable[MediaItem]) -> tuple[MediaItem, ...]:
    joined: dict[tuple[str, str], MediaItem] = {}
    for medium in media:
        name = (medium.role, medium.media_id)
        joined[name] = _join_medium(joined[name], medium) if name in joined else medium
    return tuple(joined[name] for name in sorted(joined))


def _join_medium(a: MediaItem, b: MediaItem) -> MediaItem:
    """The latest finding of the medium with the best receipt.

    An archived object stays. Of failed attempts the latest counts, until the medium is found again: a new link is a new
    chance. A poll of an unfinished job repeats its links, so it is not an update and finds nothing again.
    """
    latest = max(a, b, key=lambda medium: (medium.found_at, medium.link_host, medium.link_expires_at or ""))
    receipt = max(filter(None, (a.receipt, b.receipt)), key=_rank, default=None)
    if receipt and receipt.state != "archived" and receipt.at < latest.found_at:
        receipt = None
    return replace(latest, receipt=receipt)


def _rank(receipt: Receipt) -> tuple[object, ...]:
    """The order of receipts. All fields count, as text, to make it total, so that `join` is commutative."""
    return (receipt.state == "archived", receipt.at, *map(str, astuple(receipt)))
