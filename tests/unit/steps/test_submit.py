"""Jobs are submitted with the webhook in them, once, and are tracked from then on."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from dailies.aws.bus import Bus
from dailies.errors import NotSubmitted
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.contract import Limit
from dailies.providers.sync import SYNC
from dailies.steps.submit import Submitted, submit
from simulators.webhook_server import webhook
from testkit.fixtures.archiver import TOKEN, Archive
from testkit.fixtures.aws import BUS

SYNC_URL = "https://r.example/webhooks/sync/generation"
CREATIFY_URL = f"https://r.example/webhooks/creatify/product_to_videos/{TOKEN}"
GENERATION = {"model": "lipsync-2", "input": [{"type": "video", "url": "https://x.example/v.mp4"}]}


class Owner:
    """The owner's application, with the stack's credentials."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.bus = Bus(archive.cloud.events, BUS)
        archive.cloud.events.put_rule(
            Name="tracked", EventBusName=BUS, EventPattern='{"detail-type":["Job Submitted"]}'
        )
        queue = archive.cloud.sqs.get_queue_attributes(
            QueueUrl=archive.cloud.queue_url("told"), AttributeNames=["QueueArn"]
        )
        archive.cloud.events.put_targets(
            Rule="tracked", EventBusName=BUS, Targets=[{"Id": "t", "Arn": queue["Attributes"]["QueueArn"]}]
        )

    def submit(
        self, provider: str, name: str, body: Mapping[str, object], webhook: str = "", source: str = ""
    ) -> Submitted:
        return submit(self.archive.archiver.apis[provider], name, body, webhook=webhook, bus=self.bus, source_id=source)


@pytest.fixture
def owner(archive_at_work: Archive) -> Owner:
    archive_at_work.set_keys()
    return Owner(archive_at_work)


class TestSubmitted:
    def test_a_generation_of_syncs(self, owner: Owner) -> None:
        submitted = owner.submit("sync", "generate", GENERATION, SYNC_URL)
        assert submitted.answer["webhookUrl"] == SYNC_URL
        assert owner.archive.apis.sync.job(submitted.job_id).webhook_url == SYNC_URL
        assert owner.archive.cloud.told() == [
            ("Job Submitted", {"provider": "sync", "webhook": "generation", "job_id": submitted.job_id})
        ]

    def test_both_stages_of_creatify_and_both_again(self, owner: Owner) -> None:
        image = owner.submit("creatify", "gen_image", {"product_url": "https://x.example/p.png"}, CREATIFY_URL)
        owner.archive.apis.creatify.job(image.job_id).has_image()
        video = owner.submit("creatify", "gen_video", {"video_prompt": "turn"}, CREATIFY_URL, image.job_id)
        assert video.job_id == image.job_id
        for name in ("regen_image", "regen_video"):
            again = owner.submit("creatify", name, {}, CREATIFY_URL, image.job_id)
            assert again.job_id != image.job_id
            assert again.answer["regen_source_id"] == image.job_id
        assert [detail["webhook"] for _, detail in owner.archive.cloud.told()] == ["product_to_videos"] * 4

    def test_the_answer_repeats_the_webhooks_url_without_our_token(self, owner: Owner) -> None:
        image = owner.submit("creatify", "gen_image", {"product_url": "https://x.example/p.png"}, CREATIFY_URL)
        assert image.answer["webhook_url"] == CREATIFY_URL.replace(TOKEN, "[redacted]")
        assert TOKEN not in json.dumps(image.answer)

    def test_an_operation_of_captions_names_the_webhook_that_is_registered_by_its_id(self, owner: Owner) -> None:
        (registered,) = owner.archive.apis.captions.registrations
        submitted = owner.submit("captions", "submit", {"script": "Hello."}, registered.id)
        assert (submitted.webhook, submitted.tracked) == ("creator", True)
        (asked,) = [one for one in owner.archive.apis.requests if one.path == "/creator/submit"]
        assert json.loads(asked.body) == {"script": "Hello.", "webhookId": registered.id}
        owner.archive.apis.captions.job(submitted.job_id).completes()
        (called,) = owner.archive.apis.captions.callbacks.told
        assert (called.job_id, called.url) == (submitted.job_id, registered.url)

    def test_the_webhook_that_the_body_names_stays_where_no_other_is_given(self, owner: Owner) -> None:
        submitted = owner.submit("sync", "generate", {**GENERATION, "webhookUrl": SYNC_URL})
        assert submitted.answer["webhookUrl"] == SYNC_URL
        other = owner.submit("sync", "generate", {**GENERATION, "webhookUrl": "https://x.example/"}, SYNC_URL)
        assert other.answer["webhookUrl"] == SYNC_URL

    def test_where_the_bus_does_not_take_it_the_jobs_id_comes_back_all_the_same(self, owner: Owner) -> None:
        owner.bus = Bus(owner.archive.cloud.events, "no-such-bus")
        submitted = owner.submit("sync", "generate", GENERATION, SYNC_URL)
        assert submitted.job_id
        assert not submitted.tracked


