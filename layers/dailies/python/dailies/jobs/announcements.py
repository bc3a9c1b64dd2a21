"""The announcements that a change of a job row causes. No I/O.

An announcement's `id` is a hash of its content, so a repetition has the same id and consumers can deduplicate. A
canceled job is announced as `Job Failed`; `status` in the detail tells them apart.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

from dailies.jobs import rows
from dailies.jobs.models import Job, MediaItem

type DetailType = Literal[
    "Media Found", "Media Archived", "Job Completed", "Job Failed", "Job Settled", "Job Needs Attention"
]
MEDIA_FOUND: DetailType = "Media Found"
TABLE_ONLY = frozenset({"pk", "sk", "listed"})  # attributes that mean nothing outside the table
COMPLETED: DetailType = "Job Completed"
ENDS: Mapping[str, DetailType] = {"completed": COMPLETED, "failed": "Job Failed", "canceled": "Job Failed"}
STAGES: Mapping[str, DetailType] = {"settled": "Job Settled", "attention": "Job Needs Attention"}


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event for the bus, or for the archive's queue.

    `detail`: the job's summary (see `job_summary`) and `id`, 64 hex digits. If it is about one medium, `media` has only
    that one.
    """

    detail_type: DetailType
    detail: dict[str, Any]


def media_found(old: Job | None, new: Job) -> list[Announcement]:
    """`Media Found` for each medium that this change adds, or that was found again after a failed attempt."""
    before = _media(old)
    return [
        _about(new, MEDIA_FOUND, [medium.role, medium.media_id, medium.found_at], medium)
        for key, medium in _media(new).items()
        if _is_untried(medium) and not (key in before and _is_untried(before[key]))
    ]


def still_pending(job: Job) -> list[Announcement]:
    """`Media Found` with a new id for each pending medium, as the archive's queue may have lost the first."""
    return [
        _about(job, MEDIA_FOUND, [medium.role, medium.media_id, medium.found_at, "again"], medium)
        for medium in job.media
        if medium.state == "pending"
    ]


def announcements(old: Job | None, new: Job) -> list[Announcement]:
    """The other announcements of a change from `old` (None if the job is new) to `new`: media, then the job's end, then
    its stage."""
    return [*_archived(old, new), *_of_job(old, new)]


def message(found: Announcement) -> str:
    """A `Media Found` for the archive's queue: JSON with `detail-type` and `detail`, like an event of the bus."""
    return json.dumps({"detail-type": found.detail_type, "detail": found.detail})


def job_summary(job: Job) -> dict[str, Any]:
    """The job row as JSON values, without keys of the table. It is the content of job.json."""
    return {name: _json(value) for name, value in rows.job_item(job).items() if name not in TABLE_ONLY}


def _archived(old: Job | None, new: Job) -> Iterator[Announcement]:
    before = _media(old)
    for key, medium in _media(new).items():
        if medium.receipt and medium.state == "archived" and not (key in before and before[key].state == "archived"):
            yield _about(new, "Media Archived", [medium.receipt.key, medium.receipt.version_id], medium)


def _media(job: Job | None) -> dict[tuple[str, str], MediaItem]:
    return {(medium.role, medium.media_id): medium for medium in job.media} if job else {}


def _is_untried(medium: MediaItem) -> bool:
    """Whether it has no attempt since it was found. A medium with a failed attempt is already queued."""
    return medium.receipt is None


def _of_job(old: Job | None, new: Job) -> Iterator[Announcement]:
    """Announce an end or a stage only if its id changes, so a replay publishes no new ids."""
    if new.status in ENDS and not (old and _end_key(old) == _end_key(new)):
        yield _about(new, ENDS[new.status], _end_key(new))
    if new.stage in STAGES and not (old and old.stage == new.stage and _stage_key(old) == _stage_key(new)):
        yield _about(new, STAGES[new.stage], _stage_key(new))


def _end_key(job: Job) -> list[str]:
    """The identity of a job's end: its status, and its time by the provider's clock.

    The provider's status word is left out: a webhook and the API may use different words for the same end. The time
    distinguishes the ends of a job that ends twice, as a picture and then as a video.
    """
    return [job.status, job.occurred_at]


def _stage_key(job: Job) -> list[str]:
    """The identity of a stage in STAGES: the job's end, each medium's result, and other reasons for attention."""
    receipts = [(medium, medium.receipt) for medium in job.media]
    media = [f"{m.role}-{m.media_id} {m.state} {r.version_id if r else ''} {r.at if r else ''}" for m, r in receipts]
    reasons = filter(None, (job.confirmation.contradiction, job.silent_at if job.is_silent else ""))
    return [*_end_key(job), *media, *reasons]


def _about(job: Job, detail_type: DetailType, identity: list[str], medium: MediaItem | None = None) -> Announcement:
    content = json.dumps([detail_type, job.provider, job.job_id, *identity])
    detail = job_summary(job if medium is None else replace(job, media=(medium,)))
    return Announcement(detail_type, {"id": sha256(content.encode()).hexdigest(), **detail})


def _json(value: Any) -> Any:
    """A row's value for JSON: whole numbers become integers, other numbers floats."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {name: _json(item) for name, item in value.items()}
        case list():
            return [_json(item) for item in value]
        case _:
            return value
