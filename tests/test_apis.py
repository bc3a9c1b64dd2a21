"""The simulated providers' APIs answer as the providers document: with a key, in their shapes, moved by the clock.

The shapes are those of the providers' own pages; nothing of the bundle reads them here.
"""

import json
import re
from collections.abc import Iterator

import pytest

from local.apis import ProviderApis, provider_apis
from tests.api_calls import HTTP_CLIENT, call, captions, creatify, fetched, sync

START = 1_705_314_600.0  # 2024-01-15T10:30:00Z


@pytest.fixture
def apis() -> Iterator[ProviderApis]:
    with provider_apis(seed=1, start=START) as running:
        yield running


class TestSync:
    """https://docs.sync.so/api-reference/endpoint/generate/get-generate and its neighbours"""

    GENERATION = (  # the fields of the page's sample, then those that the SDK has besides
        *("id", "createdAt", "status", "model", "input", "webhookUrl", "options"),
        *("outputUrl", "outputDuration", "error", "error_code", "segmentOutputUrl", "outputMediaUrl"),
    )
    SUBMISSION = {  # noqa: RUF012  a constant
        "model": "lipsync-2",
        "input": [
            {"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"},
            {"type": "audio", "url": "https://assets.sync.so/docs/example-audio.wav"},
        ],
    }

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

    def test_the_list_is_an_array_with_the_newest_first_by_status_or_ids(self, apis: ProviderApis) -> None:
        for number in range(3):
            apis.sync.job(f"g-{number}")
        apis.sync.job("g-1").completes()

        def ids(query: str) -> list[str]:
            return [job["id"] for job in sync(apis, f"/v2/generations{query}")[1]]

        assert ids("") == ["g-2", "g-1", "g-0"]
        assert ids("?status=COMPLETED,FAILED") == ["g-1"]
        assert ids("?ids=g-0&ids=g-2") == ["g-2", "g-0"]

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

    def test_the_signing_secret_is_told(self, apis: ProviderApis) -> None:
        assert sync(apis, "/v2/organizations/webhook/secret") == (200, {"secret": apis.sync.signing_secret})
        assert apis.sync.signing_secret.startswith("whsec_")

    def test_a_submitted_generation_moves_with_the_clock(self, apis: ProviderApis) -> None:
        code, body = sync(apis, "/v2/generate", self.SUBMISSION)
        assert (code, {*body}, body["input"]) == (201, {*self.GENERATION}, self.SUBMISSION["input"])
        seen = []
        for seconds in (0, 1.9, 0.1, 7.9, 0.1):
            apis.clock.forward(seconds)
            seen.append(sync(apis, f"/v2/generate/{body['id']}")[1]["status"])
        assert seen == ["PENDING", "PENDING", "PROCESSING", "PROCESSING", "COMPLETED"]

    def test_a_submission_without_input_is_refused_in_the_documented_shape(self, apis: ProviderApis) -> None:
        assert sync(apis, "/v2/generate", {"model": "lipsync-2"}) == (
            400,
            {"message": ["input should not be empty"], "error": "Bad Request", "statusCode": 400},
        )


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

    def test_a_job_goes_from_its_image_to_its_video(self, apis: ProviderApis) -> None:
        code, body = creatify(apis, "product_to_videos/gen_image/", self.PRODUCT | {"aspect_ratio": "1x1"})
        assert (code, body["status"], body["aspect_ratio"]) == (200, "initializing", "1x1")
        place = f"product_to_videos/{body['id']}/"
        assert creatify(apis, f"{place}gen_video/", {})[0] == 400
        seen = []
        for _ in range(2):
            apis.clock.forward(5)
            seen.append(creatify(apis, place)[1]["status"])
        code, body = creatify(apis, f"{place}gen_video/", {"motion_style": "display"})
        assert (code, body["motion_style"]) == (200, "display")
        seen.append(body["status"])
        apis.clock.forward(10)
        seen.append(creatify(apis, place)[1]["status"])
        assert seen == ["image_generating", "image_generated", "video_generating", "video_generated"]

    @pytest.mark.parametrize(
        ("kind", "status"), [("regen_image", "image_generated"), ("regen_video", "video_generated")]
    )
    def test_a_regeneration_is_a_new_job_that_names_its_source(
        self, apis: ProviderApis, kind: str, status: str
    ) -> None:
        apis.creatify.job("p-1").completes()
        code, body = creatify(apis, f"product_to_videos/p-1/{kind}/", {})
        assert (code, body["regen_type"], body["regen_source_id"]) == (200, kind, "p-1")
        assert body["id"] != "p-1"
        apis.clock.forward(10)
        assert creatify(apis, f"product_to_videos/{body['id']}/")[1]["status"] == status

    def test_a_webhooks_url_has_at_most_200_characters(self, apis: ProviderApis) -> None:
        apis.creatify.job("p-1").has_image()
        url = "https://webhook.example/".ljust(200, "x")
        for call_of in ("gen_image", "p-1/regen_image", "p-1/gen_video", "p-1/regen_video"):
            path = f"product_to_videos/{call_of}/"
            assert creatify(apis, path, self.PRODUCT | {"webhook_url": url})[0] == 200
            code, body = creatify(apis, path, self.PRODUCT | {"webhook_url": url + "x"})
            assert (code, [*body]) == (400, ["webhook_url"])


class TestCaptions:
    """https://help.captions.ai/api-reference and poll answers as they were seen"""

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

    @pytest.mark.parametrize("asked", [{}, {"script": "x" * 801}, {"script": "x", "webhookId": "unknown"}])
    def test_a_wrong_submission_is_refused(self, apis: ProviderApis, asked: dict[str, str]) -> None:
        code, body = captions(apis, "/creator/submit", asked)
        assert (code, [*body]) == (400, ["detail"])


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
