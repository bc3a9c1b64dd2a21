"""The simulated provider APIs respond as the providers document: with a key, in their shapes, within their limits.

The shapes are from the providers' own pages; no code of the bundle reads them here.
"""

import json
import re
from collections.abc import Callable, Iterator

import pytest
import urllib3

from simulators.provider_apis import ProviderApis, provider_apis
from testkit.support.api_calls import HTTP_CLIENT, call, captions, creatify, fetched, sync

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z
SUBMISSION = {"model": "lipsync-2", "input": [{"type": "video", "url": "https://assets.sync.so/docs/example.mp4"}]}


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


class TestSync:
    """https://docs.sync.so/api-reference/endpoint/generate/get-generate and its neighbours"""

    GENERATION = (  # the fields of the page's sample, then those that only the SDK has
        *("id", "createdAt", "status", "model", "input", "webhookUrl", "options"),
        *("outputUrl", "outputDuration", "error", "error_code", "segmentOutputUrl", "outputMediaUrl"),
    )

    def test_a_generation_has_every_field_and_null_where_there_is_nothing(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1", webhook_url="https://your-server.com/webhook")
        code, body = sync(apis, "/v2/generate/g-1")
        assert (code, {*body}) == (200, {*self.GENERATION})
        assert {name: body[name] for name in ("id", "createdAt", "status", "webhookUrl")} == {
            "id": "g-1",
            "createdAt": "2024-01-15T10:30:00Z",
            "status": "PENDING",
            "webhookUrl": "https://your-server.com/webhook",
        }
        assert {name for name in body if body[name] is None} == {*self.GENERATION[7:]}

    def test_a_completed_one_has_its_output_under_both_names_and_a_failed_one_its_error(
        self, apis: ProviderApis
    ) -> None:
        apis.sync.job("g-1").completes(segment="segment.mp4", seconds=12.5)
        body = sync(apis, "/v2/generate/g-1")[1]
        assert (body["status"], body["outputDuration"]) == ("COMPLETED", 12.5)
        assert body["outputUrl"] == body["outputMediaUrl"] != body["segmentOutputUrl"]
        apis.sync.job("g-2").fails()
        body = sync(apis, "/v2/generate/g-2")[1]
        assert (body["status"], body["error"], body["error_code"]) == (
            "FAILED",
            "An error occurred in the generation pipeline.",
            "generation_pipeline_failed",
        )

    def test_the_list_is_an_array_by_status_or_ids_and_with_a_limit_the_newest_first(self, apis: ProviderApis) -> None:
        for number in range(3):
            apis.sync.job(f"g-{number}")
        apis.sync.job("g-1").completes()

        def ids(query: str) -> list[str]:
            return [job["id"] for job in sync(apis, f"/v2/generations{query}")[1]]

        assert sorted(ids("")) == ["g-0", "g-1", "g-2"]
        assert ids("?limit=100") == ["g-2", "g-1", "g-0"]
        assert (ids("?limit=2"), ids("?limit=2&cursor=g-1")) == (["g-2", "g-1"], ["g-0"])
        assert ids("?status=COMPLETED,FAILED") == ["g-1"]
        assert ids("?ids=g-0,g-2&limit=100") == ["g-2", "g-0"]
        assert sync(apis, "/v2/generations?limit=101")[0] == 400

    def test_a_download_is_the_bare_url_as_text(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1").completes()
        url = f"{apis.sync.base_url}/v2/generations/g-1/download"
        answer = HTTP_CLIENT.request("GET", url, headers={"x-api-key": apis.sync.api_key})
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert fetched(answer.data.decode()) == 200
        apis.sync.job("g-2")
        assert sync(apis, "/v2/generations/g-2/download")[0] == 404

    def test_an_output_may_lead_through_the_api_by_a_token_and_needs_no_key(self, apis: ProviderApis) -> None:
        job = apis.sync.job("g-1")
        job.leads_through_api = True
        job.completes()
        url = sync(apis, "/v2/generate/g-1")[1]["outputUrl"]
        assert re.fullmatch(rf"{apis.sync.base_url}/v2/generations/g-1/result\?token=[0-9a-f-]{{36}}", url)
        answer = HTTP_CLIENT.request("GET", url, redirect=False)
        assert (answer.status, fetched(answer.headers["Location"])) == (302, 200)
        assert fetched(url[:-1] + "x") == 401

    @pytest.mark.parametrize(
        ("snake_case", "metrics"),
        [
            (False, {"totalGenerations": 2, "successCount": 1, "failedCount": 1, "pendingCount": 0}),
            (True, {"total_generations": 2, "success_count": 1, "failed_count": 1, "pending_count": 0}),
        ],
    )
    def test_a_batch_leads_to_a_list_whose_rows_are_jobs(
        self, apis: ProviderApis, snake_case: bool, metrics: dict[str, int]
    ) -> None:
        apis.sync.batch("b-1", snake_case=snake_case).completes({"g-1": "batch-1.mp4", "g-2": None})
        body = sync(apis, "/v2/batch/b-1")[1]
        assert (body["status"], body["metrics"]) == ("COMPLETED", metrics)
        assert body["outputUrl"] == f"{apis.sync.base_url}/v2/batches/b-1/result"
        assert ("created_at" in body, "createdAt" in body) == (snake_case, not snake_case)
        link = HTTP_CLIENT.request("GET", body["outputUrl"], redirect=False).headers["Location"]
        result = HTTP_CLIENT.request("GET", link)
        assert result.headers["Content-Type"] == "application/jsonl"
        good, bad = (json.loads(line) for line in result.data.splitlines())
        assert (good["generationId"], good["status"], fetched(good["outputMediaUrl"])) == ("g-1", "COMPLETED", 200)
        assert (bad["generationId"], bad["status"], "outputMediaUrl" in bad) == ("g-2", "FAILED", False)
        assert [sync(apis, f"/v2/generate/{job}")[1]["status"] for job in ("g-1", "g-2")] == ["COMPLETED", "FAILED"]

    def test_a_batchs_result_may_want_the_key_on_its_first_hop(self, apis: ProviderApis) -> None:
        apis.sync.batch("b-1").completes({"g-1": "batch-1.mp4"})
        apis.sync.results_need_key = True
        assert fetched(f"{apis.sync.base_url}/v2/batches/b-1/result") == 401
        assert sync(apis, "/v2/batches/b-1/result")[0] == 302

    def test_the_signing_secret_is_returned(self, apis: ProviderApis) -> None:
        assert sync(apis, "/v2/organizations/webhook/secret") == (200, {"secret": apis.sync.signing_secret})
        assert apis.sync.signing_secret.startswith("whsec_")

    def test_a_submitted_generation_moves_with_the_clock(self, apis: ProviderApis) -> None:
        code, body = sync(apis, "/v2/generate", SUBMISSION)
        assert (code, {*body}, body["input"]) == (201, {*self.GENERATION}, SUBMISSION["input"])
        seen = []
        for seconds in (0, 1.9, 0.1, 7.9, 0.1):
            apis.clock.forward(seconds)
            seen.append(sync(apis, f"/v2/generate/{body['id']}")[1]["status"])
        assert seen == ["PENDING", "PENDING", "PROCESSING", "PROCESSING", "COMPLETED"]


class TestCreatify:
    """https://docs.creatify.ai/api-reference/product_to_video"""

    JOB = (
        *("id", "type", "product_url", "aspect_ratio", "override_avatar", "motion_style", "product_showcase_url"),
        *("image_prompt", "video_prompt", "status", "generated_video_url", "generated_photo_url", "created_at"),
        *("updated_at", "webhook_url", "failed_reason", "regen_type", "regen_source_id"),
    )
    PRODUCT = {"product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg"}  # noqa: RUF012

    def test_a_job_has_the_documented_fields_and_times(self, apis: ProviderApis) -> None:
        apis.creatify.job("p-1").completes()
        code, body = creatify(apis, "product_to_videos/p-1/")
        assert (code, (*body,)) == (200, self.JOB)
        assert body["updated_at"] == "2024-01-15T03:30:00.000000-07:00"
        assert [fetched(body[name]) for name in ("generated_photo_url", "generated_video_url")] == [200, 200]

    def test_a_hundred_jobs_in_a_call_and_no_more(self, apis: ProviderApis) -> None:
        ids = [f"p-{number}" for number in range(100)]
        for job_id in ids:
            apis.creatify.job(job_id)
        code, body = creatify(apis, f"product_to_videos/?ids={','.join([*ids[:99], 'unknown'])}")
        assert (code, {job["id"] for job in body}) == (200, {*ids[:99]})
        assert creatify(apis, f"product_to_videos/?ids={','.join([*ids, 'one-more'])}")[0] == 400
        assert len(creatify(apis, "product_to_videos/")[1]) == 100

    def test_a_webhooks_url_has_at_most_200_characters(self, apis: ProviderApis) -> None:
        apis.creatify.job("p-1").has_image()
        url = "https://webhook.example/".ljust(200, "x")
        for call_of in ("gen_image", "p-1/regen_image", "p-1/gen_video", "p-1/regen_video"):
            path = f"product_to_videos/{call_of}/"
            assert creatify(apis, path, self.PRODUCT | {"webhook_url": url})[0] == 200
            code, body = creatify(apis, path, self.PRODUCT | {"webhook_url": url + "x"})
            assert (code, [*body]) == (400, ["webhook_url"])


class TestCaptions:
    """https://help.captions.ai/api-reference and observed poll responses"""

    def test_a_poll_shows_state_progress_and_url_as_far_as_there_are(self, apis: ProviderApis) -> None:
        job = apis.captions.job("o-1")
        assert captions(apis, "/creator/poll", {"operationId": "o-1"}) == (200, {"state": "QUEUED"})
        job.becomes("PROCESSING", 45)
        processing = {"state": "PROCESSING", "progress": 45}
        assert captions(apis, "/creator/poll", {"operationId": "o-1"}) == (200, processing)
        job.completes()
        code, body = captions(apis, "/creator/poll", {"operationId": "o-1"})
        assert (code, (*body,), body["state"], fetched(body["url"])) == (200, ("url", "state"), "COMPLETE", 200)
        assert "X-Goog-Expires=543058" in body["url"]

    def test_a_failed_operation_answers_a_poll_with_a_detail(self, apis: ProviderApis) -> None:
        apis.captions.job("o-1").fails("No face was found.")
        assert captions(apis, "/creator/poll", {"operationId": "o-1"}) == (400, {"detail": "No face was found."})


class TestAuthentication:
    def test_each_provider_wants_its_own_key(self, apis: ProviderApis) -> None:
        refused = (401, {"message": "Invalid API key", "error": "Unauthorized", "statusCode": 401})
        for key in ({}, {"x-api-key": "wrong"}, {"x-api-key": apis.captions.api_key}):
            assert call("GET", f"{apis.sync.base_url}/v2/generations", **key) == refused
        right = {"X-API-ID": apis.creatify.api_id, "X-API-KEY": apis.creatify.api_key}
        for name in right:
            wrong = [right | {name: "wrong"}, {other: right[other] for other in right if other != name}]
            got = [call("GET", f"{apis.creatify.base_url}product_to_videos/", **keys) for keys in wrong]
            assert [(code, [*body]) for code, body in got] == [(403, ["detail"]), (401, ["detail"])]
        for code, key in ((401, {}), (403, {"x-api-key": apis.sync.api_key})):
            assert call("POST", f"{apis.captions.base_url}/creator/poll", **key)[0] == code

    def test_an_unknown_or_forgotten_id_is_404_in_each_providers_shape(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1")
        apis.sync.forget("g-1")
        missing = {"message": "Generation not found", "error": "Not Found", "statusCode": 404}
        assert sync(apis, "/v2/generate/g-1") == (404, missing)
        assert [sync(apis, path)[0] for path in ("/v2/generations/g-1/download", "/v2/batch/b-1")] == [404, 404]
        assert creatify(apis, "product_to_videos/p-1/") == (404, {"detail": "Not found."})
        assert captions(apis, "/creator/poll", {"operationId": "o-1"}) == (404, {"detail": "Operation not found"})


class TestLimits:
    def test_captions_answers_five_calls_in_any_minute(self, apis: ProviderApis) -> None:
        def calls(number: int) -> list[int]:
            return [captions(apis, "/webhooks/list")[0] for _ in range(number)]

        assert calls(2) == [200, 200]
        apis.clock.forward(30)
        assert calls(4) == [200, 200, 200, 429]
        apis.clock.forward(29.9)
        assert calls(1) == [429]
        apis.clock.forward(0.1)
        assert calls(3) == [200, 200, 429]

    def test_sync_counts_submissions_and_all_else_apart(self, apis: ProviderApis) -> None:
        apis.sync.part.pace = None
        submitted = [sync(apis, "/v2/generate", SUBMISSION)[0] for _ in range(61)]
        assert submitted == [201] * 60 + [429]
        read = [sync(apis, "/v2/batch/none")[0] for _ in range(601)]
        assert read == [404] * 600 + [429]
        assert len(apis.sync.jobs) == 60

    def test_a_call_without_the_key_takes_no_room(self, apis: ProviderApis) -> None:
        for _ in range(6):
            assert call("POST", f"{apis.captions.base_url}/webhooks/list")[0] == 401
        assert captions(apis, "/webhooks/list")[0] == 200


class TestFaults:
    def test_the_next_calls_fail_in_the_providers_shape_and_say_when_to_come_again(self, apis: ProviderApis) -> None:
        apis.sync.fail(status=503, times=2, retry_after=1)
        url, key = f"{apis.sync.base_url}/v2/generations", {"x-api-key": apis.sync.api_key}
        got = [HTTP_CLIENT.request("GET", url, headers=key) for _ in range(3)]
        assert [(answer.status, answer.headers.get("Retry-After")) for answer in got] == [
            (503, "1"),
            (503, "1"),
            (200, None),
        ]
        assert got[0].json()["statusCode"] == 503

    def test_a_fault_may_be_for_one_path(self, apis: ProviderApis) -> None:
        apis.creatify.fail(500, path="p-1")
        assert [creatify(apis, path)[0] for path in ("product_to_videos/", "product_to_videos/p-1/")] == [200, 500]

    def test_a_connection_may_be_cut(self, apis: ProviderApis) -> None:
        apis.captions.fail(None)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            captions(apis, "/webhooks/list")
        assert captions(apis, "/webhooks/list")[0] == 200
        assert [request.status for request in apis.requests] == [None, 200]

    def test_an_answer_may_be_lost_of_what_took_effect(self, apis: ProviderApis) -> None:
        apis.sync.fail(504, took_effect=True)
        assert sync(apis, "/v2/generate", SUBMISSION)[0] == 504
        assert [job.status for job in apis.sync.jobs.values()] == ["PENDING"]


class TestLinks:
    """Signed for each response, and expired when a test or the clock says so."""

    def test_each_response_has_a_newly_signed_link_of_the_same_path(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1").completes()
        apis.creatify.job("p-1").completes()
        apis.captions.job("o-1").completes()
        asked: list[Callable[[], str]] = [
            lambda: sync(apis, "/v2/generate/g-1")[1]["outputUrl"],
            lambda: sync(apis, "/v2/generations/g-1/download")[1],
            lambda: creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"],
            lambda: captions(apis, "/creator/poll", {"operationId": "o-1"})[1]["url"],
        ]
        first = [ask() for ask in asked]
        apis.clock.forward(60)
        second = [ask() for ask in asked]
        assert [url.partition("?")[0] for url in first] == [url.partition("?")[0] for url in second]
        assert not {*first} & {*second}
        assert {fetched(url) for url in first + second} == {200}

    def test_a_link_dies_with_its_time_and_a_new_one_is_good(self, apis: ProviderApis) -> None:
        apis.sync.job("g-1").completes()
        url = sync(apis, "/v2/generate/g-1")[1]["outputUrl"]
        apis.clock.forward(3599)
        assert fetched(url) == 200
        apis.clock.forward(1)
        assert fetched(url) == 403
        assert fetched(sync(apis, "/v2/generations/g-1/download")[1]) == 200

    def test_links_are_killed_at_once_and_a_new_one_is_good(self, apis: ProviderApis) -> None:
        apis.captions.job("o-1").completes()
        apis.captions.job("o-2").completes()
        first, other = (captions(apis, "/creator/poll", {"operationId": name})[1]["url"] for name in ("o-1", "o-2"))
        apis.captions.links.die("o-1")
        second = captions(apis, "/creator/poll", {"operationId": "o-1"})[1]["url"]
        assert [fetched(url) for url in (first, second, other)] == [400, 200, 200]  # Google's way

    def test_media_that_are_lost_are_gone_by_every_link(self, apis: ProviderApis) -> None:
        apis.creatify.job("p-1").completes()
        first = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
        apis.creatify.links.lose("p-1")
        second = creatify(apis, "product_to_videos/p-1/")[1]["generated_video_url"]
        assert (fetched(first), fetched(second)) == (404, 404)
