"""What passes through Dailies: a delivery, the event it is recorded as, and the job that its events add up to.

Frozen values without I/O. Moments are strings as `clock` writes them.
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

MAX_MESSAGE = 1000
FINISHED: frozenset[Status] = frozenset({"completed", "failed", "canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One HTTP request as it arrived. Header names are in lower case, `token` is the path's last segment where the
    route has one, `received_at` is ours."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    token: str = field(default="", repr=False)
    received_at: Timestamp


class Proof(NamedTuple):
    """How a delivery was verified: by which scheme, with which version of the secret (current, pending, previous)."""

    scheme: str
    secret: str

    def __str__(self) -> str:
        return f"{self.scheme} ({self.secret})"


@dataclass(frozen=True, slots=True, order=True)
class JobError:
    """Why a job failed, in the provider's words, at most MAX_MESSAGE characters of them and no signed URL: the event's
    payload has them all. `retryable`: whether submitting the same again makes sense."""

    code: str
    message: str
    retryable: bool

    def __post_init__(self) -> None:
        for name in ("code", "message"):
            object.__setattr__(self, name, links.unsigned(getattr(self, name)[:MAX_MESSAGE]))


@dataclass(frozen=True, slots=True)
class MediaLink:
    """One medium that a job made: its role, a link to it that will die, and how long the provider says that it plays.

    `renews`: the medium that the link was asked for anew for, where the new one has another path.
    """

    role: str
    url: str = field(repr=False)
    seconds: Decimal | None = None
    renews: str = ""

    @property
    def media_id(self) -> str:
        """Eight hex digits that stay the same when the link is signed anew."""
        return self.renews or links.media_id(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one try to archive a medium came to. Archived: the object's proof, and what its header says of it. Else: the
    reason, one line without the link; `pending` is tried again, `failed` can be redriven, `lost` has a dead link."""

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
    """An upload in parts that has begun: all that another run needs to go on with it.

    `part_bytes` is the size of each part but the last, `total` and `validator` (the host's ETag) are the medium's when
    it began.
    """

    key: str
    upload_id: str
    part_bytes: int
    total: int
    validator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a provider says of one of its jobs; `parse` makes it from a payload.

    `occurred_at` is the provider's own clock, None where it has none that orders a job's events. Words of the
    provider that no table knows have the status `unknown` and are kept in `provider_status`.
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
    """One thing that happened to a job: what is reported, and how we came to know it.

    `payload` is what was said, as it came, secrets redacted. `receipt` and `upload` stand in
    events of the archive only. `contradiction` stands in a poll that confirms a delivery: what the provider's API says
    against it, empty where it agrees, None in all other events. `silent`: reconcile gives the job's silence a name.
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
        """Whether it says something new of the job: not where reconcile only looked after one that goes on, also where
        that has media by now, of which each look tells again."""
        return self.origin != "poll" or self.status in FINISHED or self.receipt is not None

    @classmethod
    def of(cls, report: Report, **how_we_know: Any) -> Self:
        """The report as an event; the rest of the fields as keywords."""
        return cls(**{f.name: getattr(report, f.name) for f in fields(Report)}, **how_we_know)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaItem:
    """A medium in a job row: when news of the job last told of it, empty where only looks did, and what the last try to
    archive it came to, if any.

    A try that did not succeed is forgotten when news after it tell of a link: the medium is pending again.
    """

    role: str
    media_id: str
    found_at: Timestamp = ""
    link_host: str = ""
    link_expires_at: Timestamp | None = None
    receipt: Receipt | None = None

    @property
    def state(self) -> MediaState:
        """Where it stands: pending until a try says otherwise."""
        return self.receipt.state if self.receipt else "pending"

    @property
    def source_host(self) -> str:
        """The host that served it, as far as it was fetched; else the host of its link."""
        return (self.receipt and self.receipt.source_host) or self.link_host


class Confirmation(NamedTuple):
    """What the provider's API said when a delivery was read back: `contradiction` is empty where it agreed."""

    at: Timestamp = ""
    contradiction: str = ""


NEVER_CONFIRMED = Confirmation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A provider's asynchronous work, as the merge of its events. Its media stand in the order of their names.

    `occurred_at` is the provider's moment of `status`, empty where it has no clock. `updated_at` is the last news of
    it, `reconciled_at` when it was last looked after, `silent_at` when that gave its silence a name; empty: never.
    `version` counts the row's writes.
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
        """Whether it waits, and nothing was heard of it for so long that a person should look."""
        return self.status not in FINISHED and self.silent_at > self.updated_at

    @property
    def stage(self) -> Stage:
        """`waiting` until it is finished, `archiving` while media are under way, then `settled`; `attention` where a
        person should look: what the provider's API contradicts, a job that is silent, a role whose media are all given
        up, or a job completed that made nothing."""
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
        """Under what it is listed: its stage, where it is settled its status, `silent` apart from other attention."""
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
