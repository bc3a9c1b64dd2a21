"""The scenarios for the faults: together, the functions make every call that they can make.

Each runs for a case of its own and returns the stages at which its jobs settle. Parts are 20 MiB, so a medium of two
parts is the largest here.
"""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from cli.sample_calls import SECRET_OF
from resilience.faults.case_runner import NOBODY, RECEIVERS, Ending, Life, Story
from simulators.media_host.samples import padded
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call, compact
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sample import Order
from simulators.provider_calls.sync import sync_batch, sync_batch_result, sync_batch_row, sync_generation

PART_BYTES = 20 * 1024 * 1024
NOW = "2026-01-15T10:30:00.000000Z"


def operation(life: Life) -> Ending:
    """Captions' operation succeeds: one medium."""
    url = life.link("job", "operation.mp4")
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    return Ending({("captions", life.job()): "settled"})


def large(webhook: str) -> Story:
    """A failed job whose message is too large for its row."""

    def story(life: Life) -> Ending:
        life.deliver(_proven(life, webhook, _with_noise(life, json.loads(_failed(life, webhook)))))
        return Ending({(webhook.partition("/")[0], life.job()): "settled"})

    return story


def generation(life: Life) -> Ending:
    """Sync's generation, reported twice and out of order; its output has two parts."""
    secret = life.account.secrets["sync/signing"]
    url = life.link("job", "two-parts.mp4")
    whole = padded(life.account.apis.host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    life.account.apis.host.add(f"/{life.job()}/two-parts.mp4", whole, "video/mp4")
    done = sync_generation("completed", life.job(), secret, output_url=url)
    life.deliver(done)
    life.deliver(sync_generation("processing", life.job(), secret))
    life.deliver(done)
    return Ending({("sync", life.job()): "settled"})


def cut_generation(life: Life) -> Ending:
    """The host cuts the output in its second part; the next attempt aborts or resumes the upload."""
    secret, host = life.account.secrets["sync/signing"], life.account.apis.host
    whole = padded(host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    path = f"/{life.job()}/clip.mp4"
    host.add(path, whole[:-1000], "video/mp4")
    life.deliver(sync_generation("completed", life.job(), secret, output_url=host.url(path)))
    return Ending({("sync", life.job()): "settled"}, after_try=lambda: host.add(path, whole, "video/mp4"))


def begun_generation(life: Life) -> Ending:
    """An earlier run has uploaded the first part and reached its timeout."""
    secret, host, account = life.account.secrets["sync/signing"], life.account.apis.host, life.account
    whole = padded(host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    path = f"/{life.job()}/clip.mp4"
    host.add(path, whole, "video/mp4")
    url = host.url(path)
    key = f"media/sync/{life.job()}/output-{_media_id(url)}.mp4"
    where: Any = {"Bucket": account.bucket, "Key": key}
    upload_id = account.aws.s3.create_multipart_upload(
        **where, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
    )["UploadId"]
    account.aws.s3.upload_part(
        **where, UploadId=upload_id, PartNumber=1, Body=whole[:PART_BYTES], ChecksumAlgorithm="CRC64NVME"
    )
    upload = {
        "key": key,
        "upload_id": upload_id,
        "part_bytes": PART_BYTES,
        "total": len(whole),
        "validator": f'"{sha256(whole).hexdigest()[:32]}"',  # the host's ETag
    }
    _put(
        life, _event(life, "sync", "generation", origin="archive", status="unknown", provider_status="", upload=upload)
    )
    life.deliver(sync_generation("completed", life.job(), secret, output_url=url))
    return Ending({("sync", life.job()): "settled"})


def stored_before(life: Life) -> Ending:
    """An earlier run has stored the medium and failed before it recorded that."""
    url = life.link("job", "operation.mp4")
    account = life.account
    account.aws.s3.put_object(
        Bucket=account.bucket,
        Key=f"media/captions/{life.job()}/output-{_media_id(url)}.mp4",
        Body=account.apis.host.media["operation.mp4"].content,
        ChecksumAlgorithm="CRC64NVME",
    )
    return operation(life)


def batch(life: Life) -> Ending:
    """Sync's batch: its result lists one successful and one failed generation."""
    secret, host = life.account.secrets["sync/signing"], life.account.apis.host
    one, two = life.job("one"), life.job("two")
    rows = [sync_batch_row("1", one, life.link("one", "batch-1.mp4")), sync_batch_row("2", two, None)]
    host.add(f"/{life.job()}/results.jsonl", sync_batch_result(rows), "application/jsonl")
    url = life.link("job", "results.jsonl")
    life.deliver(sync_batch("completed", life.job(), secret, output_url=url))
    return Ending({("sync", job): "settled" for job in (life.job(), one, two)})


def product(life: Life) -> Ending:
    """Creatify's photo and then its video; the archive verifies the links at its API."""
    token, api = life.account.secrets["creatify/token"], life.account.apis.creatify
    api.job(life.job()).completes("product.mp4", "product.png")
    photo, video = (api.links.url(life.job(), name) for name in ("product.png", "product.mp4"))
    life.deliver(creatify_product_to_videos("image_generated", life.job(), token, photo_url=photo))
    life.deliver(creatify_product_to_videos("video_generated", life.job(), token, photo_url=photo, video_url=video))
    return Ending({("creatify", life.job()): "settled"})


def dead_link(life: Life) -> Ending:
    """Sync's link has expired; its API, with 600 requests a minute, returns a new one."""
    api, secret = life.account.apis.sync, life.account.secrets["sync/signing"]
    api.job(life.job()).completes("generation.mp4")
    url = api.links.url(life.job(), "generation.mp4")
    api.links.die(life.job())
    life.deliver(sync_generation("completed", life.job(), secret, output_url=url))
    return Ending({("sync", life.job()): "settled"})


def dead_operation(life: Life) -> Ending:
    """The same for Captions, whose API allows five requests a minute. If other cases have used them up, reconcile is
    faster than the queue."""
    api = life.account.apis.captions
    api.job(life.job(), webhook_id=NOBODY).completes("operation.mp4")
    url = api.links.url(life.job(), "operation.mp4")
    api.links.die(life.job())
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    return Ending({("captions", life.job()): "settled"}, meanwhile=life.sweep)


def lost_link(life: Life) -> Ending:
    """The link has expired, and the API does not know the job. If the last attempt's receipt is not recorded, SQS moves
    the message to the dead-letter queue, and reconcile queues the medium again."""
    url = life.link("job", "generation.mp4", fault="forbidden")
    life.deliver(sync_generation("completed", life.job(), life.account.secrets["sync/signing"], output_url=url))
    return Ending({("sync", life.job()): "attention"}, meanwhile=life.sweep)


def busy_host(life: Life) -> Ending:
    """The host is overloaded at the first attempt."""
    url = life.link("job", "operation.mp4", fault="busy-once")
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    return Ending({("captions", life.job()): "settled"})


def no_medium(life: Life) -> Ending:
    """The link returns an HTML page."""
    url = life.link("job", "operation.mp4", fault="html-page")
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    return Ending({("captions", life.job()): "attention"})


def unreadable(webhook: str) -> Story:
    """An authentic delivery that cannot be parsed: quarantine."""

    def story(life: Life) -> Ending:
        body = json.dumps({"made for": life.job()}).encode()
        life.deliver(_proven(life, webhook, body))
        return Ending({})

    return story


def large_and_unreadable(webhook: str) -> Story:
    """The same, too large for its row."""

    def story(life: Life) -> Ending:
        life.deliver(_proven(life, webhook, _with_noise(life, {"made for": life.job()})))
        return Ending({})

    return story


def strange_rows(life: Life) -> Ending:
    """Rows that our code did not write: complete in the failure queues, and later rows are processed."""
    pk = f"job#captions#{life.job()}"
    _put(life, {"pk": pk, "sk": f"event#{'0' * 64}", "note": "no event"})
    _put(life, {"pk": f"{pk}-2", "sk": "job", "note": "no job"})
    return operation(life)


def strange_message(life: Life) -> Ending:
    """A message that names no medium."""
    url = life.account.stack.outputs["ArchiveQueueUrl"]
    life.account.aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"about": life.job()}))
    return operation(life)


