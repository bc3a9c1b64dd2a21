"""The simulated deliveries equal the real ones: their bodies have the documented fields, their signatures are valid.

The signatures here were computed with `openssl dgst -sha256 -hmac`, not by Python.
"""

import json
from datetime import UTC, datetime, timedelta

from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_batch, sync_batch_result, sync_batch_row, sync_generation, sync_proofs

AT = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
SECRET = "whsec_test_0123456789"


class TestSyncProofs:
    """Over a body of 42 bytes at 1705314600, with the whole whsec_ string as the key."""

    BODY = b'{"id":"batch_abc123","status":"COMPLETED"}'
    TIMED = "t=1705314600,v1=b2c276a46f822a964bc1d0ef79fbd6664d80c3a692f0b410f9d1616e45d2e006"
    HEX = "5449e881e9ee4806c6829796e8764949989039e18874b8495d8e9afaf51d0cb5"
    BASE64 = "VEnogenuSAbGgpeW6HZJSZiQOeGIdLhJXY6a+vUdDLU="

    def test_each_form_is_as_openssl_computes_it(self) -> None:
        assert sync_proofs(SECRET, self.BODY, 1705314600) == {
            "both": {"Sync-Signature": self.TIMED, "X-Signature-Primary": self.HEX},
            "Sync-Signature": {"Sync-Signature": self.TIMED},
            "X-Signature-Primary, timed": {"X-Signature-Primary": self.TIMED},
            "X-Signature-Primary, hex": {"X-Signature-Primary": self.HEX},
            "X-Signature-Primary, sha256=": {"X-Signature-Primary": f"sha256={self.HEX}"},
            "X-Signature-Primary, base64": {"X-Signature-Primary": self.BASE64},
        }

    def test_it_covers_the_bytes_and_not_reserialized_text(self) -> None:
        proofs = sync_proofs(SECRET, '{"prompt":"café"}'.encode(), 1705314600)
        signature = "c84200ce85844ab1991c8c3d5197f1ba7692d7ebeba0e64755f4ec468286cdbf"
        assert proofs["Sync-Signature"] == {"Sync-Signature": f"t=1705314600,v1={signature}"}


class TestBodies:
    """The fields are those of the providers' pages."""

    SYNC = frozenset({"status", "createdAt", "id", "input", "model", "options", "webhookUrl"})
    CREATIFY = frozenset({
        *("id", "type", "product_url", "aspect_ratio", "override_avatar", "motion_style", "product_showcase_url"),
        *("image_prompt", "video_prompt", "status", "generated_video_url", "generated_photo_url"),
        *("created_at", "updated_at", "webhook_url", "failed_reason"),
    })  # fmt: skip

    def test_a_completed_generation(self) -> None:
        call = sync_generation(
            "completed", "g-1", SECRET, output_url="https://o", segment_output_url="https://s", at=AT
        )
        body = json.loads(call.body)
        assert set(body) == self.SYNC | {"outputUrl", "segmentOutputUrl", "outputDuration"}
        assert (body["id"], body["status"], body["createdAt"]) == ("g-1", "COMPLETED", "2024-01-15T10:25:00Z")
        assert (body["outputUrl"], body["segmentOutputUrl"]) == ("https://o", "https://s")

    def test_batches_come_in_both_spellings(self) -> None:
        camel, snake = (
            json.loads(sync_batch(case, "b-1", SECRET, output_url="https://r", at=AT).body)
            for case in ("completed", "failed")
        )
        assert set(camel) == {"id", "status", "metrics", "outputUrl", "webhookUrl", "createdAt", "options"}
        assert set(camel["metrics"]) == {"totalGenerations", "successCount", "failedCount", "pendingCount"}
        assert set(snake) == {"id", "status", "metrics", "outputUrl", "webhookUrl", "created_at"}
        assert set(snake["metrics"]) == {"total_generations", "success_count", "failed_count", "pending_count"}

    def test_a_batchs_result_names_its_generations(self) -> None:
        rows = [sync_batch_row("request-1", "g-1", "https://o"), sync_batch_row("request-2", "g-2", None)]
        first, second = (json.loads(line) for line in sync_batch_result(rows).splitlines())
        assert first == {
            "requestId": "request-1",
            "status": "COMPLETED",
            "generationId": "g-1",
            "outputMediaUrl": "https://o",
        }
        assert (second["status"], second["generationId"], set(second)) == (
            "FAILED",
            "g-2",
            {"requestId", "status", "generationId", "error"},
        )

    def test_a_product_to_video_is_delivered_whole_with_its_own_time(self) -> None:
        call = creatify_product_to_videos(
            "video_generated", "p-1", "t" * 43, photo_url="https://p", video_url="https://v", at=AT
        )
        body = json.loads(call.body)
        assert set(body) == self.CREATIFY
        assert (body["status"], body["generated_photo_url"], body["generated_video_url"]) == (
            "video_generated",
            "https://p",
            "https://v",
        )
        assert body["updated_at"] == "2024-01-15T03:30:00.000000-07:00"
        later = json.loads(creatify_product_to_videos("failed", "p-1", "t", at=AT + timedelta(microseconds=1)).body)
        assert later["updated_at"] == "2024-01-15T03:30:00.000001-07:00"
        assert later["failed_reason"]

    def test_the_token_is_in_the_path_and_in_the_echoed_address_which_is_short_enough(self) -> None:
        call = creatify_product_to_videos("image_generated", "p-1", "t" * 43, at=AT)
        assert call.path == f"/webhooks/creatify/product_to_videos/{'t' * 43}"
        address = json.loads(call.body)["webhook_url"]
        assert address.endswith(call.path)
        assert len(address) <= 200  # Creatify's limit
        assert not any("t" * 43 in value for value in call.headers.values())

    def test_an_operations_success_and_failure(self) -> None:
        success, failure = (
            captions_creator("success", "o-1", SECRET, url="https://v"),
            captions_creator("failure", "o-1", SECRET),
        )
        assert json.loads(success.body) == {
            "url": "https://v",
            "event": "creator.success",
            "operationId": "o-1",
            "creditsSpent": 30,
        }
        assert (json.loads(failure.body)["event"], json.loads(failure.body)["operationId"]) == (
            "creator.failure",
            "o-1",
        )
        assert success.headers["Authorization"] == f"Bearer {SECRET}"

    def test_a_call_that_is_printed_shows_no_secret(self) -> None:
        for call in (
            creatify_product_to_videos("failed", "p-1", SECRET),
            captions_creator("success", "o-1", SECRET),
            sync_generation("failed", "g-1", SECRET),
        ):
            assert SECRET not in repr(call)
            assert call.job_id in repr(call)
