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
from resilience.faults.case_runner import NOBODY, RECEIVERS, CaseRunner, Ending, Scenario
from simulators.media_host.samples import padded
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call, compact
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sample import Order
from simulators.provider_calls.sync import sync_batch, sync_batch_result, sync_batch_row, sync_generation

PART_BYTES = 20 * 1024 * 1024
NOW = "2026-01-15T10:30:00.000000Z"


def operation(runner: CaseRunner) -> Ending:
    """Captions' operation succeeds: one medium."""
    url = runner.link("job", "operation.mp4")
    runner.deliver(captions_creator("success", runner.job(), runner.account.secrets["captions/signing"], url=url))
    return Ending({("captions", runner.job()): "settled"})


def large(webhook: str) -> Scenario:
    """A failed job whose message is too large for its row."""

    def scenario(runner: CaseRunner) -> Ending:
        runner.deliver(_proven(runner, webhook, _with_noise(runner, json.loads(_failed(runner, webhook)))))
        return Ending({(webhook.partition("/")[0], runner.job()): "settled"})

    return scenario


def generation(runner: CaseRunner) -> Ending:
    """Sync's generation, reported twice and out of order; its output has two parts."""
    secret = runner.account.secrets["sync/signing"]
    url = runner.link("job", "two-parts.mp4")
    whole = padded(runner.account.apis.host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    runner.account.apis.host.add(f"/{runner.job()}/two-parts.mp4", whole, "video/mp4")
    done = sync_generation("completed", runner.job(), secret, output_url=url)
    runner.deliver(done)
    runner.deliver(sync_generation("processing", runner.job(), secret))
    runner.deliver(done)
    return Ending({("sync", runner.job()): "settled"})


def cut_generation(runner: CaseRunner) -> Ending:
    """The host cuts the output in its second part; the next attempt aborts or resumes the upload."""
    secret, host = runner.account.secrets["sync/signing"], runner.account.apis.host
    whole = padded(host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    path = f"/{runner.job()}/clip.mp4"
    host.add(path, whole[:-1000], "video/mp4")
    runner.deliver(sync_generation("completed", runner.job(), secret, output_url=host.url(path)))
    return Ending({("sync", runner.job()): "settled"}, after_try=lambda: host.add(path, whole, "video/mp4"))


def begun_generation(runner: CaseRunner) -> Ending:
    """An earlier run has uploaded the first part and reached its timeout."""
    secret, host, account = runner.account.secrets["sync/signing"], runner.account.apis.host, runner.account
    whole = padded(host.media["generation.mp4"].content, PART_BYTES + 64 * 1024)
    path = f"/{runner.job()}/clip.mp4"
    host.add(path, whole, "video/mp4")
    url = host.url(path)
    key = f"media/sync/{runner.job()}/output-{_media_id(url)}.mp4"
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
        runner,
        _event(runner, "sync", "generation", origin="archive", status="unknown", provider_status="", upload=upload),
    )
    runner.deliver(sync_generation("completed", runner.job(), secret, output_url=url))
    return Ending({("sync", runner.job()): "settled"})


def stored_before(runner: CaseRunner) -> Ending:
    """An earlier run has stored the medium and failed before it recorded that."""
    url = runner.link("job", "operation.mp4")
    account = runner.account
    account.aws.s3.put_object(
        Bucket=account.bucket,
        Key=f"media/captions/{runner.job()}/output-{_media_id(url)}.mp4",
        Body=account.apis.host.media["operation.mp4"].content,
        ChecksumAlgorithm="CRC64NVME",
    )
    return operation(runner)


def batch(runner: CaseRunner) -> Ending:
    """Sync's batch: its result lists one successful and one failed generation."""
    secret, host = runner.account.secrets["sync/signing"], runner.account.apis.host
    one, two = runner.job("one"), runner.job("two")
    rows = [sync_batch_row("1", one, runner.link("one", "batch-1.mp4")), sync_batch_row("2", two, None)]
    host.add(f"/{runner.job()}/results.jsonl", sync_batch_result(rows), "application/jsonl")
    url = runner.link("job", "results.jsonl")
    runner.deliver(sync_batch("completed", runner.job(), secret, output_url=url))
    return Ending({("sync", job): "settled" for job in (runner.job(), one, two)})


def product(runner: CaseRunner) -> Ending:
    """Creatify's photo and then its video; the archive verifies the links at its API."""
    token, api = runner.account.secrets["creatify/token"], runner.account.apis.creatify
    api.job(runner.job()).completes("product.mp4", "product.png")
    photo, video = (api.links.url(runner.job(), name) for name in ("product.png", "product.mp4"))
    runner.deliver(creatify_product_to_videos("image_generated", runner.job(), token, photo_url=photo))
    runner.deliver(creatify_product_to_videos("video_generated", runner.job(), token, photo_url=photo, video_url=video))
    return Ending({("creatify", runner.job()): "settled"})


def dead_link(runner: CaseRunner) -> Ending:
    """Sync's link has expired; its API, with 600 requests a minute, returns a new one."""
    api, secret = runner.account.apis.sync, runner.account.secrets["sync/signing"]
    api.job(runner.job()).completes("generation.mp4")
    url = api.links.url(runner.job(), "generation.mp4")
    api.links.die(runner.job())
    runner.deliver(sync_generation("completed", runner.job(), secret, output_url=url))
    return Ending({("sync", runner.job()): "settled"})


def dead_operation(runner: CaseRunner) -> Ending:
    """The same for Captions, whose API allows five requests a minute. If other cases have used them up, reconcile is
    faster than the queue."""
    api = runner.account.apis.captions
    api.job(runner.job(), webhook_id=NOBODY).completes("operation.mp4")
    url = api.links.url(runner.job(), "operation.mp4")
    api.links.die(runner.job())
    runner.deliver(captions_creator("success", runner.job(), runner.account.secrets["captions/signing"], url=url))
    return Ending({("captions", runner.job()): "settled"}, meanwhile=runner.sweep)


def lost_link(runner: CaseRunner) -> Ending:
    """The link has expired, and the API does not know the job. If the last attempt's receipt is not recorded, SQS moves
    the message to the dead-letter queue, and reconcile queues the medium again."""
    url = runner.link("job", "generation.mp4", fault="forbidden")
    runner.deliver(sync_generation("completed", runner.job(), runner.account.secrets["sync/signing"], output_url=url))
    return Ending({("sync", runner.job()): "attention"}, meanwhile=runner.sweep)


def busy_host(runner: CaseRunner) -> Ending:
    """The host is overloaded at the first attempt."""
    url = runner.link("job", "operation.mp4", fault="busy-once")
    runner.deliver(captions_creator("success", runner.job(), runner.account.secrets["captions/signing"], url=url))
    return Ending({("captions", runner.job()): "settled"})


def no_medium(runner: CaseRunner) -> Ending:
    """The link returns an HTML page."""
    url = runner.link("job", "operation.mp4", fault="html-page")
    runner.deliver(captions_creator("success", runner.job(), runner.account.secrets["captions/signing"], url=url))
    return Ending({("captions", runner.job()): "attention"})


def unreadable(webhook: str) -> Scenario:
    """An authentic delivery that cannot be parsed: quarantine."""

    def scenario(runner: CaseRunner) -> Ending:
        body = json.dumps({"made for": runner.job()}).encode()
        runner.deliver(_proven(runner, webhook, body))
        return Ending({})

    return scenario


def large_and_unreadable(webhook: str) -> Scenario:
    """The same, too large for its row."""

    def scenario(runner: CaseRunner) -> Ending:
        runner.deliver(_proven(runner, webhook, _with_noise(runner, {"made for": runner.job()})))
        return Ending({})

    return scenario


def strange_rows(runner: CaseRunner) -> Ending:
    """Rows that our code did not write: complete in the failure queues, and later rows are processed."""
    pk = f"job#captions#{runner.job()}"
    _put(runner, {"pk": pk, "sk": f"event#{'0' * 64}", "note": "no event"})
    _put(runner, {"pk": f"{pk}-2", "sk": "job", "note": "no job"})
    return operation(runner)


def strange_message(runner: CaseRunner) -> Ending:
    """A message that names no medium."""
    url = runner.account.stack.outputs["ArchiveQueueUrl"]
    runner.account.aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"about": runner.job()}))
    return operation(runner)


