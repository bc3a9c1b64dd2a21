"""What Sync sends, parsed: its own examples, both spellings, both shapes of a batch's rows.

Bodies marked `page` are copied from Sync's own pages; the others are composed from its published lists of fields, with
Sync's sample values. Checked 2026-11-21.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from dailies.errors import PayloadError
from dailies.jobs.models import JobError, MediaLink, Report
from dailies.providers.sync import RETRYABLE, parse_batch, parse_generation, read_result

ID = "6533643b-aceb-4c40-967e-d9ba9baac39e"
OUTPUT = f"https://api.sync.so/v2/generations/{ID}/result?token=00000000-0000-4000-8000-000000000000"

# page, of an older edition: synchronicity-labs/docs-v2, api-reference/webhooks.mdx
OLDER_GENERATION = b"""{
  "id": "<string>",
  "createdAt": "2023-11-07T05:31:56Z",
  "status": "<string>",
  "model": "<string>",
  "input": [
    {
      "type": "<string>",
      "url": "<string>"
    }
  ],
  "webhookUrl": "<string>",
  "options": {},
  "stream": true,
  "outputUrl": "<string>",
  "error": "<string>"
}"""

# page: https://docs.sync.so/api-reference/endpoint/generate/get-generate; its {} are values that may be null
GENERATION_BY_GET = b"""{
  "id": "<string>",
  "createdAt": "2023-11-07T05:31:56Z",
  "status": "PENDING",
  "model": "<string>",
  "input": [
    {
      "type": "<string>",
      "url": "<string>"
    }
  ],
  "webhookUrl": null,
  "options": {},
  "outputUrl": null,
  "outputDuration": null,
  "error": "<string>"
}"""

# fields: https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks
GENERATION: dict[str, Any] = {
    "id": ID,
    "createdAt": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "model": "lipsync-2",
    "input": [
        {"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"},
        {"type": "audio", "url": "https://assets.sync.so/docs/example-audio.wav"},
    ],
    "options": {"sync_mode": "loop"},
    "outputDuration": 12.5,
    "outputUrl": OUTPUT,
    "webhookUrl": "https://your-server.com/webhook",
}
FAILED_GENERATION = {
    **{name: value for name, value in GENERATION.items() if not name.startswith("output")},
    "status": "FAILED",
    "error": "An error occurred in the generation pipeline.",
    "error_code": "generation_pipeline_failed",
}

# page: https://sync.so/docs/api-reference/api/webhooks-payload-reference/webhooks/batch-status-update
BATCH = b"""{
  "id": "batch_abc123",
  "status": "COMPLETED",
  "metrics": {
    "totalGenerations": 5,
    "successCount": 4,
    "failedCount": 1,
    "pendingCount": 0
  },
  "outputUrl": "https://api.sync.so/v2/batches/batch_abc123/result",
  "webhookUrl": "https://your-webhook-url.com/batch-webhook",
  "createdAt": "2024-01-15T10:30:00Z",
  "options": {}
}"""
RESULT = "https://api.sync.so/v2/batches/batch_abc123/result"
# fields: the schema on the same page, in snake_case
FAILED_BATCH = {
    "id": "batch_abc123",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "FAILED",
    "metrics": {"total_generations": 5, "success_count": 0, "failed_count": 5, "pending_count": 0},
    "outputUrl": RESULT,
    "webhookUrl": "https://your-webhook-url.com/batch-webhook",
}


OUTPUT_MEDIUM = MediaLink("output", OUTPUT, seconds=Decimal("12.5"))


def generation(**fields: Any) -> Report:
    return parse_generation(json.dumps(GENERATION | fields).encode())


class TestGeneration:
    def test_a_completed_one_has_its_output(self) -> None:
        assert generation() == Report(
            job_id=ID, status="completed", provider_status="COMPLETED", media=(OUTPUT_MEDIUM,)
        )

    def test_a_failed_one_has_its_error(self) -> None:
        assert parse_generation(json.dumps(FAILED_GENERATION).encode()) == Report(
            job_id=ID,
            status="failed",
            provider_status="FAILED",
            error=JobError("generation_pipeline_failed", "An error occurred in the generation pipeline.", True),
        )

    def test_the_older_pages_body_still_reads(self) -> None:
        assert parse_generation(OLDER_GENERATION) == Report(
            job_id="<string>",
            status="unknown",
            provider_status="<string>",
            media=(MediaLink("output", "<string>"),),
            error=JobError("", "<string>", False),
        )

    def test_what_get_answers_of_one_that_waits_reads_too(self) -> None:
        report = parse_generation(GENERATION_BY_GET)
        assert (report.job_id, report.status, report.media) == ("<string>", "pending", ())

    def test_a_segment_is_a_medium_of_its_own_role(self) -> None:
        report = generation(segmentOutputUrl="https://s")
        assert report.media == (OUTPUT_MEDIUM, MediaLink("segment", "https://s"))

    def test_the_outputs_other_name_is_as_good_and_the_same_link_twice_is_one_medium(self) -> None:
        assert generation(outputUrl=None, outputMediaUrl=OUTPUT).media == (OUTPUT_MEDIUM,)
        assert generation(outputMediaUrl=OUTPUT).media == (OUTPUT_MEDIUM,)
        other = MediaLink("output", "https://o", seconds=Decimal("12.5"))
        assert generation(outputMediaUrl="https://o").media == (OUTPUT_MEDIUM, other)

    def test_the_errors_other_spelling_is_as_good(self) -> None:
        fields = FAILED_GENERATION | {"error_code": None, "errorCode": "generation_timeout"}
        error = parse_generation(json.dumps(fields).encode()).error
        assert error == JobError("generation_timeout", "An error occurred in the generation pipeline.", True)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("PENDING", "pending"),
            ("PROCESSING", "processing"),
            ("COMPLETED", "completed"),
            ("FAILED", "failed"),
            ("REJECTED", "failed"),
            ("TIMED_OUT", "failed"),
            ("CANCELED", "canceled"),
            ("completed", "unknown"),
            ("ARCHIVED SOON", "unknown"),
        ],
    )
    def test_its_words_are_ours_and_a_new_one_is_kept(self, word: str, status: str) -> None:
        report = generation(status=word)
        assert (report.status, report.provider_status) == (status, word)

    # https://sync.so/docs/developer-guides/error-handling
    @pytest.mark.parametrize(
        ("code", "retryable"),
        [
            ("generation_unsupported_model", False),
            ("generation_media_metadata_missing", False),
            ("generation_audio_length_exceeded", False),
            ("generation_text_length_exceeded", False),
            ("generation_audio_missing", False),
            ("generation_video_missing", False),
            ("generation_input_validation_failed", False),
            ("generation_timeout", True),
            ("generation_pipeline_failed", True),
            ("generation_database_error", True),
            ("generation_internal_auth", True),
            ("generation_unhandled_error", True),
            ("generation_of_a_new_kind", False),
        ],
    )
    def test_an_error_says_whether_a_retry_makes_sense(self, code: str, retryable: bool) -> None:
        error = generation(status="FAILED", error_code=code, error="why").error
        assert error == JobError(code, "why", retryable)
        assert (code in RETRYABLE) is retryable

    @pytest.mark.parametrize(
        "oddity",
        [
            {"createdAt": 5},
            {"input": "none"},
            {"model": None},
            {"model": "lipsync-9"},
            {"options": []},
            {"webhookUrl": {}},
            {"something": {"new": [1, 2]}},
            {"error": {}},
        ],
    )
    def test_what_only_rides_along_may_be_as_odd_as_it_likes(self, oddity: dict[str, Any]) -> None:
        assert generation(**oddity) == generation()

    @pytest.mark.parametrize(
        ("duration", "seconds"),
        [
            (12.5, "12.5"),
            ("12.5", "12.5"),
            (13, "13"),
            (0, None),
            (-1, None),
            ("long", None),
            (None, None),
            (1e9, None),
        ],
    )
    def test_how_long_the_output_plays_is_a_number_or_unknown(self, duration: object, seconds: str | None) -> None:
        (medium,) = generation(outputDuration=duration).media
        assert medium.seconds == (seconds and Decimal(seconds))

    @pytest.mark.parametrize(
        ("problem", "field"),
        [
            ({"id": "x" * 257}, "id"),
            ({"status": ["COMPLETED"]}, "status"),
            ({"outputUrl": {"url": OUTPUT}}, "outputUrl"),
            ({"outputUrl": "https://o/" + "x" * 8192}, "outputUrl"),
        ],
    )
    def test_the_reason_names_the_field_and_no_value(self, problem: dict[str, Any], field: str) -> None:
        with pytest.raises(PayloadError) as refusal:
            generation(**problem)
        assert str(refusal.value).startswith(f"{field}: ")
        assert "https" not in str(refusal.value)
        assert "xxx" not in str(refusal.value)


class TestBatch:
    def test_a_completed_one_has_its_result(self) -> None:
        assert parse_batch(BATCH) == Report(
            job_id="batch_abc123", status="completed", provider_status="COMPLETED", media=(MediaLink("result", RESULT),)
        )

    def test_a_failed_one_in_the_schemas_spelling(self) -> None:
        report = parse_batch(json.dumps(FAILED_BATCH).encode())
        assert (report.status, report.provider_status) == ("failed", "FAILED")

    def test_before_it_is_done_it_has_no_result(self) -> None:
        waiting = json.loads(BATCH) | {"status": "JOBS_CREATED", "outputUrl": ""}
        assert parse_batch(json.dumps(waiting).encode()) == Report(
            job_id="batch_abc123", status="processing", provider_status="JOBS_CREATED"
        )

    @pytest.mark.parametrize("metrics", [None, [], "many", {"totalGenerations": "five"}])
    def test_odd_metrics_do_no_harm(self, metrics: object) -> None:
        assert parse_batch(json.dumps(json.loads(BATCH) | {"metrics": metrics}).encode()) == parse_batch(BATCH)


class TestRowsOfABatch:
    """Each names a generation: a separate job whose parent is the batch."""

    # fields: Sync's own tool descriptions, https://glama.ai/mcp/servers/synchronicity-labs/mcp-server/tools/batches_get
    COMPLETED = (
        b'{"requestId":"request-1","status":"COMPLETED","generationId":"g-1",'
        b'"outputMediaUrl":"https://example.com/out-1.mp4"}'
    )
    FAILED = (
        b'{"requestId":"request-2","status":"FAILED","generationId":"g-2",'
        b'"error":"An error occurred in the generation pipeline."}'
    )
    REJECTED = (
        b'{"requestId":"request-3","status":"REJECTED","generationId":"g-3",'
        b'"error":"The requested model is not supported for this operation."}'
    )
    # fields: the older batch guide, "The response field contains the same data as individual Generate API responses"
    OLDER = (
        b'{"request_id":"request-1","response":{"id":"g-1","createdAt":"2024-01-15T10:30:00Z","status":"COMPLETED",'
        b'"model":"lipsync-2","input":[],"outputUrl":"https://example.com/out-1.mp4"}}'
    )

    def rows(self, *lines: bytes) -> list[Report]:
        return list(read_result(iter(lines), "batch_abc123"))

    def test_the_newer_shape(self) -> None:
        done, failed, rejected = self.rows(self.COMPLETED, self.FAILED, self.REJECTED)
        assert done == Report(
            job_id="g-1",
            status="completed",
            provider_status="COMPLETED",
            media=(MediaLink("output", "https://example.com/out-1.mp4"),),
            parent="batch_abc123",
        )
        assert failed == Report(
            job_id="g-2",
            status="failed",
            provider_status="FAILED",
            error=JobError("", "An error occurred in the generation pipeline.", False),
            parent="batch_abc123",
        )
        assert (rejected.status, rejected.provider_status) == ("failed", "REJECTED")

    def test_the_older_shape_gives_the_same_report(self) -> None:
        assert self.rows(self.OLDER) == self.rows(self.COMPLETED)

    def test_snake_case_and_the_older_link_name_give_the_same_report(self) -> None:
        row = b'{"request_id":"r","status":"COMPLETED","generation_id":"g-1","%b":"https://example.com/out-1.mp4"}'
        for name in (b"outputUrl", b"output_media_url", b"outputMediaUrl"):
            assert self.rows(row % name) == self.rows(self.COMPLETED)

    @pytest.mark.parametrize("empty", [b"null", b'""'])
    def test_a_link_under_one_name_is_not_hidden_by_an_empty_one_under_the_other(self, empty: bytes) -> None:
        row = b'{"status":"COMPLETED","generationId":"g-1","outputMediaUrl":%b,"outputUrl":"https://example.com/o"}'
        assert self.rows(row % empty)[0].media == (MediaLink("output", "https://example.com/o"),)

    def test_a_row_that_cannot_be_read_is_passed_over(self) -> None:
        odd = [b"", b"{", b"[]", b"null", b"\xff", b'{"status":"COMPLETED"}', b'{"generationId":"g-9"}']
        assert self.rows(odd[0], self.COMPLETED, *odd[1:], self.FAILED) == self.rows(self.COMPLETED, self.FAILED)
