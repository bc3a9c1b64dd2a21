"""The values that pass through Dailies: deliveries, events, and the jobs that events merge into.

All are frozen. A `Timestamp` is a string in the format of `timestamps`; an empty one means never, unless noted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal, NamedTuple, Self, cast

from dailies.jobs import links
from dailies.timestamps import Timestamp

type Status = Literal["pending", "processing", "completed", "failed", "canceled", "unknown"]
type Stage = Literal["waiting", "archiving", "settled", "attention"]
type Origin = Literal["webhook", "poll", "track", "archive", "batch"]
type MediaKind = Literal["video", "audio", "image", "jsonl"]
type MediaState = Literal["pending", "archived", "failed", "lost"]
type ListName = Literal["waiting", "silent", "archiving", "attention", "completed", "failed", "canceled"]

MAX_MESSAGE = 1000  # characters of a code or message in a row; the event's payload has the whole text
FINISHED: frozenset[Status] = frozenset({"completed", "failed", "canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One HTTP request of a provider.

    `headers`: names in lower case. `body`: the raw bytes. `token`: the path's last segment, if the route has a token.
    `received_at`: by our clock.
    """

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    token: str = field(default="", repr=False)
    received_at: Timestamp


class Proof(NamedTuple):
    """How a delivery was verified: the scheme, and the secret's version (current, pending or previous)."""

    scheme: str
    secret: str

    def __str__(self) -> str:
        return f"{self.scheme} ({self.secret})"


@dataclass(frozen=True, slots=True, order=True)
class JobError:
    """Why a job failed: the provider's code and message.

    Each has at most MAX_MESSAGE characters, and URLs in it have no query. `retryable`: whether the same job may succeed
    if it is submitted again.
    """

    code: str
    message: str
    retryable: bool

    def __post_init__(self) -> None:
        for name in ("code", "message"):
            object.__setattr__(self, name, links.unsigned(getattr(self, name)[:MAX_MESSAGE]))


