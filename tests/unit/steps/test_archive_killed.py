"""The archive's function is killed in the middle of a large medium; invoked again for the same message, it resumes.

The function is the real one, in separate processes, as Lambda starts it. Its table and queues are moto's, on the
loopback; its S3 is the simulator with S3's rules.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from dailies import timestamps
from dailies.aws.table import Table
from dailies.jobs.models import Event, MediaLink
from dailies.jobs.rows import event_item
from resilience.transfers.killing import called_function, killed_function
from resilience.transfers.long_media import MIB, long_medium
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import S3Simulator
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY
from testkit.fixtures.aws import BUCKET, TABLE, Cloud

LONG = long_medium(50 * MIB)  # three parts; the host stalls in the second
FILE = "long.mp4"


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        running.media[FILE] = LONG.medium
        yield running


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account that other processes can reach."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{address}:{port}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield Cloud(monkeypatch)
    finally:
        server.stop()


def test_what_s3_has_is_not_sent_again_though_the_link_died_meanwhile(
    cloud: Cloud, s3: S3Simulator, host: MediaHost
) -> None:
    table = Table(cloud.dynamodb, TABLE)
    cloud.secretsmanager.create_secret(Name="dailies/sync/api", SecretString='{"api_key":"k-0123"}')
    medium = MediaLink("output", host.url(f"/first/{FILE}", fault="stall-at-half"))
    delivery = Event(
        event_id="0" * 64,
        provider="sync",
        webhook="generation",
        job_id="g-1",
        status="completed",
        provider_status="COMPLETED",
        media=(medium,),
        origin="webhook",
        received_at="2026-01-15T10:30:00.000000Z",
    )
    table.put_once(event_item(delivery, expires_at=2_000_000_000), written_by="test")
    environment = {**cloud.environment, "AWS_ENDPOINT_URL_S3": s3.endpoint_url, "SYNC_API_URL": host.base_url}

    killed_function(environment, batch(cloud, medium, tries=1), lambda: parts_in(s3) == 1)
    (begun,) = [event for event in events(table) if event.origin == "archive"]
    assert begun.upload
    assert begun.upload.key == f"media/sync/g-1/output-{medium.media_id}.mp4"
    assert (s3.keys, s3.open_uploads) == ([], [begun.upload.key])

    key = {"pk": {"S": "job#sync#g-1"}, "sk": {"S": f"event#{begun.event_id}"}}
    began = {
        ":at": {"S": timestamps.at(time.time() - 960)}
    }  # the queue hides a message whose run was killed for so long
    cloud.dynamodb.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET received_at = :at", ExpressionAttributeValues=began
    )
    host.remove(f"/first/{FILE}")
    host.add("/v2/generations/g-1/download", host.url(f"/renewed/{FILE}").encode(), "text/plain")
    s3.count_anew()
    called_function(environment, batch(cloud, medium, tries=2))
    assert s3.object(begun.upload.key, BUCKET).content == LONG.content
    assert s3.object(begun.upload.key, BUCKET).crc64nvme == LONG.crc64nvme
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (0, 2)
    assert s3.open_uploads == []
    (receipt,) = [event.receipt for event in events(table) if event.receipt and event.receipt.state == "archived"]
    assert (receipt.media_id, receipt.bytes) == (medium.media_id, len(LONG.content))


def batch(cloud: Cloud, medium: MediaLink, *, tries: int) -> dict[str, Any]:
    """The medium's message as the function gets it, with this receive count."""
    about = {"role": medium.role, "media_id": medium.media_id}
    body = json.dumps({"detail": {"provider": "sync", "webhook": "generation", "job_id": "g-1", "media": [about]}})
    queue = cloud.queue_url("found")
    cloud.sqs.send_message(QueueUrl=queue, MessageBody=body)
    # If the response is lost, the client retries: the message must not be hidden then.
    (message,) = cloud.sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    record = {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": body}
    return {"Records": [{**record, "attributes": {"ApproximateReceiveCount": str(tries)}}]}


def parts_in(s3: S3Simulator) -> int:
    assert s3.calls["CreateMultipartUpload"] <= 1
    return max((len(upload.parts) for upload in list(s3.objects.uploads.values())), default=0)


def events(table: Table) -> list[Event]:
    return list(table.events("sync", "g-1"))
