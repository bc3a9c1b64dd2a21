"""Recorded events: what AWS hands to each function, for `sam local invoke FUNCTION -e events/...`, for tests, to read.

    python -m local.recording                                    writes events/ anew; the same code, the same files
    python -m local.recording sync_generation/completed          prints that one, called now instead
    python -m local.recording sync_generation/completed --secret whsec_...    and proven with your secret

The shapes are AWS's: API Gateway's payload format 2.0, a DynamoDB stream's and a queue's records. The media have links
like the providers', which lead nowhere.
"""

import argparse
import base64
import json
from datetime import UTC, datetime, timedelta
from gzip import compress
from hashlib import md5, sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from boto3.dynamodb.types import TypeSerializer

from local.callers import Call, captions_creator, creatify_product_to_videos, sync_batch, sync_generation

type Json = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "events"
RECORDED_AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
SYNC_SECRET = "whsec_dailies_example_0123456789abcdef"  # noqa: S105  these three are examples, known to all
CREATIFY_TOKEN = "DailiesExampleToken0123456789abcdefghijklmn"  # noqa: S105  as long as the stack's: 43
CAPTIONS_SECRET = "dailies-example-captions-secret"  # noqa: S105

GENERATION = "6533643b-aceb-4c40-967e-d9ba9baac39e"  # the ids that the providers' own examples have
BATCH = "batch_abc123"
PRODUCT_TO_VIDEO = "7e5e8a6f-d0d5-4736-b390-03e696ffc969"
OPERATION = "tg7FaiVgmGqTQfuDhyGA"

OUTPUT_URL = f"https://api.sync.so/v2/generations/{GENERATION}/result?token=00000000-0000-4000-8000-000000000000"
RESULT_URL = f"https://api.sync.so/v2/batches/{BATCH}/result"
PHOTO_URL = "https://dpbavq092lwjh.cloudfront.net/product_to_video/7e5e8a6f/photo.png"
VIDEO_URL = "https://dpbavq092lwjh.cloudfront.net/product_to_video/7e5e8a6f/video.mp4"
OPERATION_URL = (
    "https://storage.googleapis.com/captions-avatar-orc/orc/studio/dWBgT5iv1D4KS6KwpbCr/result.mp4"
    "?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260115T102900Z&X-Goog-Expires=543058&X-Goog-SignedHeaders=host"
    "&X-Goog-Signature=0123456789abcdef"
)

REGION, ACCOUNT, API = "us-east-1", "123456789012", "a1b2c3d4e5"

# ---- Deliveries: a call as API Gateway hands it on -------------------------------------------------------------------


def deliveries(at: datetime, secret: str | None = None) -> dict[str, Json]:
    """One event per webhook and outcome, by `<function>/<outcome>`. `secret` takes the place of the example ones."""
    sync, token, captions = secret or SYNC_SECRET, secret or CREATIFY_TOKEN, secret or CAPTIONS_SECRET
    stages: dict[str, dict[str, str]] = {
        "image_generating": {},
        "image_generated": {"photo_url": PHOTO_URL},
        "video_generating": {"photo_url": PHOTO_URL},
        "video_generated": {"photo_url": PHOTO_URL, "video_url": VIDEO_URL},
        "failed": {},
    }
    calls = {
        "sync_generation/completed": sync_generation("completed", GENERATION, sync, output_url=OUTPUT_URL, at=at),
        "sync_generation/failed": sync_generation("failed", GENERATION, sync, at=at),
        "sync_batch/completed": sync_batch("completed", BATCH, sync, output_url=RESULT_URL, at=at),
        "sync_batch/failed": sync_batch("failed", BATCH, sync, output_url="", at=at),
        "captions_creator/success": captions_creator("success", OPERATION, captions, url=OPERATION_URL),
        "captions_creator/failure": captions_creator("failure", OPERATION, captions),
    } | {
        f"creatify_product_to_video/{stage}": creatify_product_to_videos(
            stage, PRODUCT_TO_VIDEO, token, **urls, at=at - timedelta(seconds=30 * (len(stages) - number))
        )
        for number, (stage, urls) in enumerate(stages.items())
    }
    return {name: http_api_event(call, at) for name, call in calls.items()}


