"""The requests to a provider in a polling run, how many there are, and how the responses are used. The APIs are the
simulated ones.
"""

import time
from datetime import timedelta

import pytest

from dailies import timestamps
from dailies.aws.table import MAX_BATCH_ATTEMPTS
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.steps.advance import advance
from dailies.steps.reconcile import GAP_FACTOR, next_poll
from simulators.provider_apis.creatify_jobs import ProductToVideo
from testkit.fixtures.archiver import PROVIDERS, TOKEN, Archive
from testkit.fixtures.reconciler import BEGINS, FINISHES, HOUR, WEBHOOK, Reconcile
from tests.unit.aws.test_table import AtItsLimit


def numbered(prefix: str, count: int) -> list[str]:
    """A number of job ids."""
    return [f"{prefix}{number}" for number in range(count)]


every_provider_here = pytest.mark.parametrize("provider", WEBHOOK)


class TestAsk:
    @every_provider_here
    def test_a_job_without_a_delivery_is_finished_by_polling(self, reconciles: Reconcile, provider: str) -> None:
        reconciles.submitted(provider, "j-1", ago=HOUR)
        FINISHES[provider](reconciles.desk)
        reconciles.run(provider)
        job = reconciles.job(provider, "j-1")
        assert (job.status, job.stage) == ("completed", "archiving")

    @every_provider_here
    def test_a_job_in_progress_is_polled_and_keeps_its_state(self, reconciles: Reconcile, provider: str) -> None:
        reconciles.submitted(provider, "j-1", ago=HOUR)
        before = reconciles.job(provider, "j-1")
        BEGINS[provider](reconciles.desk)
        reconciles.run(provider)
        job = reconciles.job(provider, "j-1")
        assert (job.stage, job.updated_at) == ("waiting", before.updated_at)
        assert job.reconciled_at > before.updated_at
        assert len(reconciles.asked(provider)) >= 1

    def test_also_if_its_image_is_finished_and_each_poll_reports_new_links(self, reconciles: Reconcile) -> None:
        """Its polling is backed off like any other's, its silence is still counted, and a failed photo stays failed."""
        reconciles.submitted("creatify", "j-1", ago=HOUR)
        before = reconciles.job("creatify", "j-1")
        reconciles.desk.apis.creatify.job("j-1").has_image().becomes("video_generating")
        reconciles.run("creatify")
        job = reconciles.job("creatify", "j-1")
        assert [medium.state for medium in job.media] == ["pending"]
        assert (job.stage, job.updated_at) == ("waiting", before.updated_at)
        row = {"updated_at": job.updated_at, "reconciled_at": job.reconciled_at}
        assert next_poll(row, 600) > timestamps.seconds(timestamps.now()) + HOUR * GAP_FACTOR - 60

    @every_provider_here
    def test_one_that_its_provider_does_not_know_waits_on(self, reconciles: Reconcile, provider: str) -> None:
        reconciles.submitted(provider, "j-1", ago=HOUR)
        reconciles.run(provider)
        assert reconciles.job(provider, "j-1").stage == "waiting"

    def test_a_response_about_another_job_changes_nothing_and_creates_no_job(self, reconciles: Reconcile) -> None:
        reconciles.submitted("sync", "j-1", ago=HOUR)
        FINISHES["sync"](reconciles.desk)
        reconciles.desk.apis.sync.job("j-1").id = "J-1"
        reconciles.desk.apis.sync.fail(404, path="/v2/generations")
        reconciles.run("sync")
        job = reconciles.job("sync", "j-1")
        assert (job.stage, job.reconciled_at > job.updated_at) == ("waiting", True)
        assert reconciles.desk.table.job("sync", "J-1") is None

    @every_provider_here
    def test_one_that_is_not_late_yet_is_left_alone(self, reconciles: Reconcile, provider: str) -> None:
        reconciles.submitted(provider, "j-1", ago=60)
        reconciles.run(provider)
        assert reconciles.job(provider, "j-1").reconciled_at == ""

    def test_a_failed_captions_operation_is_discovered_too(self, reconciles: Reconcile) -> None:
        reconciles.submitted("captions", "j-1", ago=HOUR)
        reconciles.desk.apis.captions.job("j-1").fails()
        reconciles.run("captions")
        job = reconciles.job("captions", "j-1")
        assert (job.status, job.stage) == ("failed", "settled")
        assert job.error
        assert job.error.message

    def test_a_batch_is_polled_by_its_own_request(self, reconciles: Reconcile) -> None:
        reconciles.submitted("sync", "b-1", ago=HOUR, webhook="batch")
        reconciles.desk.apis.sync.batch("b-1").completes({"g-1": "batch-1.mp4"})
        reconciles.run("sync")
        assert reconciles.job("sync", "b-1").status == "completed"
        assert "/v2/batch/b-1" in reconciles.asked("sync")

    def test_a_hundred_jobs_of_creatify_are_one_call_beside_that_for_the_newest(self, reconciles: Reconcile) -> None:
        reconciles.submitted("creatify", *numbered("p-", 100), ago=HOUR)
        for job_id in numbered("p-", 100):
            reconciles.desk.apis.creatify.job(job_id)
        reconciles.desk.apis.creatify.page_size = 100
        for job_id in numbered("newer-", 100):
            reconciles.desk.apis.creatify.job(job_id)
        reconciles.run("creatify")
        assert self.ids_asked(reconciles) == [0, 100]
        assert all(job.provider_status for job in reconciles.jobs("creatify", numbered("p-", 100)))

    @pytest.mark.parametrize("paged", [True, False])
    def test_jobs_that_do_not_fit_on_a_page_are_requested_again(self, reconciles: Reconcile, paged: bool) -> None:
        """It is a page of the requested jobs, in a stable order."""
        reconciles.desk.apis.creatify.paged, reconciles.desk.apis.creatify.page_size = paged, 20
        reconciles.submitted("creatify", *numbered("p-", 50), ago=HOUR)
        for job_id in numbered("p-", 50):
            reconciles.desk.apis.creatify.job(job_id).completes()
        reconciles.run("creatify")
        assert {job.status for job in reconciles.jobs("creatify", numbered("p-", 50))} == {"completed"}
        assert self.ids_asked(reconciles) == [0, 30, 10]

    def test_jobs_in_no_list_are_polled_one_by_one_after_all_others(self, reconciles: Reconcile) -> None:
        """So that they use none of the others' rate limit: one request a minute is the maximum, and the rest stay due
        for the next run.
        """
        unknown = numbered("unknown-", 101)
        reconciles.submitted("creatify", *unknown, ago=2 * HOUR)
        reconciles.submitted("creatify", "p-1", ago=HOUR)
        reconciles.desk.apis.creatify.job("p-1").completes()
        reconciles.desk.apis.creatify.fail(404)  # the list of the newest
        limit = PROVIDERS["creatify"].api_limit
        reserve_calls(reconciles.desk.table, "creatify", limit, limit.calls - 5, time.time())
        reconciles.run("creatify")
        assert reconciles.job("creatify", "p-1").status == "completed"
        assert self.ids_asked(reconciles) == [0, 100, 2, 1]
        assert len(reconciles.asked("creatify")) == 4 + 1
        assert [bool(job.reconciled_at) for job in reconciles.jobs("creatify", unknown)].count(True) == 1

    def test_a_job_that_only_its_own_request_reports_is_found(self, reconciles: Reconcile) -> None:
        reconciles.submitted("creatify", "p-1", ago=HOUR)
        reconciles.desk.apis.creatify.job("p-1").completes()
        reconciles.desk.apis.creatify.fail(404, times=2)  # both lists
        reconciles.run("creatify")
        assert reconciles.job("creatify", "p-1").status == "completed"

    def ids_asked(self, reconciles: Reconcile) -> list[int]:
        """The number of ids in each call of Creatify's list."""
        calls = [request for request in reconciles.desk.apis.requests if request.path == "/product_to_videos/"]
        return [len(list(filter(None, request.query.get("ids", "").split(",")))) for request in calls]

    def test_without_credentials_no_request_is_made(self, archive_at_work: Archive) -> None:
        reconciles = Reconcile(archive_at_work)
        for provider in WEBHOOK:
            reconciles.submitted(provider, "j-1", ago=HOUR)
        reconciles.run()
        assert archive_at_work.apis.requests == []

    def test_the_rate_limit_leaves_the_rest_to_the_next_run(self, reconciles: Reconcile) -> None:
        """Captions': five a minute, for ten waiting jobs; the longest silent first."""
        reconciles.submitted("captions", *numbered("o-", 10), ago=10 * HOUR)
        for job_id in numbered("o-", 10):
            reconciles.desk.apis.captions.job(job_id).completes()
        reconciles.run("captions")
        statuses = [job.status for job in reconciles.jobs("captions", numbered("o-", 10))]
        assert statuses == ["completed"] * 5 + ["pending"] * 5
        assert {request.status for request in reconciles.desk.apis.requests if request.provider == "captions"} == {200}

    def test_a_provider_that_is_down_gets_only_a_few_calls_and_the_others_are_polled(
        self, reconciles: Reconcile
    ) -> None:
        reconciles.submitted("sync", *numbered("g-", 20), ago=HOUR)
        reconciles.submitted("captions", "o-1", ago=HOUR)
        reconciles.desk.apis.captions.job("o-1").completes()
        reconciles.desk.apis.sync.fail(503, times=1000)
        reconciles.run("sync", "captions")
        assert len(reconciles.asked("sync")) <= 9
        assert reconciles.job("captions", "o-1").status == "completed"
        assert reconciles.job("sync", "g-19").reconciled_at == ""  # as due as before

    @pytest.mark.parametrize("status", [500, 403])
    def test_jobs_whose_requests_fail_are_polled_less_often_and_the_others_as_before(
        self, reconciles: Reconcile, status: int
    ) -> None:
        """Five jobs, the longest silent of all, while the provider answers all other requests except the list."""
        sync = reconciles.desk.apis.sync
        sync.fail(404, times=100, path="/v2/generations")
        sick = numbered("sick-", 5)
        reconciles.submitted("sync", *sick, ago=2 * HOUR)
        for job_id in sick:
            sync.fail(status, times=100, path=job_id)
        reconciles.submitted("sync", "j-1", ago=HOUR)
        FINISHES["sync"](reconciles.desk)
        reconciles.run("sync")
        assert reconciles.job("sync", "j-1").status == "completed"
        assert all(job.reconciled_at for job in reconciles.jobs("sync", sick))
        asked = len(reconciles.asked("sync"))
        reconciles.run("sync")
        assert reconciles.asked("sync")[asked:] == ["/v2/generations"]

    def test_one_webhooks_failures_do_not_skip_the_next(self, reconciles: Reconcile) -> None:
        reconciles.submitted("sync", "b-1", ago=HOUR, webhook="batch")
        reconciles.desk.apis.sync.batch("b-1").completes({"g-1": "batch-1.mp4"})
        reconciles.submitted("sync", *numbered("g-", 5), ago=HOUR)
        reconciles.desk.apis.sync.fail(None, times=100, path="/v2/generat")
        reconciles.run("sync")
        assert reconciles.job("sync", "b-1").status == "completed"
        assert len(reconciles.asked("sync")) == 9 + 1

    def test_an_unanswered_request_counts_as_a_poll_and_three_end_the_run(self, reconciles: Reconcile) -> None:
        sick = numbered("sick-", 5)
        reconciles.submitted("sync", *sick, ago=2 * HOUR)
        for job_id in sick:
            reconciles.desk.apis.sync.fail(None, times=100, path=job_id)
        reconciles.submitted("sync", "j-1", ago=HOUR)
        reconciles.run("sync")
        assert [bool(job.reconciled_at) for job in reconciles.jobs("sync", sick)] == [True] * 3 + [False] * 2
        assert reconciles.job("sync", "j-1").reconciled_at == ""
        reconciles.run("sync")
        assert reconciles.job("sync", "j-1").reconciled_at

    def test_no_secret_is_in_what_is_stored_or_logged(
        self, reconciles: Reconcile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        token = "t0k3n-in-the-path-of-the-webhook"
        url = f"https://r.example/webhooks/creatify/product_to_videos/{token}"
        reconciles.submitted("creatify", "j-1", ago=HOUR)
        reconciles.desk.apis.creatify.job("j-1", webhook_url=url).completes()
        reconciles.run("creatify")
        apis = reconciles.desk.apis
        kept = reconciles.desk.recorded().decode(errors="replace") + "".join(capsys.readouterr())
        assert reconciles.job("creatify", "j-1").status == "completed"  # its response, with the token, was read
        for secret in (token, apis.sync.api_key, apis.creatify.api_key, apis.captions.api_key):
            assert secret not in kept


class TestTakeIn:
    @pytest.mark.parametrize("provider", ["sync", "creatify"])
    def test_an_unknown_finished_job_is_discovered_once(self, reconciles: Reconcile, provider: str) -> None:
        FINISHES[provider](reconciles.desk)
        reconciles.run(provider)
        assert reconciles.job(provider, "j-1").stage == "archiving"
        rows = len(reconciles.desk.cloud.rows())
        reconciles.run(provider)
        assert len(reconciles.desk.cloud.rows()) == rows

    @pytest.mark.parametrize("before", ["image_generated", "failed"])
    def test_a_job_that_continued_after_its_reported_end_is_discovered_too(
        self, reconciles: Reconcile, before: str
    ) -> None:
        """The deliveries about Creatify's video are lost; its picture's arrived."""
        job = self.heard(reconciles, before)
        job.completes()
        reconciles.run("creatify")
        known = reconciles.job("creatify", "p-1")
        assert (known.provider_status, known.stage) == ("video_generated", "archiving")
        assert {medium.role for medium in known.media} == {"photo", "video"}
        rows = len(reconciles.desk.cloud.rows())
        reconciles.run("creatify")
        assert len(reconciles.desk.cloud.rows()) == rows

    @pytest.mark.parametrize(
        ("heard", "told"),
        [
            ("image_generated", "image_generated"),
            ("failed", "failed"),
            ("failed", "image_generated"),
            ("video_generating", "image_generated"),
            ("video_generated", "failed"),
        ],
    )
    def test_known_and_older_states_are_ignored_in_every_run(
        self, reconciles: Reconcile, heard: str, told: str
    ) -> None:
        """The list may lag, and a final state is not taken back by it."""
        job = self.heard(reconciles, heard)
        before = job.updated_at
        job.becomes(told)
        if told != "failed":
            job.updated_at = before - timedelta(seconds=1)
        rows = reconciles.desk.cloud.rows()
        reconciles.run("creatify")
        assert [row for row in reconciles.desk.cloud.rows() if row not in rows and row["pk"].startswith("job#")] == []

    def test_a_job_that_the_table_cannot_return_now_is_left_to_the_next_run(
        self, reconciles: Reconcile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        FINISHES["sync"](reconciles.desk)
        AtItsLimit(reconciles.desk.cloud.dynamodb, monkeypatch, times=MAX_BATCH_ATTEMPTS)
        reconciles.run("sync")
        assert reconciles.desk.table.job("sync", "j-1") is None
        reconciles.run("sync")
        assert reconciles.job("sync", "j-1").status == "completed"

    def heard(self, reconciles: Reconcile, status: str) -> ProductToVideo:
        """Creatify's job after this status arrived by webhook."""
        creatify = reconciles.desk.apis.creatify
        job = creatify.job("p-1", webhook_url=f"https://r.example/webhooks/creatify/product_to_videos/{TOKEN}")
        job.has_image().becomes(status)
        event = reconciles.desk.hears(creatify.callbacks.told[-1])
        advance(reconciles.desk.table, event)
        return job

    def test_one_that_is_not_finished_is_not(self, reconciles: Reconcile) -> None:
        reconciles.desk.apis.sync.job("j-1")
        reconciles.run("sync")
        assert reconciles.desk.table.job("sync", "j-1") is None

    def test_a_page_of_them_is_read_as_the_bare_list_is(self, reconciles: Reconcile) -> None:
        reconciles.desk.apis.creatify.paged = True
        FINISHES["creatify"](reconciles.desk)
        reconciles.run("creatify")
        assert reconciles.job("creatify", "j-1").stage == "archiving"