@dataclass(frozen=True, slots=True)
class MediaLink:
    """A link to one medium of a job.

    `role`: such as `output`. `url`: expires. `seconds`: the duration that the provider reports. `renews`: the id of the
    medium for which the link was refreshed; the fresh URL may have another path.
    """

    role: str
    url: str = field(repr=False)
    seconds: Decimal | None = None
    renews: str = ""

    @property
    def media_id(self) -> str:
        """Eight hex digits. A new signature of the link does not change them."""
        return self.renews or links.media_id(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The result of one attempt to archive a medium, at the time `at`.

    `state`: `archived`; `pending`, to be retried; `failed`, can be redriven; or `lost`, as its link has expired.
    `reason`: why it is not archived, one line without the link. The other fields describe an archived object: `bytes`
    and `checksum` of its content; `seconds`, `width` and `height` (pixels) by its header, 0 or None if unknown; `note`,
    a remark such as a duration that differs from the provider's.
    """

    role: str
    media_id: str
    state: MediaState
    at: Timestamp
    reason: str = ""
    source_host: str = ""
    key: str = ""
    version_id: str = ""
    bytes: int = 0
    checksum: str = ""
    content_type: str = ""
    seconds: Decimal | None = None
    width: int = 0
    height: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A started multipart upload, with all that another run needs to continue it.

    `part_bytes`: the size of each part, except the last. `total` (bytes) and `validator` (the host's ETag) describe the
    medium when the upload started.
    """

    key: str
    upload_id: str
    part_bytes: int
    total: int
    validator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A provider's statement about one of its jobs, parsed from a payload.

    `provider_status`: the provider's own word. `status`: ours; `unknown` if no table lists the word. `occurred_at`: by
    the provider's clock; None if no clock orders the job's events. `credits`: what the job cost. `parent`: the id of
    the batch that contains the job, or of the job that it repeats.
    """

    job_id: str
    status: Status
    provider_status: str
    occurred_at: Timestamp | None = None
    media: tuple[MediaLink, ...] = ()
    error: JobError | None = None
    credits: Decimal | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Report):
    """One thing that happened to a job: a report, and where it came from.

    `event_id`: 64 hex digits, from `delivery_digest` or `content_digest`. `payload`: the content as received, secrets
    redacted. `proof`: how a delivery was verified. `receipt`, `upload`: only in events of the archive. `contradiction`:
    None except in a poll that checks a delivery: what the API contradicts, empty if it agrees. `silent`: reconcile
    marks the job as silent.
    """

    event_id: str
    provider: str
    webhook: str
    origin: Origin
    received_at: Timestamp
    payload: bytes = field(default=b"", repr=False)
    proof: str = ""
    receipt: Receipt | None = None
    upload: Upload | None = None
    contradiction: str | None = None
    silent: bool = False

    @property
    def is_update(self) -> bool:
        """Whether it counts as the job's latest update. A poll of an unfinished job does not: it would repeat the same
        media each time."""
        return self.origin != "poll" or self.status in FINISHED or self.receipt is not None

    @classmethod
    def of(cls, report: Report, **others: Any) -> Self:
        """The report as an event. `others`: the fields that a report does not have."""
        return cls(**{f.name: getattr(report, f.name) for f in fields(Report)}, **others)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """A medium in a job row.

    `found_at`: the last update with a link to it; empty if only polls had one. `link_expires_at`: None if unknown.
    `receipt`: the latest attempt to archive it. A later update with a link discards a failed attempt's receipt, and the
    medium is pending again.
    """

    role: str
    media_id: str
    found_at: Timestamp = ""
    link_host: str = ""
    link_expires_at: Timestamp | None = None
    receipt: Receipt | None = None

    @property
    def state(self) -> MediaState:
        """The state of its receipt; `pending` without one."""
        return self.receipt.state if self.receipt else "pending"

    @property
    def source_host(self) -> str:
        """The host that served it; before it is fetched, the host of its link."""
        return (self.receipt and self.receipt.source_host) or self.link_host


class Confirmation(NamedTuple):
    """The result of checking a delivery against the provider's API: `contradiction` is empty if they agree."""

    at: Timestamp = ""
    contradiction: str = ""


NEVER_CONFIRMED = Confirmation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A provider's asynchronous work, merged from its events.

    `occurred_at`: the time of `status` by the provider's clock, empty without a clock. `first_seen_at`: of the first
    event. `updated_at`: of the last update. `reconciled_at`: of the last poll. `silent_at`: when the job was last
    marked as silent. `media`: sorted by role and id. `version`: the number of writes of the row.
    """

    provider: str
    webhook: str
    job_id: str
    status: Status = "unknown"
    provider_status: str = ""
    occurred_at: Timestamp = ""
    error: JobError | None = None
    first_seen_at: Timestamp = ""
    updated_at: Timestamp = ""
    media: tuple[MediaItem, ...] = ()
    parent: str | None = None
    credits: Decimal | None = None
    reconciled_at: Timestamp = ""
    silent_at: Timestamp = ""
    confirmation: Confirmation = NEVER_CONFIRMED
    version: int = 0

    @property
    def is_silent(self) -> bool:
        """Whether it is unfinished, and was marked as silent after its last update."""
        return self.status not in FINISHED and self.silent_at > self.updated_at

    @property
    def stage(self) -> Stage:
        """`waiting` until the job is finished, `archiving` while media are pending, then `settled`.

        `attention` if a person should look: the API contradicts a delivery, the job is silent, all media of a role were
        given up, or the job completed without media.
        """
        if self.confirmation.contradiction or self.is_silent:
            return "attention"
        if self.status not in FINISHED:
            return "waiting"
        if any(medium.state == "pending" for medium in self.media):
            return "archiving"
        archived = {medium.role for medium in self.media if medium.state == "archived"}
        if any(medium.role not in archived for medium in self.media):
            return "attention"
        return "attention" if self.status == "completed" and not self.media else "settled"

    @property
    def list_name(self) -> ListName:
        """The list that contains the job: its stage; its status if it is settled; `silent` if it is silent."""
        if self.stage == "settled" and self.status in FINISHED:
            return cast("ListName", self.status)
        return "silent" if self.is_silent else cast("ListName", self.stage)


def delivery_digest(webhook_name: str, body: bytes) -> str:
    """Hex SHA-256 of the webhook's name, a newline and the raw body: equal content is one event."""
    return sha256(webhook_name.encode() + b"\n" + body).hexdigest()


def content_digest(origin: Origin, content: object) -> str:
    """Hex SHA-256 of the origin, a newline and the content as canonical JSON: sorted keys, no spaces."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return sha256(f"{origin}\n{canonical}".encode()).hexdigest()
