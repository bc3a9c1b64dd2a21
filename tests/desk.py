"""The archive at work in this process: the providers' simulated APIs, moto's table and queues, an S3 that keeps S3's
rules."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from time import time

import pytest

from dailies import clock
from dailies.archiving import Desk, archive
from dailies.asking import every_api
from dailies.bucket import Bucket
from dailies.models import Event, Job, Media, Receipt, content_digest, delivery_digest
from dailies.outbound import Network
from dailies.providers import every_provider
from dailies.queue import FailureQueue, WorkQueue
from dailies.table import Table
from dailies.telemetry import Telemetry
from dailies.wanted import Wanted, known, receipt_event
from local.apis import LOST, ProviderApis, provider_apis
from local.apis.callbacks import Callback
from tests.cloud import TABLE, Cloud
from tests.inventions import merged
from tests.recorded import WEBHOOKS

TRIES = 3
FIRST_PAUSE = 15.0  # the template's
TOKEN = "t0k3n-0123456789abcdefghij"  # in the path of Creatify's webhook
PROVIDERS = every_provider()


class Archive:
    """What a message comes to, and what is recorded of it. The webhooks hear of nothing: `hears` is the receivers."""

    def __init__(self, cloud: Cloud, bucket: Bucket, apis: ProviderApis) -> None:
        self.cloud = cloud
        self.apis = apis
        self.table = Table(cloud.dynamodb, TABLE)
        self.pauses: list[int] = []
        cloud.sqs.meta.events.register(
            "provide-client-params.sqs.ChangeMessageVisibility",
            lambda params, **_: self.pauses.append(params["VisibilityTimeout"]),
        )
        self.delays: list[int] = []
        cloud.sqs.meta.events.register(
            "provide-client-params.sqs.SendMessage",
            lambda params, **_: self.delays.append(params.get("DelaySeconds", 0)),
        )
        base_urls = {
            "sync": apis.sync.base_url,
            "creatify": apis.creatify.base_url,
            "captions": apis.captions.base_url,
        }
        for name in base_urls:
            cloud.secretsmanager.create_secret(Name=f"dailies/{name}/api", SecretString="not-set")
        telemetry = Telemetry("dailies")
        settings = {f"{name.upper()}_API_URL": base_url for name, base_url in base_urls.items()}
        self.desk = Desk(
            table=self.table,
            bucket=bucket,
            queue=WorkQueue(cloud.sqs, cloud.queue_url("found")),
            failures=FailureQueue(cloud.sqs, cloud.queue_url("failures")),
            telemetry=telemetry,
            providers=PROVIDERS,
            apis=every_api(
                PROVIDERS,
                cloud.environment | settings,
                cloud.secretsmanager,
                self.table,
                telemetry,
                first_pause=0.01,
            ),
            network=Network(),
            private_hosts=frozenset({"127.0.0.1"}),
            only_hosts={"creatify": frozenset({"creatify.ai"})},
            most_tries=TRIES,
            first_pause=FIRST_PAUSE,
            most_bytes=2**27,
            retention_days=90,
        )
        for one in (apis.sync, apis.creatify, apis.captions):
            one.callbacks.are(LOST)
        apis.captions.register("https://r.example/webhooks/captions/creator")

    def set_keys(self) -> None:
        """The owner sets the credentials of all three."""
        for name, credentials in (
            ("sync", self.apis.sync.credentials),
            ("creatify", self.apis.creatify.credentials),
            ("captions", self.apis.captions.credentials),
        ):
            self.cloud.secretsmanager.put_secret_value(
                SecretId=f"dailies/{name}/api", SecretString=json.dumps(credentials)
            )

    def hears(self, callback: Callback) -> Event:
        """A delivery is recorded."""
        webhook = WEBHOOKS[callback.webhook]
        event = Event.of(
            webhook.parse(callback.body),
            event_id=delivery_digest(callback.webhook, callback.body),
            provider=webhook.provider,
            webhook=webhook.name,
            origin="webhook",
            received_at=clock.now(),
        )
        self.record(event)
        return event

    def record(self, event: Event) -> None:
        """Put its row."""
        self.table.record(event, retention_days=90, written_by="test")

    def forget(self, event: Event) -> None:
        """Its row has expired."""
        key = {"pk": {"S": f"job#{event.provider}#{event.job_id}"}, "sk": {"S": f"event#{event.event_id}"}}
        self.cloud.dynamodb.delete_item(TableName=TABLE, Key=key)

    def generation(self, output: str = "generation.mp4", segment: str = "", *, seconds: float | None = 2.0) -> Event:
        """Sync has told that the generation g-1 is completed."""
        job = self.apis.sync.job("g-1", webhook_url="https://r.example/webhooks/sync/generation")
        job.completes(output, segment, seconds=seconds)  # type: ignore[arg-type]  # Sync may not tell
        return self.hears(self.apis.sync.callbacks.told[-1])

    def retold(self, event: Event, *media: Media) -> Event:
        """The same event with other media, as if its provider had told them."""
        told = replace(event, event_id=content_digest("webhook", [medium.url for medium in media]), media=media)
        self.record(told)
        return told

    def batch(self, generations: dict[str, str | None]) -> Event:
        """Sync has told that the batch b-1 is completed."""
        self.apis.sync.batch("b-1", webhook_url="https://r.example/webhooks/sync/batch").completes(generations)
        return self.hears(self.apis.sync.callbacks.told[-1])

    def product(self) -> Event:
        """Creatify has told that the video of p-1 is generated, and its photo."""
        url = f"https://r.example/webhooks/creatify/product_to_videos/{TOKEN}"
        self.apis.creatify.job("p-1", webhook_url=url).completes()
        return self.hears(self.apis.creatify.callbacks.told[-1])

    def operation(self) -> Event:
        """Captions has told that the operation o-1 is complete."""
        self.apis.captions.job("o-1").completes()
        return self.hears(self.apis.captions.callbacks.told[-1])

    def try_medium(self, event: Event, role: str, *, tries: int = 1, seconds: float = 60) -> bool:
        """Work off the message of the event's medium in a role, the so manieth try of it; whether it is done with."""
        medium = next(medium for medium in event.media if medium.role == role)
        self.has_been_tried(event, medium, tries - 1)
        return self.receive(event, role, times=tries, seconds=seconds)

    def receive(self, event: Event, role: str, *, times: int, seconds: float = 60) -> bool:
        """Work off that message, which SQS shows for so many times; whether it is done with."""
        medium = next(medium for medium in event.media if medium.role == role)
        about = {"role": role, "media_id": medium.media_id}
        detail = {"provider": event.provider, "webhook": event.webhook, "job_id": event.job_id, "media": [about]}
        queue = self.cloud.queue_url("found")
        self.cloud.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"detail": detail}))
        (received,) = self.cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
        message = {
            "messageId": received["MessageId"],
            "receiptHandle": received["ReceiptHandle"],
            "body": received["Body"],
            "attributes": {"ApproximateReceiveCount": str(times)},
        }
        return archive(self.desk, message, seconds=seconds)

    def has_been_tried(self, event: Event, medium: Media, times: int) -> None:
        """So many tries have come to nothing: those that are not recorded yet are now."""
        of_it = Wanted(PROVIDERS[event.provider], event.webhook, event.job_id, medium.role, medium.media_id)
        before = known(of_it, self.table.events(event.provider, event.job_id), time()).tries
        for _ in range(times - before):
            receipt = Receipt(role=medium.role, media_id=medium.media_id, state="pending", at=clock.now())
            self.record(receipt_event(of_it, receipt))

    def events(self, event: Event, origin: str = "") -> list[Event]:
        """What is recorded of the event's job, of one origin or of all, in its order."""
        found = [one for one in self.table.events(event.provider, event.job_id) if origin in ("", one.origin)]
        return sorted(found, key=lambda one: one.received_at)

    def receipt(self, event: Event) -> Receipt:
        """What the last try came to."""
        return self.receipts(event)[-1]

    def receipts(self, event: Event) -> list[Receipt]:
        """What each try came to."""
        return [one.receipt for one in self.events(event, "archive") if one.receipt]

    def job(self, event: Event) -> Job:
        """What the job's events add up to."""
        return merged(self.events(event))

    def recorded(self) -> bytes:
        """All that the table holds, the payloads unpacked."""
        rows = self.cloud.typed_rows()
        payloads = [gzip.decompress(row["payload"]["B"]) for row in rows if "payload" in row]
        return b"\n".join([*payloads, repr(rows).encode()])


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    """The providers, their clock the real one."""
    with provider_apis(seed=1) as running:
        yield running


@pytest.fixture
def archive_at_work(cloud: Cloud, bucket: Bucket, apis: ProviderApis) -> Archive:
    """The archive; no credentials are set."""
    return Archive(cloud, bucket, apis)
