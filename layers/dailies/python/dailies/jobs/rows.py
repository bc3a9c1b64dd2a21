"""Events and jobs as rows of the table, both ways. No I/O. Keys and attributes are the table's public contract.

Each table of columns below describes one kind of row or nested map. A new attribute is one line there and one field in
`models`.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from operator import attrgetter
from types import EllipsisType
from typing import Any, get_args

from dailies.jobs import links
from dailies.jobs.models import Confirmation, Event, Job, JobError, ListName, MediaItem, MediaLink, Receipt, Upload
from dailies.timestamps import Timestamp

type Item = dict[str, Any]
"""A row as plain Python values."""

type Codec = tuple[Callable[[Any], Any], str, Callable[[Mapping[str, Any]], Any] | None]
"""An attribute's value, made from the model (None or "" leaves it out), and the model's field with its value, made
from the row. The last two are "" and None for an attribute that follows from others."""

type Columns = Mapping[str, Codec | str | int | EllipsisType | None]
"""By attribute: how to write and read it. Plain attributes have the field's name, and need no codec: REQUIRED, or the
field's value without the attribute (0 for an integer). Plain values, not objects: each cold start makes these tables.
"""

REQUIRED = ...
LIST_NAMES: tuple[ListName, ...] = get_args(ListName.__value__)
SHARDS = 4
"""Partitions per list. An index partition takes 1,000 writes a second; a change of a job is one or two."""


def job_pk(provider: str, job_id: str) -> str:
    """The partition key of a job's row and of its event rows."""
    return f"job#{provider}#{job_id}"


def list_key(provider: str, list_name: ListName, shard: int) -> str:
    """The index's partition key of one shard of a list."""
    return f"{provider}#{list_name}#{shard}"


def shard_of(job_id: str) -> int:
    """The shard of a job in its lists, from 0 to SHARDS - 1."""
    return sha256(job_id.encode("utf-8", "surrogatepass")).digest()[0] % SHARDS


def _row(model: Any, columns: Columns) -> Item:
    item: Item = {}
    for name, column in columns.items():
        value, empty = (column[0](model), "") if isinstance(column, tuple) else (getattr(model, name), column)
        if value is not None and value != empty:
            item[name] = value
    return item


