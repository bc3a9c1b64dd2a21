"""An event into its job: pure, and the same job for any order, any repetition and any subset of its events.

A job is a join of small facts, each of which has a greatest one; `merge` is the join with the one event's facts. That
is what makes it commutative, associative and idempotent, and why it needs neither the other rows nor their survival.
"""

from collections.abc import Iterable
from dataclasses import astuple, replace

from dailies.jobs import links
from dailies.jobs.models import Confirmation, Event, Job, MediaItem, Receipt, Status

# Where no clock decides, the later step of a job wins; a word that no table knows decides nothing.
STEPS: tuple[Status, ...] = ("unknown", "pending", "processing", "canceled", "failed", "completed")


def merge(job: Job | None, event: Event) -> Job:
    """The job after the event. `job` is None for the first one that is seen; `version` stays as it is."""
    alone = _of(event)
    return alone if job is None else join(job, alone)


def join(a: Job, b: Job) -> Job:
    """The least job that knows all that both know: commutative, associative, idempotent."""
    standing = max(a, b, key=_status_rank)
    return replace(
        standing,
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


def _of(event: Event) -> Job:
    """What one event alone says of its job."""
    news_at = event.received_at if event.is_update else ""
    media = [
        MediaItem(
            role=medium.role,
            media_id=medium.media_id,
            found_at=news_at,
            link_host=links.host(medium.url),
            link_expires_at=links.expires_at(medium.url, event.received_at),
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
        updated_at=news_at,
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
    """What decides between two jobs' status: the provider's clock where it has one, else the later step; what
    follows only makes the choice the same from both sides."""
    known = job.status != "unknown"
    error = (job.error.code, job.error.message, job.error.retryable) if job.error else ()
    return (known, job.occurred_at, STEPS.index(job.status), error, job.provider_status)


def _join_media(media: Iterable[MediaItem]) -> tuple[MediaItem, ...]:
    joined: dict[tuple[str, str], MediaItem] = {}
    for medium in media:
        name = (medium.role, medium.media_id)
        joined[name] = _join_medium(joined[name], medium) if name in joined else medium
    return tuple(joined[name] for name in sorted(joined))


def _join_medium(a: MediaItem, b: MediaItem) -> MediaItem:
    """The latest sighting with the best receipt. An object stays; of other tries the latest counts, and only until
    the medium is found again: a fresh link is a fresh chance. What is no news finds nothing again: a look at a job that
    goes on has a link each time."""
    sighting = max(a, b, key=lambda medium: (medium.found_at, medium.link_host, medium.link_expires_at or ""))
    receipt = max(filter(None, (a.receipt, b.receipt)), key=_rank, default=None)
    if receipt and receipt.state != "archived" and receipt.at < sighting.found_at:
        receipt = None
    return replace(sighting, receipt=receipt)


def _rank(receipt: Receipt) -> tuple[object, ...]:
    """The order of receipts; to the last field, as text, so that the choice is the same from both sides."""
    return (receipt.state == "archived", receipt.at, *map(str, astuple(receipt)))
