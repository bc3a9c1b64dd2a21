"""What AWS bills for a delivery, a video and a month equals bench/cost's count, and docs/cost.md states it."""

import json
from dataclasses import asdict, replace

import pytest

from bench.cost.assumed import ARCHIVE_MB, ASK_SECONDS, PER_MESSAGE, START_SECONDS, copying
from bench.cost.counted import (
    ALARMS,
    CAPTIONS,
    CREATIFY,
    DEAREST,
    LOOK,
    MEASURED,
    READ_BACK,
    SECRETS,
    START,
    SWEEP,
    SYNC,
    TRACKED,
    USUAL,
    VIDEOS,
    Call,
    sweep,
)
from bench.cost.page import PAGE, idle, page
from bench.cost.prices import PRICES, Usage
from bench.cost.wanted import ARCHIVED, MOST, WHOLE, Bound, bounds
from dailies.providers import every_provider
from simulators.media_host.samples import padded
from simulators.s3 import S3Simulator
from testkit.fixtures.archiver import TOKEN, Archive
from testkit.fixtures.aws import Cloud
from testkit.fixtures.billed_usage import MEGABYTES, Bill
from testkit.support.recorded_events import WEBHOOKS, event, secret
from testkit.support.template import ROOT, resources, template

SLACK = 20  # bytes: the archive's figures vary in digits, and gzip with the machine
TWENTY_MB = 20_000_000


def same(measured: Usage, counted: Usage) -> None:
    """All of the usage; log bytes within the tolerance."""
    assert measured.log_bytes == pytest.approx(counted.log_bytes, abs=SLACK)
    assert asdict(replace(measured, log_bytes=0)) == pytest.approx(asdict(replace(counted, log_bytes=0)))


class TestACall:
    @pytest.fixture
    def warm(self, cloud: Cloud, bill: Bill, webhook: str) -> None:
        """The receiver has been called before and has read its secret."""
        cloud.set_secret(secret(WEBHOOKS[webhook].provider))
        (call, *_) = USUAL[webhook]
        refused = bill.of(call.event.partition("/")[0], {**event(call.event), "body": "{}"})
        assert refused.secrets == START.secrets

    def comes(self, bill: Bill, call: Call) -> None:
        """The bill equals the count."""
        received = bill.of(call.event.partition("/")[0], event(call.event))
        assert bill.calls == ["PutItem"]
        same(received, call.received)
        same(received + bill.of_what_follows(), call.whole)
        assert bill.largest_row() == pytest.approx(call.row_bytes, abs=SLACK)

    @pytest.mark.usefixtures("warm")
    @pytest.mark.parametrize("webhook", USUAL)
    def test_as_it_usually_comes(self, bill: Bill, webhook: str) -> None:
        for call in USUAL[webhook]:
            self.comes(bill, call)

    @pytest.mark.usefixtures("warm")
    @pytest.mark.parametrize("webhook", DEAREST)
    def test_of_a_job_that_the_owners_app_submitted(self, bill: Bill, webhook: str) -> None:
        call, webhook_of_job = DEAREST[webhook], WEBHOOKS[webhook]
        job_id = webhook_of_job.parse(event(call.event)["body"].encode()).job_id
        about = {"provider": webhook_of_job.provider, "webhook": webhook_of_job.name, "job_id": job_id}
        tracked = bill.of("track", event("track/submitted") | {"detail": about}) + bill.of_what_follows()
        if webhook == SYNC:
            same(tracked + Usage(events=1), TRACKED)  # the application sends the event
        self.comes(bill, call)