SCENARIOS: dict[str, Scenario] = {
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


def _with_noise(runner: CaseRunner, body: dict[str, Any]) -> bytes:
    """The body with incompressible noise, so that it needs an object of its own."""
    return compact({**body, "noise": runner.account.apis.host.media["large.mp4"].content[-400_000:].hex()})


def _failed(runner: CaseRunner, webhook: str) -> bytes:
    sample = every_sample()[webhook]
    return sample.body(Order(sample.failure, runner.job(), runner.account.secrets[SECRET_OF[webhook]]))


def _proven(runner: CaseRunner, webhook: str, body: bytes) -> Call:
    secret = runner.account.secrets[SECRET_OF[webhook]]
    return every_sample()[webhook].proven(body, secret, case="unreadable", job_id=runner.job())


def _media_id(url: str) -> str:
    """By the public contract: of the URL without its query."""
    return sha256(url.partition("?")[0].encode()).hexdigest()[:8]


def _event(runner: CaseRunner, provider: str, webhook: str, **more: Any) -> dict[str, Any]:
    event_id = sha256(runner.job().encode()).hexdigest()
    return {
        "pk": f"job#{provider}#{runner.job()}",
        "sk": f"event#{event_id}",
        "event_id": event_id,
        "provider": provider,
        "webhook": webhook,
        "job_id": runner.job(),
        "occurred_at": NOW,
        "clock": "ours",
        "received_at": NOW,
        "expires_at": int(time.time()) + 86_400,
        "written_by": "the proof",
        **more,
    }


def _put(runner: CaseRunner, row: dict[str, Any]) -> None:
    write: Callable[[Any], Any] = TypeSerializer().serialize
    item = {name: write(value) for name, value in row.items()}
    runner.account.aws.dynamodb.put_item(TableName=runner.account.table, Item=item)