STORIES: dict[str, Story] = {
    "operation": operation,
    **{f"large {webhook}": large(webhook) for webhook in RECEIVERS},  # before others of the same receivers
    "product": product,
    "batch": batch,
    "dead link": dead_link,
    "dead operation": dead_operation,
    "lost link": lost_link,
    "busy host": busy_host,
    "no medium": no_medium,
    "strange rows": strange_rows,
    "strange message": strange_message,
    "stored before": stored_before,
    **{f"unreadable {webhook}": unreadable(webhook) for webhook in RECEIVERS},
    **{f"large and unreadable {webhook}": large_and_unreadable(webhook) for webhook in RECEIVERS},
    "generation": generation,
    "cut generation": cut_generation,
    "begun generation": begun_generation,
}


def _with_noise(life: Life, body: dict[str, Any]) -> bytes:
    """The body with incompressible noise, so that it needs an object of its own."""
    return compact({**body, "noise": life.account.apis.host.media["large.mp4"].content[-400_000:].hex()})


def _failed(life: Life, webhook: str) -> bytes:
    sample = every_sample()[webhook]
    return sample.body(Order(sample.failure, life.job(), life.account.secrets[SECRET_OF[webhook]]))


def _proven(life: Life, webhook: str, body: bytes) -> Call:
    secret = life.account.secrets[SECRET_OF[webhook]]
    return every_sample()[webhook].proven(body, secret, case="unreadable", job_id=life.job())


def _media_id(url: str) -> str:
    """By the public contract: of the URL without its query."""
    return sha256(url.partition("?")[0].encode()).hexdigest()[:8]


def _event(life: Life, provider: str, webhook: str, **more: Any) -> dict[str, Any]:
    event_id = sha256(life.job().encode()).hexdigest()
    return {
        "pk": f"job#{provider}#{life.job()}",
        "sk": f"event#{event_id}",
        "event_id": event_id,
        "provider": provider,
        "webhook": webhook,
        "job_id": life.job(),
        "occurred_at": NOW,
        "clock": "ours",
        "received_at": NOW,
        "expires_at": int(time.time()) + 86_400,
        "written_by": "the proof",
        **more,
    }


def _put(life: Life, row: dict[str, Any]) -> None:
    write: Callable[[Any], Any] = TypeSerializer().serialize
    item = {name: write(value) for name, value in row.items()}
    life.account.aws.dynamodb.put_item(TableName=life.account.table, Item=item)
