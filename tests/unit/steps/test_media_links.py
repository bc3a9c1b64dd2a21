"""A fresh link for a dead one comes from the provider's own API, and the archive continues. Without one the medium is
lost.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dailies import timestamps
from dailies.aws.queues import MAX_DELAY
from dailies.jobs.models import Event
from dailies.provider_api.client import attempts_within
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.steps.archive_retry import RATE_LIMIT_PATIENCE
from simulators.provider_apis import ProviderApis
from simulators.provider_apis.captions import Captions
from simulators.provider_apis.creatify import Creatify
from simulators.provider_apis.sync import Sync
from simulators.s3 import S3Simulator
from testkit.fixtures.archiver import PROVIDERS, TOKEN, TRIES, Archive


@dataclass(frozen=True)
class Case:
    """A provider's medium: its delivery, its role and file, and the API's requests."""

    provider: str
    job_id: str
    told: Callable[[Archive], Event]
    role: str
    file: str
    asked: tuple[str, str]
    over: int = 403  # the media host's response to expired links

    def __str__(self) -> str:
        return f"{self.provider} {self.role}"

    def api(self, apis: ProviderApis) -> Sync | Creatify | Captions:
        return next(api for api in (apis.sync, apis.creatify, apis.captions) if api.part.provider == self.provider)


def generation(archive: Archive) -> Event:
    return archive.generation("generation.mp4", "segment.mp4")


CASES = [
    Case("sync", "g-1", generation, "output", "generation.mp4", ("GET", "/v2/generations/g-1/download")),
    Case("sync", "g-1", generation, "segment", "segment.mp4", ("GET", "/v2/generate/g-1")),
    Case("creatify", "p-1", Archive.product, "photo", "product.png", ("GET", "/product_to_videos/p-1/")),
    Case("creatify", "p-1", Archive.product, "video", "product.mp4", ("GET", "/product_to_videos/p-1/")),
    Case("captions", "o-1", Archive.operation, "output", "operation.mp4", ("POST", "/creator/poll"), over=400),
]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def event(case: Case, archive_at_work: Archive) -> Event:
    """The medium was reported, and its link has expired since."""
    delivered = case.told(archive_at_work)
    case.api(archive_at_work.apis).links.die(case.job_id)
    archive_at_work.apis.requests.clear()
    return delivered


@pytest.fixture
def keys(archive_at_work: Archive) -> Iterator[list[str]]:
    """The owner has set all credentials; these and the token are in no output in the end."""
    archive_at_work.set_keys()
    apis = archive_at_work.apis
    secret = [apis.sync.api_key, apis.creatify.api_key, apis.creatify.api_id, apis.captions.api_key]
    yield secret
    recorded = archive_at_work.recorded()
    assert not [value for value in (*secret, TOKEN) if value.encode() in recorded]
    host_requests = repr(apis.host.requests)
    assert not [value for value in (*secret, TOKEN) if value in host_requests]


def requests_per_attempt(case: Case) -> int:
    """The number of API requests in one attempt of the archive."""
    return attempts_within(PROVIDERS[case.provider].api_limit)


class TestRenewed:
    def test_the_fresh_link_serves_the_medium_after_one_request(
        self, case: Case, event: Event, archive_at_work: Archive, s3: S3Simulator, keys: list[str]
    ) -> None:
        assert archive_at_work.try_medium(event, case.role)
        medium_id = next(medium.media_id for medium in event.media if medium.role == case.role)
        extension = case.file.rpartition(".")[2]
        key = f"media/{case.provider}/{case.job_id}/{case.role}-{medium_id}.{extension}"
        assert s3.object(key).content == archive_at_work.apis.host.media[case.file].content
        ((asked, key_sent),) = [
            ((request.method, request.path), any(value in request.headers.values() for value in keys))
            for request in archive_at_work.apis.requests
        ]
        assert (asked, key_sent) == (case.asked, True)
        assert archive_at_work.receipt(event).state == "archived"

    def test_the_apis_response_is_an_event_of_the_job_without_secrets(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        archive_at_work.try_medium(event, case.role)
        (poll,) = archive_at_work.events(event, "poll")
        assert [(medium.role, medium.media_id) for medium in poll.media] == [
            (medium.role, medium.media_id) for medium in event.media if medium.role == case.role
        ]
        rows = archive_at_work.cloud.typed_rows()
        assert [row["payload"]["B"] for row in rows if row["sk"]["S"] == f"event#{poll.event_id}"]
        if case.provider == "creatify":
            assert b"product_to_videos/[redacted]" in archive_at_work.recorded()

    @pytest.mark.parametrize("case", [case for case in CASES if case.provider != "creatify"], ids=str)
    def test_it_may_be_on_another_path(
        self, case: Case, archive_at_work: Archive, s3: S3Simulator, keys: list[str]
    ) -> None:
        """It is still the requested medium, and no other one. For Creatify it would be a contradiction."""
        case.api(archive_at_work.apis).links.fresh_paths = True
        told = case.told(archive_at_work)
        case.api(archive_at_work.apis).links.die(case.job_id)
        before = {(medium.role, medium.media_id) for medium in told.media}
        assert archive_at_work.try_medium(told, case.role)
        assert archive_at_work.try_medium(told, case.role, tries=2)
        (stored,) = s3.keys
        assert f"{case.role}-{dict(before)[case.role]}." in stored
        assert {(medium.role, medium.media_id) for medium in archive_at_work.job(told).media} == before

    def test_another_attempt_uses_the_latest_link(
        self, case: Case, event: Event, archive_at_work: Archive, s3: S3Simulator, keys: list[str]
    ) -> None:
        """The fresh one, while it lives: no second API request, unless only the API's links are trusted."""
        s3.fail("PutObject")
        assert not archive_at_work.try_medium(event, case.role)
        assert archive_at_work.try_medium(event, case.role, tries=2)
        assert len(archive_at_work.apis.requests) == (2 if case.provider == "creatify" else 1)
        assert len(s3.keys) == 1


