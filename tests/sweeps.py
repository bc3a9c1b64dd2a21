"""Reconcile at work in this process, over the desk's table and the simulated APIs of the providers."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import batched

import pytest

from dailies import clock
from dailies.models import Event, Job
from dailies.queue import WorkQueue
from dailies.reconciling import Sweep, reconcile
from dailies.recording import submitted_event
from dailies.rows import Item, event_of, job_item
from dailies.table import MOST_KEYS
from dailies.telemetry import Telemetry
from tests.desk import PROVIDERS, Archive
from tests.inventions import merged

HOUR = 3600.0
WEBHOOK = {name: provider.webhooks[0].name for name, provider in PROVIDERS.items()}


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

    def submitted(self, provider: str, *job_ids: str, ago: float, webhook: str = "") -> None:
        """The owner's app submitted them so many seconds ago, the first one first."""
        first = clock.seconds(clock.now()) - ago
        details = [
            {"provider": provider, "webhook": webhook or WEBHOOK[provider], "job_id": job_id} for job_id in job_ids
        ]
        self.desk.cloud.put_events(
            submitted_event(detail, PROVIDERS, at=clock.at(first + number / 1000))
            for number, detail in enumerate(details)
        )

    def advance(self, event: Event) -> None:
        self.desk.record(event)
        self.desk.table.advance(event)

    def run(self, *providers: str) -> None:
        """A sweep over these providers' jobs, or over all, and what the stream makes of it."""
        swept = {name: PROVIDERS[name] for name in providers or PROVIDERS}
        reconcile(replace(self.sweep, providers=swept), seconds=60)
        rows: dict[str, list[Item]] = defaultdict(list)
        for row in self.desk.cloud.rows():
            rows[row["pk"]].append(row)
        polled = [of_job for of_job in rows.values() if any(row.get("origin") == "poll" for row in of_job)]
        self.desk.cloud.put(map(_advanced, polled))

    def job(self, provider: str, job_id: str) -> Job:
        job = self.desk.table.job(provider, job_id)
        assert job
        return job

    def jobs(self, provider: str, job_ids: Sequence[str]) -> list[Job]:
        """All of them."""
        some = [self.desk.table.jobs(provider, ids) for ids in batched(job_ids, MOST_KEYS, strict=False)]
        found = {job_id: job for jobs in some for job_id, job in jobs.items() if job}
        return [found[job_id] for job_id in job_ids]

    def asked(self, provider: str) -> list[str]:
        """The paths that the provider was asked."""
        return [request.path for request in self.desk.apis.requests if request.provider == provider]

    def queued(self) -> list[dict[str, object]]:
        messages = self.desk.cloud.sqs.receive_message(
            QueueUrl=self.desk.cloud.queue_url("found"), MaxNumberOfMessages=10
        ).get("Messages", ())
        return [json.loads(message["Body"])["detail"] for message in messages]


def _advanced(rows: Sequence[Item]) -> Item:
    """The row of a job, all of whose events are merged into it."""
    events = [event_of(row) for row in rows if row["sk"] != "job"]
    before = sum(int(row["version"]) for row in rows if row["sk"] == "job")
    return job_item(merged(events)) | {"version": before + 1}


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
