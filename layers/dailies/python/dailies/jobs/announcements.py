"""What follows from a change of a job row: pure. A canceled job is told as failed: its status says which.

Each announcement's `id` is made of what it tells, so that telling it again has the same one. A consumer that remembers
the ids hears everything once.
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
OF_THE_TABLE = frozenset({"pk", "sk", "listed"})  # what only the table needs
COMPLETED: DetailType = "Job Completed"
ENDS: Mapping[str, DetailType] = {"completed": COMPLETED, "failed": "Job Failed", "canceled": "Job Failed"}
RESTS: Mapping[str, DetailType] = {"settled": "Job Settled", "attention": "Job Needs Attention"}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing to tell: `detail` is the job row with an `id`; about a medium, `media` has that one only."""

    detail_type: DetailType
    detail: dict[str, Any]


def media_found(old: Job | None, new: Job) -> list[Announcement]:
    """`Media Found` for each medium that the change makes known, or known again: the archive's work."""
    before = _media(old)
    return [
        _about(new, MEDIA_FOUND, [medium.role, medium.media_id, medium.found_at], medium)
        for key, medium in _media(new).items()
        if _is_untried(medium) and not (key in before and _is_untried(before[key]))
    ]


def still_pending(job: Job) -> list[Announcement]:
    """`Media Found` for each medium that is under way, once more: the archive's queue may have lost it."""
    return [
        _about(job, MEDIA_FOUND, [medium.role, medium.media_id, medium.found_at, "again"], medium)
        for medium in job.media
        if medium.state == "pending"
    ]


def announcements(old: Job | None, new: Job) -> list[Announcement]:
    """What else the change from one image of a job row to the next tells, in the order in which it makes sense."""
    return [*_archived(old, new), *_of_job(old, new)]


def message(found: Announcement) -> str:
    """A `Media Found` as the archive's queue takes it: an event of the bus, but for what the bus adds."""
    return json.dumps({"detail-type": found.detail_type, "detail": found.detail})


def job_summary(job: Job) -> dict[str, Any]:
    """The job row as JSON values: what stands in job.json and, with an `id`, in announcements."""
    return {name: _json(value) for name, value in rows.job_item(job).items() if name not in OF_THE_TABLE}


def _archived(old: Job | None, new: Job) -> Iterator[Announcement]:
    before = _media(old)
    for key, medium in _media(new).items():
        if medium.receipt and medium.state == "archived" and not (key in before and before[key].state == "archived"):
            yield _about(new, "Media Archived", [medium.receipt.key, medium.receipt.version_id], medium)


def _media(job: Job | None) -> dict[tuple[str, str], MediaItem]:
    return {(medium.role, medium.media_id): medium for medium in job.media} if job else {}


def _is_untried(medium: MediaItem) -> bool:
    """Whether nobody has tried it since it was found; a failed try is queued already."""
    return medium.receipt is None


def _of_job(old: Job | None, new: Job) -> Iterator[Announcement]:
    """An end and a rest are told where what their ids are made of has changed: a replay has no id that was not told."""
    if new.status in ENDS and not (old and _end_key(old) == _end_key(new)):
        yield _about(new, ENDS[new.status], _end_key(new))
    if new.stage in RESTS and not (old and old.stage == new.stage and _rest(old) == _rest(new)):
        yield _about(new, RESTS[new.stage], _rest(new))


def _end_key(job: Job) -> list[str]:
    """What tells one end of a job from another. Not the provider's own word: it may have one in its calls and another
    in its API's answers. Where a job ends twice, as a picture and then as a video, its clock says so."""
    return [job.status, job.occurred_at]


def _rest(job: Job) -> list[str]:
    """What became of the job and of each medium, as far as it matters to whoever waits for it, and what else calls a
    person."""
    receipts = [(medium, medium.receipt) for medium in job.media]
    media = [f"{m.role}-{m.media_id} {m.state} {r.version_id if r else ''} {r.at if r else ''}" for m, r in receipts]
    calls = filter(None, (job.confirmation.contradiction, job.silent_at if job.is_silent else ""))
    return [*_end_key(job), *media, *calls]


def _about(job: Job, detail_type: DetailType, identity: list[str], medium: MediaItem | None = None) -> Announcement:
    content = json.dumps([detail_type, job.provider, job.job_id, *identity])
    detail = job_summary(job if medium is None else replace(job, media=(medium,)))
    return Announcement(detail_type, {"id": sha256(content.encode()).hexdigest(), **detail})


def _json(value: Any) -> Any:
    """A row's value as JSON has it: whole numbers as integers, others as floats."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {name: _json(item) for name, item in value.items()}
        case list():
            return [_json(item) for item in value]
        case _:
            return value