class TestAVideoOf20MB:
    """From a message to a settled job: its last medium."""

    @pytest.fixture
    def at_work(self, archive_at_work: Archive) -> Archive:
        """The archive. The providers' videos have 20 MB, and links in Creatify's deliveries are followed."""
        host = archive_at_work.apis.host
        video = padded(host.media["generation.mp4"].content, TWENTY_MB)
        for path in ("sync/g-1/generation.mp4", "creatify/p-1/product.mp4", "captions/o-1/operation.mp4"):
            host.add(f"/{path}", video, "video/mp4")
        archive_at_work.archiver = replace(archive_at_work.archiver, only_hosts={"creatify": frozenset({"127.0.0.1"})})
        return archive_at_work

    def is_archived(self, at_work: Archive, s3: S3Simulator, bill: Bill, *, seconds: float) -> Usage:
        """The bill if the archive takes this number of seconds."""
        bill.of_what_follows()
        *before, video = bill.found
        for medium in before:
            self.copied(at_work, s3, bill, medium)
            bill.of_what_follows()
        taken = Usage(gb_seconds=seconds * MEGABYTES["archive"] / 1024)
        return self.copied(at_work, s3, bill, video) + bill.of_what_follows() + taken

    def copied(self, at_work: Archive, s3: S3Simulator, bill: Bill, medium: dict[str, object]) -> Usage:
        message = {
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": json.dumps({"detail": medium}),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        s3.calls.clear()
        usage = bill.woken(lambda: at_work.archiver.archive(message, seconds=60))
        assert dict(s3.calls) == {"PutObject": 1}
        return usage + Usage(objects=1, messages=PER_MESSAGE)

    def moves(self, at_work: Archive) -> None:
        """Creatify has reported each step of a job."""
        url = f"https://r.example/webhooks/creatify/product_to_videos/{TOKEN}"
        job = at_work.apis.creatify.job("p-1", webhook_url=url)
        job.becomes("image_generating").has_image().becomes("video_generating").completes()
        for callback in at_work.apis.creatify.callbacks.told:
            at_work.hears(callback)

    def test_of_syncs(self, at_work: Archive, s3: S3Simulator, bill: Bill) -> None:
        at_work.generation()
        same(self.is_archived(at_work, s3, bill, seconds=copying()), VIDEOS[SYNC])

    def test_of_captions(self, at_work: Archive, s3: S3Simulator, bill: Bill) -> None:
        at_work.operation()
        same(self.is_archived(at_work, s3, bill, seconds=copying()), VIDEOS[CAPTIONS])

    def test_of_creatifys(self, at_work: Archive, s3: S3Simulator, bill: Bill) -> None:
        self.moves(at_work)
        same(self.is_archived(at_work, s3, bill, seconds=copying()), VIDEOS[CREATIFY])

    def test_of_creatifys_read_back_at_its_api(self, at_work: Archive, s3: S3Simulator, bill: Bill) -> None:
        at_work.set_keys()
        self.moves(at_work)
        same(self.is_archived(at_work, s3, bill, seconds=ASK_SECONDS + copying()), READ_BACK)


class TestAMonth:
    def test_the_schedules_while_there_is_nothing_to_do(self, cloud: Cloud, bill: Bill) -> None:
        for provider in (name for name, provider in every_provider().items() if provider.has_api):
            cloud.secretsmanager.create_secret(Name=f"dailies/{provider}/api", SecretString="not-set")
        same(bill.of("reconcile", event("reconcile/sweep")), sweep(every_provider().values()))
        assert sweep([every_provider()[name] for name in MEASURED]) == SWEEP
        same(bill.of("fetch_sync_secret", event("fetch_sync_secret/due")), LOOK)

    def test_what_the_stack_has(self) -> None:
        assert MEGABYTES["archive"] == ARCHIVE_MB
        logging = template()["Globals"]["Function"]["LoggingConfig"]
        assert (logging["LogFormat"], logging["SystemLogLevel"]) == ("JSON", {"Ref": "SystemLogLevel"})
        # Below WARN, Lambda's own log lines are billed too.
        assert template()["Parameters"]["SystemLogLevel"]["Default"] == "WARN"
        names = [made["Name"]["Fn::Sub"].split("/") for made in resources("AWS::SecretsManager::Secret").values()]
        assert sum(provider in MEASURED for _, provider, _ in names) == SECRETS
        assert len(resources("AWS::CloudWatch::Alarm")) == ALARMS
        for webhook in USUAL.values():
            receiver = webhook[0].event.partition("/")[0]
            assert START.gb_seconds == START_SECONDS * MEGABYTES[receiver] / 1024


@pytest.mark.parametrize("bound", bounds(), ids=lambda bound: f"{bound.thing}: {bound.webhook}")
def test_a_million_cost_no_more_than_they_may(bound: Bound) -> None:
    assert bound.usual <= bound.dearest <= MOST[bound.thing]


def test_every_webhook_of_the_measured_providers_is_counted() -> None:
    measured = {name for name, webhook in WEBHOOKS.items() if webhook.provider in MEASURED}
    assert {bound.webhook for bound in bounds()} == measured


def test_the_page_is_what_the_counts_and_prices_make() -> None:
    assert PAGE.read_text() == page()
    assert set(PRICES) == set(Usage.__slots__)  # each unit of a usage has a price


def test_the_readme_rounds_what_the_page_says() -> None:
    """To a dollar, for the cheapest of the usual webhooks: the page's figures differ by some cents."""
    usual = {thing: min(bound.usual for bound in bounds() if bound.thing == thing) for thing in MOST}
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"An idle stack costs about ${sum(idle().values()):.0f} a month." in readme
    assert f"A million webhooks cost about ${usual[WHOLE]:.0f}" in readme
    assert f"a million archived videos of 20 MB about ${usual[ARCHIVED]:.0f}, storage aside" in readme
