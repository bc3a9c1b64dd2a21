"""Recorded events other than deliveries, in AWS's formats: the records of the table's stream and the archive's queue
after a completed Sync generation, and the events of the bus and of the schedule."""

import base64
import json
from datetime import UTC, datetime, timedelta
from gzip import compress
from hashlib import md5, sha256
from typing import Any
from uuid import UUID, uuid5

from boto3.dynamodb.types import TypeSerializer

from simulators.provider_calls.call import Call
from simulators.provider_calls.sync import GENERATION_ID as GENERATION
from simulators.provider_calls.sync import OUTPUT_URL, sync_generation
from simulators.provider_calls.sync import SECRET as SYNC_SECRET

type Json = dict[str, Any]

RECORDED_AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
REGION, ACCOUNT = "us-east-1", "123456789012"


def consequences(at: datetime) -> dict[str, Json]:
    """The path of `sync_generation/completed` through the functions behind the table."""
    call = sync_generation("completed", GENERATION, SYNC_SECRET, output_url=OUTPUT_URL, at=at)
    event, receipt = _event_row(call, at), _receipt_row(at + timedelta(seconds=2))
    waiting = _job_row(at, _medium(at), stage="archiving", version=1)
    settled = _job_row(at, _medium(at) | _archived(at + timedelta(seconds=2)), stage="settled", version=2)
    return {
        "advance/webhook": _stream_event("INSERT", event),
        "advance/receipt": _stream_event("INSERT", receipt),
        "announce/completed": _stream_event("INSERT", waiting),
        "announce/archived": _stream_event("MODIFY", settled, old=waiting),
        "archive/found": _queue_event({"detail-type": "Media Found", "detail": _found(waiting)}, at),
    }


def _event_row(call: Call, at: datetime) -> Json:
    return _event(call.webhook, sha256(f"{call.webhook}\n".encode() + call.body).hexdigest(), at) | {
        "status": "completed",
        "provider_status": "COMPLETED",
        "origin": "webhook",
        "payload": compress(call.body, mtime=0),
        "media": [{"role": "output", "media_id": _media_id(OUTPUT_URL), "url": OUTPUT_URL, "seconds": 2}],
        "proof": "sync-signature t,v1 (current)",
        "written_by": str(uuid5(UUID(GENERATION), "request")),
    }


def _receipt_row(at: datetime) -> Json:
    receipt = {"role": "output", "media_id": _media_id(OUTPUT_URL), "state": "archived", "at": _moment(at), **_stored()}
    content = json.dumps(receipt, sort_keys=True, separators=(",", ":"))
    return _event("sync/generation", sha256(f"archive\n{content}".encode()).hexdigest(), at) | {
        "status": "unknown",
        "provider_status": "",
        "origin": "archive",
        "receipt": receipt,
        "written_by": "archive",
    }


def _event(webhook: str, digest: str, at: datetime) -> Json:
    provider, _, name = webhook.partition("/")
    return {
        "pk": f"job#{provider}#{GENERATION}",
        "sk": f"event#{digest}",
        "event_id": digest,
        "provider": provider,
        "webhook": name,
        "job_id": GENERATION,
        "occurred_at": _moment(at),
        "clock": "ours",  # Sync's payloads have no timestamp that orders a job's events
        "received_at": _moment(at),
        "expires_at": int((at + timedelta(days=90)).timestamp()),
    }


def _job_row(at: datetime, medium: Json, *, stage: str, version: int) -> Json:
    return {
        "pk": f"job#sync#{GENERATION}",
        "sk": "job",
        "provider": "sync",
        "webhook": "generation",
        "job_id": GENERATION,
        "status": "completed",
        "provider_status": "COMPLETED",
        "stage": stage,
        "listed": f"sync#{'completed' if stage == 'settled' else stage}#{sha256(GENERATION.encode()).digest()[0] % 4}",
        "first_seen_at": _moment(at),
        "updated_at": medium.get("archived_at", _moment(at)),
        "media": [medium],
        "version": version,
    }


def _medium(at: datetime) -> Json:
    found = {"role": "output", "media_id": _media_id(OUTPUT_URL), "state": "pending"}
    return found | {"found_at": _moment(at), "link_host": "api.sync.so", "source_host": "api.sync.so"}


def _archived(at: datetime) -> Json:
    stored = _stored()
    return {"state": "archived", "archived_at": _moment(at), **stored, "served_by": stored["source_host"]}


def _stored() -> Json:
    return {
        "source_host": "sync-outputs.s3.us-west-2.amazonaws.com",
        "key": f"media/sync/{GENERATION}/output-{_media_id(OUTPUT_URL)}.mp4",
        "version_id": "3HL4kqtJvjVBH40Nrjfkd3XfQ9zX1A0b",
        "bytes": 24080,
        "checksum": "crc64nvme:lxN5SSqpOFE=",
        "content_type": "video/mp4",
        "seconds": 2,
        "width": 320,
        "height": 180,
    }


def _media_id(url: str) -> str:
    return sha256(url.partition("?")[0].encode()).hexdigest()[:8]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _stream_event(name: str, new: Json, old: Json | None = None) -> Json:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/dailies-Table-1A2B3C4D5E6F"
    change = {
        "ApproximateCreationDateTime": int(RECORDED_AT.timestamp()),
        "Keys": _typed({"pk": new["pk"], "sk": new["sk"]}),
        "NewImage": _typed(new),
        **({"OldImage": _typed(old)} if old else {}),
        "SequenceNumber": "111000000000012345678901",
        "SizeBytes": len(json.dumps(_typed(new))),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    record = {
        "eventID": md5(new["sk"].encode(), usedforsecurity=False).hexdigest(),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": f"{table}/stream/{RECORDED_AT:%Y-%m-%dT%H:%M:%S.000}",
    }
    return {"Records": [record]}


def _typed(row: Json) -> Json:
    """A row as streams write it: each value with its type, bytes in base64."""
    write = TypeSerializer().serialize
    return {
        name: {"B": base64.b64encode(value).decode()} if isinstance(value, bytes) else write(value)
        for name, value in row.items()
    }


def _found(job: Json) -> Json:
    told = {name: value for name, value in job.items() if name not in {"pk", "sk", "listed"}}
    return {"id": sha256(f"Media Found {GENERATION} {job['media'][0]['media_id']}".encode()).hexdigest(), **told}


def bus_event(detail_type: str, detail: Json, at: datetime, *, source: str = "dailies") -> Json:
    """An event as EventBridge delivers it."""
    return {
        "version": "0",
        "id": str(uuid5(UUID(GENERATION), detail_type)),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": detail,
    }


def _queue_event(message: Json, at: datetime) -> Json:
    body, sent = json.dumps(message, separators=(",", ":")), str(int(at.timestamp() * 1000))
    record = {
        "messageId": str(uuid5(UUID(GENERATION), "message")),
        "receiptHandle": "AQEBexampleReceiptHandle==",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dailies-ArchiveQueue-1A2B3C4D5E6F",
        "awsRegion": REGION,
    }
    return {"Records": [record]}


def notices(at: datetime) -> dict[str, Json]:
    """Events that invoke track and reconcile, by `<function>/<name>`."""
    submitted = {"provider": "sync", "webhook": "generation", "job_id": GENERATION}
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/dailies-ReconcileSweep-1A2B3C4D5E6F"
    sweep = bus_event("Scheduled Event", {}, at, source="aws.events") | {"resources": [rule]}
    return {
        "track/submitted": bus_event("Job Submitted", submitted, at, source="owners.app"),
        "reconcile/sweep": sweep,
    }