def http_api_event(call: Call, at: datetime) -> Json:
    """A call in API Gateway's payload format 2.0 for HTTP APIs."""
    segments = call.path.split("/")
    token = segments[-1] if call.webhook == "creatify/product_to_videos" else None
    route = "POST " + ("/".join([*segments[:-1], "{token}"]) if token else call.path)
    domain, sender, program = f"{API}.execute-api.{REGION}.amazonaws.com", "203.0.113.7", "simulated-provider"
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": call.path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-length": str(len(call.body)),
            "host": domain,
            "user-agent": program,
            "x-amzn-trace-id": "Root=1-6968c288-0123456789abcdef01234567",
            "x-forwarded-for": sender,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.lower(): value for name, value in call.headers.items()},
        },
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": domain,
            "domainPrefix": API,
            "http": {
                "method": "POST",
                "path": call.path,
                "protocol": "HTTP/1.1",
                "sourceIp": sender,
                "userAgent": program,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(at.timestamp() * 1000),
        },
        **({"pathParameters": {"token": token}} if token else {}),
        "body": call.body.decode(),
        "isBase64Encoded": False,
    }


# ---- What follows from one of them: rows on the table's stream, a message on the queue -------------------------------


def consequences(at: datetime) -> dict[str, Json]:
    """The way of `sync_generation/completed` through the functions behind the table."""
    call = sync_generation("completed", GENERATION, SYNC_SECRET, output_url=OUTPUT_URL, at=at)
    event, receipt = _event_row(call, at), _receipt_row(at + timedelta(seconds=2))
    waiting = _job_row(at, _medium(at), stage="archiving", version=1)
    settled = _job_row(at, _medium(at) | _archived(at + timedelta(seconds=2)), stage="settled", version=2)
    return {
        "advance/webhook": _stream_event("INSERT", event),
        "advance/receipt": _stream_event("INSERT", receipt),
        "announce/completed": _stream_event("INSERT", waiting),
        "announce/archived": _stream_event("MODIFY", settled, old=waiting),
        "archive/found": _queue_event(_bus_event("Media Found", waiting, at), at),
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
        "clock": "ours",  # Sync's payloads have no time that orders a job's events
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
    """A row as streams write it: every value with its type, bytes in base64."""
    write = TypeSerializer().serialize
    return {
        name: {"B": base64.b64encode(value).decode()} if isinstance(value, bytes) else write(value)
        for name, value in row.items()
    }


def _bus_event(detail_type: str, job: Json, at: datetime) -> Json:
    told = {name: value for name, value in job.items() if name not in {"pk", "sk"}}
    identity = sha256(f"{detail_type} {job['job_id']} {job['media'][0]['media_id']}".encode()).hexdigest()
    return {
        "version": "0",
        "id": str(uuid5(UUID(GENERATION), detail_type)),
        "detail-type": detail_type,
        "source": "dailies",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": {"id": identity, **told},
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


# ---- The command -----------------------------------------------------------------------------------------------------


def recorded() -> dict[str, Json]:
    """All events by `<function>/<name>`, as they stand under events/."""
    return deliveries(RECORDED_AT) | consequences(RECORDED_AT)


def text(event: Json) -> str:
    """An event as it stands in its file."""
    return json.dumps(event, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m local.recording", description=(__doc__ or "").partition("\n")[0])
    options.add_argument(
        "event", nargs="?", help="such as sync_generation/completed; without it, events/ is written anew"
    )
    options.add_argument("--secret", help="prove it with this secret (Creatify: the token), not with the example one")
    asked = options.parse_args()
    if asked.event:
        now = deliveries(datetime.now(UTC), asked.secret)
        if asked.event not in now:
            options.error(f"no delivery is called {asked.event}; there are: {', '.join(now)}")
        print(text(now[asked.event]), end="")
        return
    for name, event in recorded().items():
        path = FOLDER / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(event), encoding="utf-8")


if __name__ == "__main__":
    main()
