"""How events and jobs stand in rows: pure, both ways. The keys and attributes are the public contract of the table."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any, get_args

from dailies.jobs import links
from dailies.jobs.models import Confirmation, Event, Job, JobError, ListName, MediaItem, MediaLink, Receipt, Upload
from dailies.timestamps import Timestamp

type Item = dict[str, Any]
"""A row as plain Python values."""

LIST_NAMES: tuple[ListName, ...] = get_args(ListName.__value__)
SHARDS = 4
"""Of each list: an index partition takes 1,000 writes a second, and every change of a job is one or two."""

OF_THE_RECEIPT = {field.name for field in fields(Receipt)}


def job_pk(provider: str, job_id: str) -> str:
    """The partition of a job: its row and its event rows."""
    return f"job#{provider}#{job_id}"


def list_key(provider: str, standing: ListName, shard: int) -> str:
    """The index partition of a list's shard."""
    return f"{provider}#{standing}#{shard}"


def shard_of(job_id: str) -> int:
    """In which shard of its lists a job stands."""
    return sha256(job_id.encode("utf-8", "surrogatepass")).digest()[0] % SHARDS


def event_item(event: Event, *, expires_at: int, **kept: Any) -> Item:
    """An event row. `kept` is where its payload is: `payload` (bytes, compressed) or `payload_key`."""
    return _without_absent({
        "pk": job_pk(event.provider, event.job_id),
        "sk": f"event#{event.event_id}",
        "event_id": event.event_id,
        "provider": event.provider,
        "webhook": event.webhook,
        "job_id": event.job_id,
        "status": event.status,
        "provider_status": event.provider_status,
        "occurred_at": event.occurred_at or event.received_at,
        "clock": "provider" if event.occurred_at else "ours",
        "received_at": event.received_at,
        "origin": event.origin,
        **kept,
        "media": [_link_item(medium) for medium in event.media] or None,
        "error": _error_item(event.error),
        "credits": event.credits,
        "parent": event.parent,
        "proof": event.proof or None,
        "receipt": _receipt_item(event.receipt),
        "upload": asdict(event.upload) if event.upload else None,
        "contradiction": event.contradiction,
        "silent": event.silent or None,
        "expires_at": expires_at,
    })  # fmt: skip


def event_of(item: Mapping[str, Any]) -> Event:
    """The event in a row, without its payload. KeyError or TypeError where the row is none of ours."""
    return Event(
        event_id=item["event_id"],
        provider=item["provider"],
        webhook=item["webhook"],
        job_id=item["job_id"],
        status=item["status"],
        provider_status=item["provider_status"],
        occurred_at=item["occurred_at"] if item["clock"] == "provider" else None,
        received_at=item["received_at"],
        origin=item["origin"],
        media=tuple(_link_of(medium) for medium in item.get("media", ())),
        error=_error_of(item.get("error")),
        credits=item.get("credits"),
        parent=item.get("parent"),
        proof=item.get("proof", ""),
        receipt=_receipt_of(item.get("receipt")),
        upload=_upload_of(item.get("upload")),
        contradiction=item.get("contradiction"),
        silent=item.get("silent", False),
    )


def quarantine_item(
    event_id: str, webhook: str, *, provider: str, received_at: Timestamp, reason: str, proof: str, **kept: Any
) -> Item:
    """A quarantine row: an authentic delivery that we cannot read. It does not expire."""
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
        **kept,
    }


def job_item(job: Job) -> Item:
    """A job row: nothing in it is signed or secret, so that it can be shown as it stands."""
    return _without_absent({
        "pk": job_pk(job.provider, job.job_id),
        "sk": "job",
        "provider": job.provider,
        "webhook": job.webhook,
        "job_id": job.job_id,
        "status": job.status,
        "provider_status": job.provider_status,
        "occurred_at": job.occurred_at or None,
        "stage": job.stage,
        "listed": list_key(job.provider, job.list_name, shard_of(job.job_id)) if job.updated_at else None,
        "first_seen_at": job.first_seen_at,
        "updated_at": job.updated_at or None,
        "reconciled_at": job.reconciled_at or None,
        "silent_at": job.silent_at or None,
        "confirmed_at": job.confirmation.at or None,
        "contradiction": job.confirmation.contradiction or None,
        "media": [_media_item(medium) for medium in job.media],
        "error": _error_item(job.error),
        "parent": job.parent,
        "credits": job.credits,
        "version": job.version,
    })  # fmt: skip