class TestNotSubmitted:
    def test_a_webhooks_url_that_creatify_would_not_take(self, owner: Owner) -> None:
        with pytest.raises(NotSubmitted, match=r"has 201 characters, and the provider accepts 200: .* domain"):
            owner.submit("creatify", "gen_image", {}, "https://r.example/".ljust(201, "x"))
        assert owner.archive.apis.requests == []

    @pytest.mark.parametrize(
        ("provider", "name", "wanted"),
        [
            ("sync", "generate", r"URL \(webhookUrl\)"),
            ("creatify", "gen_image", r"URL \(webhook_url\)"),
            ("captions", "submit", r"id \(webhookId\)"),
        ],
    )
    def test_a_job_that_would_report_its_end_to_no_webhook_is_refused(
        self, owner: Owner, provider: str, name: str, wanted: str
    ) -> None:
        with pytest.raises(NotSubmitted, match=f"its result would be lost: give the webhook's {wanted}"):
            owner.submit(provider, name, {"script": "Hello."})
        assert owner.archive.apis.requests == []

    def test_without_credentials(self, archive_at_work: Archive) -> None:
        with pytest.raises(NotSubmitted, match="no credentials are set for sync: its API secret must have api_key"):
            Owner(archive_at_work).submit("sync", "generate", GENERATION, SYNC_URL)

    def test_with_a_key_that_cannot_be_sent(self, owner: Owner) -> None:
        """The operator need not check whether the provider accepted the job."""
        owner.archive.cloud.secretsmanager.put_secret_value(
            SecretId="dailies/sync/api", SecretString='{"api_key":"ключ"}'
        )
        with pytest.raises(NotSubmitted, match=r"^sync did not accept the job: the API key cannot be sent"):
            owner.submit("sync", "generate", GENERATION, SYNC_URL)

    def test_what_the_provider_refuses_with_its_own_words(self, owner: Owner) -> None:
        with pytest.raises(NotSubmitted, match=r"creatify refused the job with 400: .*product_url"):
            owner.submit("creatify", "gen_image", {}, CREATIFY_URL)
        assert owner.archive.cloud.told() == []

    @pytest.mark.parametrize("status", [200, 400])
    def test_a_response_that_repeats_the_webhooks_url_is_shown_without_its_token(
        self, owner: Owner, status: int
    ) -> None:
        """Rejected, or accepted without a job id."""
        apis = owner.archive.archiver.apis
        with webhook() as creatify:
            creatify.answers, creatify.echoes = [status], True
            elsewhere = replace(apis["creatify"], base_url=creatify.url)
            owner.archive.archiver = replace(owner.archive.archiver, apis={**apis, "creatify": elsewhere})
            with pytest.raises(NotSubmitted, match=r"product_to_videos/\[redacted\]") as refused:
                owner.submit("creatify", "gen_image", {"product_url": "https://x.example/p.png"}, CREATIFY_URL)
        assert TOKEN not in str(refused.value)

    def test_syncs_submissions_have_a_limit_of_their_own(self, owner: Owner) -> None:
        """Sixty a minute, whatever else is requested."""
        limit = SYNC.submit_limit
        assert limit == Limit(60, 60)
        reserve_calls(owner.archive.table, "sync", SYNC.api_limit, SYNC.api_limit.calls, time.time())
        reserve_calls(owner.archive.table, "sync/submit", limit, 59, time.time())
        owner.submit("sync", "generate", GENERATION, SYNC_URL)
        with pytest.raises(NotSubmitted, match="sync did not accept the job: the provider's rate limit is used up"):
            owner.submit("sync", "generate", GENERATION, SYNC_URL)
        assert [request.status for request in owner.archive.apis.requests] == [201]

    @pytest.mark.parametrize("status", [503, None])
    def test_it_is_sent_once_also_where_the_answer_is_lost(self, owner: Owner, status: int | None) -> None:
        owner.archive.apis.sync.fail(status, took_effect=True)
        with pytest.raises(NotSubmitted, match="check at sync whether it accepted the job before you submit it again"):
            owner.submit("sync", "generate", GENERATION, SYNC_URL)
        assert len(owner.archive.apis.requests) == 1

    def test_an_unknown_call_and_one_without_its_required_job_are_refused(self, owner: Owner) -> None:
        with pytest.raises(NotSubmitted, match="sync has no request translate; it has generate"):
            owner.submit("sync", "translate", {})
        with pytest.raises(NotSubmitted, match="give the job's id"):
            owner.submit("creatify", "gen_video", {}, CREATIFY_URL)