class TestNotRenewed:
    def test_without_credentials_it_is_lost_after_the_last_attempt_without_a_request(
        self, case: Case, event: Event, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        states = []
        for tries in range(1, TRIES + 1):
            archive_at_work.try_medium(event, case.role, tries=tries)
            states.append(archive_at_work.receipt(event).state)
        assert states == ["pending", "pending", "lost"]
        assert archive_at_work.receipt(event).reason == f"the host answered {case.over}"
        assert archive_at_work.apis.requests == []
        assert s3.keys == []
        assert archive_at_work.cloud.failed() == []  # no redrive would help

    @pytest.mark.parametrize("case", [case for case in CASES if case.provider != "creatify"], ids=str)
    def test_a_job_that_the_api_no_longer_knows_is_lost(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).forget(case.job_id)
        assert not archive_at_work.try_medium(event, case.role)
        assert archive_at_work.try_medium(event, case.role, tries=TRIES)
        assert archive_at_work.receipt(event).state == "lost"
        assert archive_at_work.events(event, "poll") == []

    def test_what_it_answers_beside_does_not_say_that_there_is_no_fresh_link(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).fail(400)
        assert archive_at_work.try_medium(event, case.role, tries=TRIES)
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, receipt.reason) == ("failed", "the provider's API answered 400")
        assert len(archive_at_work.cloud.failed()) == 1
        assert archive_at_work.try_medium(event, case.role)  # redriven
        assert archive_at_work.receipt(event).state == "archived"

    @pytest.mark.parametrize("case", [CASES[1], *CASES[2:4]], ids=str)
    def test_an_answer_about_another_job_is_none_of_this_one_and_makes_no_job(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        """Or under another spelling of its id. The other requests return none."""
        apis = archive_at_work.apis
        job = apis.sync.job("g-1") if case.provider == "sync" else apis.creatify.job("p-1")
        job.id = case.job_id.upper()
        assert archive_at_work.try_medium(event, case.role, tries=TRIES)
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, receipt.reason.partition(" (")[2]) == ("failed", "it is about another job)")
        assert {row["job_id"] for row in archive_at_work.cloud.rows() if "job_id" in row} == {case.job_id}
        assert len(archive_at_work.cloud.failed()) == 1  # the API may answer for it after a redrive

    def test_so_is_one_whose_fresh_link_is_dead_too(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).links.lose(case.job_id)
        for tries, state in ((1, "pending"), (TRIES, "lost")):
            archive_at_work.try_medium(event, case.role, tries=tries)
            receipt = archive_at_work.receipt(event)
            assert (receipt.state, receipt.reason) == (state, "the host answered 404")

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_failing_api_is_requested_again_later_and_nothing_is_lost(
        self, case: Case, event: Event, archive_at_work: Archive, status: int, keys: list[str]
    ) -> None:
        api = case.api(archive_at_work.apis)
        api.fail(status, times=2 * requests_per_attempt(case))
        for tries, state in ((1, "pending"), (TRIES, "failed")):
            archive_at_work.try_medium(event, case.role, tries=tries)
            receipt = archive_at_work.receipt(event)
            assert (receipt.state, receipt.reason) == (state, f"the provider's API answered {status}")
        assert [why for why, _ in archive_at_work.cloud.failed()] == [f"the provider's API answered {status}"]
        assert archive_at_work.try_medium(event, case.role)  # redriven
        assert archive_at_work.receipt(event).state == "archived"

    def test_so_is_one_that_hangs_up(self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]) -> None:
        case.api(archive_at_work.apis).fail(None, times=requests_per_attempt(case))
        assert not archive_at_work.try_medium(event, case.role)
        assert archive_at_work.receipt(event).reason.startswith("the provider's API: ")
        assert archive_at_work.try_medium(event, case.role, tries=2)

    def test_one_failure_of_it_costs_no_attempt(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).fail(503, retry_after=0)
        assert archive_at_work.try_medium(event, case.role)
        assert archive_at_work.receipt(event).state == "archived"

    def test_a_pause_longer_than_a_functions_run_is_left_to_a_later_attempt(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).fail(429, retry_after=60)
        assert not archive_at_work.try_medium(event, case.role)
        assert len(archive_at_work.apis.requests) == 1

    def test_without_room_in_the_rate_limit_it_is_queued_again_at_no_attempts_cost(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        self.exhaust(archive_at_work, case)
        assert archive_at_work.try_medium(event, case.role, tries=TRIES)  # this message is done
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, receipt.reason) == ("pending", "the provider's rate limit is used up for now")
        assert archive_at_work.cloud.failed() == []
        assert archive_at_work.apis.requests == []
        limit = PROVIDERS[case.provider].api_limit
        assert limit.seconds <= archive_at_work.delays[-1] <= 2 * limit.seconds
        assert archive_at_work.pauses == []

    @pytest.mark.parametrize("waited", [3600, 80_000])
    def test_the_longer_it_waits_the_longer_are_the_pauses_up_to_what_sqs_takes(
        self, archive_at_work: Archive, keys: list[str], waited: int
    ) -> None:
        event = self.found(archive_at_work, ago=waited)
        assert archive_at_work.try_medium(event, "output")
        assert min(MAX_DELAY, 0.1 * waited) <= archive_at_work.delays[-1] <= MAX_DELAY

    def test_after_a_day_its_attempts_are_counted(self, archive_at_work: Archive, keys: list[str]) -> None:
        event = self.found(archive_at_work, ago=RATE_LIMIT_PATIENCE + 60)
        assert not archive_at_work.try_medium(event, "output")
        assert archive_at_work.try_medium(event, "output", tries=TRIES)
        assert archive_at_work.receipt(event).state == "failed"
        assert len(archive_at_work.cloud.failed()) == 1

    def test_one_that_the_queue_does_not_take_comes_again(self, archive_at_work: Archive, keys: list[str]) -> None:
        event = self.found(archive_at_work, ago=0)

        def refuse(params: dict[str, Any], **_: Any) -> None:
            if "DelaySeconds" in params:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage")

        archive_at_work.cloud.sqs.meta.events.register("provide-client-params.sqs.SendMessage", refuse)
        assert not archive_at_work.try_medium(event, "output")
        assert len(archive_at_work.pauses) == 1

    @pytest.mark.parametrize("status", [503, None])
    def test_a_limit_of_one_call_reports_that_calls_response(
        self, archive_at_work: Archive, keys: list[str], status: int | None
    ) -> None:
        event = self.found(archive_at_work, ago=0, room=1)
        archive_at_work.apis.captions.fail(status)
        assert not archive_at_work.try_medium(event, "output")
        assert archive_at_work.receipt(event).reason.startswith("the provider's API")

    def exhaust(self, archive: Archive, case: Case, room: int = 0) -> None:
        """All calls of the limit are reserved, except `room`."""
        limit = PROVIDERS[case.provider].api_limit
        reserve_calls(archive.table, case.provider, limit, limit.calls - room, time.time())

    def found(self, archive: Archive, *, ago: float, room: int = 0) -> Event:
        """A Captions operation whose link is dead, found `ago` seconds ago, with no calls left."""
        event = archive.operation()
        archive.apis.captions.links.die("o-1")
        archive.apis.requests.clear()
        archive.record(replace(event, event_id="e" * 64, received_at=timestamps.at(time.time() - ago)))
        self.exhaust(archive, CASES[-1], room)
        return event

    def test_a_rejected_key_loses_nothing_that_a_redrive_cannot_restore(
        self, case: Case, event: Event, archive_at_work: Archive, keys: list[str]
    ) -> None:
        case.api(archive_at_work.apis).api_key = "another one by now"
        assert not archive_at_work.try_medium(event, case.role)
        assert archive_at_work.try_medium(event, case.role, tries=TRIES)
        assert archive_at_work.receipt(event).state == "failed"
        assert len(archive_at_work.cloud.failed()) == 1