def job_of(item: Mapping[str, Any]) -> Job:
    """The job in a row."""
    return Job(
        provider=item["provider"],
        webhook=item["webhook"],
        job_id=item["job_id"],
        status=item["status"],
        provider_status=item["provider_status"],
        occurred_at=item.get("occurred_at", ""),
        first_seen_at=item["first_seen_at"],
        updated_at=item.get("updated_at", ""),
        reconciled_at=item.get("reconciled_at", ""),
        silent_at=item.get("silent_at", ""),
        confirmation=Confirmation(item.get("confirmed_at", ""), item.get("contradiction", "")),
        media=tuple(_media_of(medium) for medium in item["media"]),
        error=_error_of(item.get("error")),
        parent=item.get("parent"),
        credits=item.get("credits"),
        version=int(item["version"]),
    )


def _without_absent(item: Mapping[str, Any]) -> Item:
    return {name: value for name, value in item.items() if value is not None}


def _error_item(error: JobError | None) -> Item | None:
    return {"code": error.code, "message": error.message, "retryable": error.retryable} if error else None


def _error_of(item: Mapping[str, Any] | None) -> JobError | None:
    return JobError(item["code"], item["message"], item["retryable"]) if item else None


def _receipt_item(receipt: Receipt | None) -> Item | None:
    if receipt is None:
        return None
    return _without_empty({
        "role": receipt.role,
        "media_id": receipt.media_id,
        "state": receipt.state,
        "at": receipt.at,
        "reason": receipt.reason,
        "source_host": receipt.source_host,
        "key": receipt.key,
        "version_id": receipt.version_id,
        "bytes": receipt.bytes,
        "checksum": receipt.checksum,
        "content_type": receipt.content_type,
        "seconds": receipt.seconds if receipt.seconds is not None else "",
        "width": receipt.width,
        "height": receipt.height,
        "note": receipt.note,
    })  # fmt: skip


def _receipt_of(item: Mapping[str, Any] | None) -> Receipt | None:
    if item is None:
        return None
    whole = {name: int(item.get(name, 0)) for name in ("bytes", "width", "height")}
    return Receipt(**{**item, **whole})


def _link_item(medium: MediaLink) -> Item:
    return _without_absent(
        {"role": medium.role, "media_id": medium.media_id, "url": medium.url, "seconds": medium.seconds}
    )


def _link_of(item: Mapping[str, Any]) -> MediaLink:
    own = links.media_id(item["url"])
    return MediaLink(
        item["role"], item["url"], item.get("seconds"), item["media_id"] if item["media_id"] != own else ""
    )


def _upload_of(item: Mapping[str, Any] | None) -> Upload | None:
    return Upload(**{**item, "part_bytes": int(item["part_bytes"]), "total": int(item["total"])}) if item else None


def _media_item(medium: MediaItem) -> Item:
    """A medium in a job row: its receipt laid flat, `archived_at` or `tried_at` for its moment."""
    receipt = _receipt_item(medium.receipt) or {}
    tried_at = receipt.pop("at", None)
    return _without_empty({
        **receipt,
        "role": medium.role,
        "media_id": medium.media_id,
        "state": medium.state,
        "found_at": medium.found_at,
        "link_host": medium.link_host,
        "link_expires_at": medium.link_expires_at or "",
        "source_host": medium.source_host,
        "served_by": receipt.get("source_host", ""),
        "archived_at" if medium.state == "archived" else "tried_at": tried_at or "",
    })  # fmt: skip


def _media_of(item: Mapping[str, Any]) -> MediaItem:
    at = item.get("archived_at") or item.get("tried_at")
    said = {name: value for name, value in item.items() if name in OF_THE_RECEIPT}
    receipt = _receipt_of({**said, "at": at, "source_host": item.get("served_by", "")}) if at else None
    return MediaItem(
        role=item["role"],
        media_id=item["media_id"],
        found_at=item.get("found_at", ""),
        link_host=item.get("link_host", ""),
        link_expires_at=item.get("link_expires_at"),
        receipt=receipt,
    )


def _without_empty(item: Mapping[str, Any]) -> Item:
    return {name: value for name, value in item.items() if value not in ("", 0)}