def _fields(item: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, column in columns.items():
        if isinstance(column, tuple):
            _, field, read = column
            if read:
                fields[field] = read(item)
        elif column is REQUIRED:
            fields[name] = item[name]
        else:
            value = item.get(name, column)
            fields[name] = int(value) if type(column) is int else value  # DynamoDB returns numbers as Decimal
    return fields


def _map(name: str, columns: Columns, model: type) -> Codec:
    """A nested map that is left out if the field is None."""

    def write(parent: Any) -> Item | None:
        value = getattr(parent, name)
        return None if value is None else _row(value, columns)

    return write, name, lambda item: model(**_fields(item[name], columns)) if name in item else None


def _renews(item: Mapping[str, Any]) -> str:
    return "" if item["media_id"] == links.media_id(item["url"]) else item["media_id"]


def _archived_at(medium: MediaItem) -> Timestamp | None:
    return medium.receipt.at if medium.receipt and medium.state == "archived" else None


def _tried_at(medium: MediaItem) -> Timestamp | None:
    return medium.receipt.at if medium.receipt and medium.state != "archived" else None


def _receipt_in_medium(item: Mapping[str, Any]) -> Receipt | None:
    at = item.get("archived_at") or item.get("tried_at")
    if not at:
        return None
    return Receipt(**_fields({**item, "at": at, "source_host": item.get("served_by", "")}, RECEIPT))


def _medium_row(medium: MediaItem) -> Item:
    """A medium with its receipt in one flat map. `source_host` is the link's host until a host has served it."""
    receipt = _row(medium.receipt, RECEIPT) if medium.receipt else {}
    receipt.pop("at", None)
    return {**receipt, **_row(medium, MEDIUM)}


ERROR: Columns = {"code": REQUIRED, "message": REQUIRED, "retryable": REQUIRED}

LINK: Columns = {
    "role": REQUIRED,
    "media_id": (attrgetter("media_id"), "renews", _renews),
    "url": REQUIRED,
    "seconds": None,
}

UPLOAD: Columns = {"key": REQUIRED, "upload_id": REQUIRED, "part_bytes": 0, "total": 0, "validator": REQUIRED}

RECEIPT: Columns = {
    "role": REQUIRED,
    "media_id": REQUIRED,
    "state": REQUIRED,
    "at": REQUIRED,
    "reason": "",
    "source_host": "",
    "key": "",
    "version_id": "",
    "bytes": 0,
    "checksum": "",
    "content_type": "",
    "seconds": (lambda receipt: receipt.seconds or None, "seconds", lambda item: item.get("seconds")),
    "width": 0,
    "height": 0,
    "note": "",
}

MEDIUM: Columns = {
    "role": REQUIRED,
    "media_id": REQUIRED,
    "state": (attrgetter("state"), "", None),
    "found_at": "",
    "link_host": "",
    "link_expires_at": None,
    "source_host": (attrgetter("source_host"), "", None),
    "served_by": (lambda medium: (medium.receipt and medium.receipt.source_host) or None, "", None),
    "archived_at": (_archived_at, "receipt", _receipt_in_medium),
    "tried_at": (_tried_at, "", None),
}

EVENT: Columns = {
    "pk": (lambda event: job_pk(event.provider, event.job_id), "", None),
    "sk": (lambda event: f"event#{event.event_id}", "", None),
    "event_id": REQUIRED,
    "provider": REQUIRED,
    "webhook": REQUIRED,
    "job_id": REQUIRED,
    "status": REQUIRED,
    "provider_status": REQUIRED,
    "occurred_at": (
        lambda event: event.occurred_at or event.received_at,
        "occurred_at",
        lambda item: item["occurred_at"] if item["clock"] == "provider" else None,
    ),
    "clock": (lambda event: "provider" if event.occurred_at else "ours", "", None),
    "received_at": REQUIRED,
    "origin": REQUIRED,
    "media": (
        lambda event: [_row(link, LINK) for link in event.media] or None,
        "media",
        lambda item: tuple(MediaLink(**_fields(link, LINK)) for link in item.get("media", ())),
    ),
    "error": _map("error", ERROR, JobError),
    "credits": None,
    "parent": None,
    "proof": "",
    "receipt": _map("receipt", RECEIPT, Receipt),
    "upload": _map("upload", UPLOAD, Upload),
    "contradiction": None,
    "silent": False,
}

JOB: Columns = {
    "pk": (lambda job: job_pk(job.provider, job.job_id), "", None),
    "sk": (lambda _: "job", "", None),
    "provider": REQUIRED,
    "webhook": REQUIRED,
    "job_id": REQUIRED,
    "status": REQUIRED,
    "provider_status": REQUIRED,
    "occurred_at": "",
    "stage": (attrgetter("stage"), "", None),
    "listed": (
        lambda job: list_key(job.provider, job.list_name, shard_of(job.job_id)) if job.updated_at else None,
        "",
        None,
    ),
    "first_seen_at": REQUIRED,
    "updated_at": "",
    "reconciled_at": "",
    "silent_at": "",
    "confirmed_at": (
        attrgetter("confirmation.at"),
        "confirmation",
        lambda item: Confirmation(item.get("confirmed_at", ""), item.get("contradiction", "")),
    ),
    "contradiction": (attrgetter("confirmation.contradiction"), "", None),
    "media": (
        lambda job: [_medium_row(medium) for medium in job.media],
        "media",
        lambda item: tuple(MediaItem(**_fields(medium, MEDIUM)) for medium in item["media"]),
    ),
    "error": _map("error", ERROR, JobError),
    "parent": None,
    "credits": None,
    "version": (attrgetter("version"), "version", lambda item: int(item["version"])),
}


def event_item(event: Event, *, expires_at: int, **stored: Any) -> Item:
    """An event's row. `expires_at`: seconds since 1970. `stored`: the payload's attribute, either `payload` (bytes,
    compressed) or `payload_key` (the key of its object)."""
    return {**_row(event, EVENT), **stored, "expires_at": expires_at}


def event_of(item: Mapping[str, Any]) -> Event:
    """The event in a row, without its payload. KeyError or TypeError if it is not an event's row."""
    return Event(**_fields(item, EVENT))


def quarantine_item(
    event_id: str, webhook: str, *, provider: str, received_at: Timestamp, reason: str, proof: str, **stored: Any
) -> Item:
    """The row of a verified delivery that could not be parsed. It does not expire. `stored`: as in `event_item`."""
    return {
        "pk": f"quarantine#{provider}#{received_at[:10]}",
        "sk": f"event#{event_id}",
        "event_id": event_id,
        "provider": provider,
        "webhook": webhook,
        "received_at": received_at,
        "origin": "webhook",
        "reason": reason,
        "proof": proof,
        **stored,
    }


def job_item(job: Job) -> Item:
    """A job's row. It holds no signed URL and no secret, so it can be shown to users unchanged."""
    return _row(job, JOB)


def job_of(item: Mapping[str, Any]) -> Job:
    """The job in a row. KeyError or TypeError if it is not a job's row."""
    return Job(**_fields(item, JOB))
