"""Reconcile at work in this process, over the desk's table and the simulated APIs of the providers."""

import json
from collections.abc import Callable

import pytest

from dailies import clock
from dailies.models import Event, Job
from dailies.queue import WorkQueue
from dailies.reconciling import Sweep, reconcile
from dailies.recording import submitted_event
from dailies.telemetry import Telemetry
from tests.desk import PROVIDERS, Archive

HOUR = 3600.0
WEBHOOK = {"sync": "generation", "creatify": "product_to_videos", "captions": "creator"}


class Reconcile:
    """A reconcile over the desk's table; time is passed by moving what was heard into the past."""

    def __init__(self, desk: Archive, quiet: float = 0) -> None:
        self.desk = desk
        self.sweep = Sweep(
            table=desk.table,
            queue=WorkQueue(desk.cloud.sqs, desk.cloud.queue_url("found")),
            telemetry=Telemetry("dailies"),
            providers=PROVIDERS,
            apis=desk.desk.apis,
            quiet=quiet,
            silent_after=24 * HOUR,
            retention_days=90,
        )

    def submitted(self, provider: str, job_id: str, *, ago: float, webhook: str = "") -> None:
        """The owner's app submitted it so many seconds ago."""
        detail = {"provider": provider, "webhook": webhook or WEBHOOK[provider], "job_id": job_id}
        self.advance(submitted_event(detail, PROVIDERS, at=clock.at(clock.seconds(clock.now()) - ago)))

    def advance(self, event: Event) -> None:
        self.desk.record(event)
        self.desk.table.advance(event)

    def run(self) -> None:
        """A sweep, and what the stream makes of it."""
        reconcile(self.sweep, seconds=60)
        for row in self.desk.cloud.rows():
            if row["sk"] != "job" and row.get("origin") == "poll":
                for event in self.desk.table.events(row["provider"], row["job_id"]):
                    self.desk.table.advance(event)

    def job(self, provider: str, job_id: str) -> Job:
        job = self.desk.table.job(provider, job_id)
        assert job
        return job

    def asked(self, provider: str) -> list[str]:
        """The paths that the provider was asked."""
        return [request.path for request in self.desk.apis.requests if request.provider == provider]

    def queued(self) -> list[dict[str, object]]:
        messages = self.desk.cloud.sqs.receive_message(
            QueueUrl=self.desk.cloud.queue_url("found"), MaxNumberOfMessages=10
        ).get("Messages", ())
        return [json.loads(message["Body"])["detail"] for message in messages]


@pytest.fixture
def reconciles(archive_at_work: Archive) -> Reconcile:
    archive_at_work.set_keys()
    return Reconcile(archive_at_work)


BEGINS: dict[str, Callable[[Archive], object]] = {
    "sync": lambda desk: desk.apis.sync.job("j-1"),
    "creatify": lambda desk: desk.apis.creatify.job("j-1"),
    "captions": lambda desk: desk.apis.captions.job("j-1"),
}
FINISHES: dict[str, Callable[[Archive], object]] = {
    "sync": lambda desk: desk.apis.sync.job("j-1").completes("generation.mp4"),
    "creatify": lambda desk: desk.apis.creatify.job("j-1").completes(),
    "captions": lambda desk: desk.apis.captions.job("j-1").completes(),
}