class TestBatch:
    def test_its_result_is_requested_again_and_each_row_is_an_event_of_its_job(
        self, archive_at_work: Archive, s3: S3Simulator, keys: list[str]
    ) -> None:
        batch = archive_at_work.batch({"g-1": "batch-1.mp4", "g-2": "batch-2.mp4", "g-3": None})
        archive_at_work.apis.requests.clear()
        archive_at_work.apis.sync.fail(410, path="/result")  # the target of its link, fetched once
        assert archive_at_work.try_medium(batch, "result")
        assert [(request.path, request.headers.get("x-api-key")) for request in archive_at_work.apis.requests] == [
            ("/v2/batches/b-1/result", None),
            ("/v2/batch/b-1", keys[0]),
            ("/v2/batches/b-1/result", None),
        ]
        assert archive_at_work.job(batch).stage == "settled"
        for number, (job_id, status) in enumerate({"g-1": "completed", "g-2": "completed", "g-3": "failed"}.items(), 1):
            (row,) = archive_at_work.table.events("sync", job_id)
            assert (row.origin, row.webhook, row.status, row.parent) == ("batch", "generation", status, "b-1")
            assert [medium.role for medium in row.media] == (["output"] if status == "completed" else [])
            if row.media:  # is archived like any other
                assert archive_at_work.try_medium(row, "output")
                stored = s3.object(f"media/sync/{job_id}/output-{row.media[0].media_id}.mp4")
                assert stored.content == archive_at_work.apis.host.media[f"batch-{number}.mp4"].content
                assert archive_at_work.job(row).stage == "settled"
