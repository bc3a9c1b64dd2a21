"""What Creatify sends, parsed: its own examples, its two stages, its timestamps.

Bodies marked `page` are copied from Creatify's own pages; the others have those pages' fields with sample values.
Checked 2026-11-21.
"""

import json
from typing import Any

import pytest

from dailies.jobs.models import JobError, MediaLink, Report
from dailies.providers.creatify import parse_product_to_video

# page: https://creatify.mintlify.app/api-reference/product_to_video/post-apiproduct_to_videos-gen_image
IMAGE_GENERATED = b"""{
  "id": "<string>",
  "type": "product_anyshot",
  "product_url": "<string>",
  "aspect_ratio": "16x9",
  "override_avatar": "<string>",
  "motion_style": "<string>",
  "product_showcase_url": "<string>",
  "image_prompt": "<string>",
  "video_prompt": "<string>",
  "status": "image_generated",
  "generated_video_url": "<string>",
  "generated_photo_url": "<string>",
  "created_at": "2025-05-30T04:11:05.449603-07:00",
  "updated_at": "2025-05-30T04:11:05.751592-07:00",
  "webhook_url": "<string>"
}"""
# page: https://creatify.mintlify.app/api-reference/product_to_video/post-apiproduct_to_videos-gen_video
VIDEO_GENERATING = IMAGE_GENERATED.replace(b"image_generated", b"video_generating")
# page: https://creatify.mintlify.app/api-reference/product_to_video/post-apiproduct_to_videos-regen_image
REGENERATED = b"""{
  "regen_source_id": "<string>",
  "regen_type": "regen_image",
  "failed_reason": "<string>",
  "id": "<string>",
  "type": "product_anyshot",
  "product_url": "<string>",
  "aspect_ratio": "16x9",
  "override_avatar": "<string>",
  "product_showcase_url": "<string>",
  "image_prompt": "<string>",
  "video_prompt": "<string>",
  "status": "image_generated",
  "generated_video_url": "<string>",
  "generated_photo_url": "<string>",
  "created_at": "2025-05-30T04:11:05.449603-07:00",
  "updated_at": "2025-05-30T04:11:05.751592-07:00",
  "webhook_url": "<string>"
}"""
# page: the response of gen_image, gen_video and regen_image, and of GET
INITIALIZING = b"""{
  "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  "type": "product_anyshot",
  "product_url": "<string>",
  "aspect_ratio": "9x16",
  "override_avatar": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  "motion_style": "talking",
  "product_showcase_url": "<string>",
  "image_prompt": "<string>",
  "video_prompt": "<string>",
  "status": "initializing",
  "generated_video_url": "<string>",
  "generated_photo_url": "<string>",
  "created_at": "2023-11-07T05:31:56Z",
  "updated_at": "2023-11-07T05:31:56Z",
  "webhook_url": "<string>",
  "failed_reason": "<string>",
  "regen_type": "<string>",
  "regen_source_id": "<string>"
}"""

PHOTO = "https://dpbavq092lwjh.cloudfront.net/example/photo.png"
VIDEO = "https://dpbavq092lwjh.cloudfront.net/example/video.mp4"
VIDEO_GENERATED: dict[str, Any] = {
    "id": "7e5e8a6f-d0d5-4736-b390-03e696ffc969",
    "type": "product_anyshot",
    "failed_reason": "",
    "product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg",
    "aspect_ratio": "16x9",
    "override_avatar": None,
    "motion_style": "talking",
    "product_showcase_url": "",
    "image_prompt": "",
    "video_prompt": "",
    "status": "video_generated",
    "generated_video_url": VIDEO,
    "generated_photo_url": PHOTO,
    "created_at": "2025-05-30T04:11:05.449603-07:00",
    "updated_at": "2025-05-30T04:14:41.120934-07:00",
    "webhook_url": "https://webhook.example",
}
BOTH_PLACEHOLDERS = (MediaLink("photo", "<string>"), MediaLink("video", "<string>"))


def parsed(**fields: Any) -> Report:
    return parse_product_to_video(json.dumps(VIDEO_GENERATED | fields).encode())


class TestItsOwnExamples:
    def test_an_image_is_made(self) -> None:
        assert parse_product_to_video(IMAGE_GENERATED) == Report(
            job_id="<string>",
            status="completed",
            provider_status="image_generated",
            occurred_at="2025-05-30T11:11:05.751592Z",
            media=BOTH_PLACEHOLDERS,
        )

    def test_a_video_is_being_made(self) -> None:
        report = parse_product_to_video(VIDEO_GENERATING)
        assert (report.status, report.provider_status) == ("processing", "video_generating")

    def test_an_image_is_made_again_from_another_job(self) -> None:
        report = parse_product_to_video(REGENERATED)
        assert (report.parent, report.status, report.error) == ("<string>", "completed", None)

    def test_a_job_that_has_just_begun(self) -> None:
        report = parse_product_to_video(INITIALIZING)
        assert (report.job_id, report.status) == ("3c90c3cc-0d44-4b50-8888-8dd25736052a", "pending")
        assert report.occurred_at == "2023-11-07T05:31:56.000000Z"

    def test_a_video_is_made(self) -> None:
        assert parsed() == Report(
            job_id="7e5e8a6f-d0d5-4736-b390-03e696ffc969",
            status="completed",
            provider_status="video_generated",
            occurred_at="2025-05-30T11:14:41.120934Z",
            media=(MediaLink("photo", PHOTO), MediaLink("video", VIDEO)),
        )


class TestStages:
    """A picture, then its video: `image_generated` completes the first, and a newer `video_generating` opens the job
    again (tests/unit/jobs/test_merge.py).
    """

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("initializing", "pending"),
            ("image_generating", "processing"),
            ("image_generated", "completed"),
            ("video_generating", "processing"),
            ("video_generated", "completed"),
            ("failed", "failed"),
            ("upscaling", "unknown"),
        ],
    )
    def test_its_words_are_ours_and_a_new_one_is_kept(self, word: str, status: str) -> None:
        report = parsed(status=word)
        assert (report.status, report.provider_status) == (status, word)

    def test_in_the_image_stage_there_is_a_photo_alone(self) -> None:
        for empty in ("", None):
            assert parsed(status="image_generated", generated_video_url=empty).media == (MediaLink("photo", PHOTO),)

    def test_a_video_that_failed_keeps_its_photo(self) -> None:
        report = parsed(status="failed", generated_video_url="", failed_reason="some reason")
        assert report.media == (MediaLink("photo", PHOTO),)
        assert report.error == JobError("", "some reason", retryable=False)

    def test_a_failure_without_a_reason_is_one_all_the_same(self) -> None:
        assert parsed(status="failed", failed_reason=None).error == JobError("", "", retryable=False)

    def test_a_reason_that_stays_empty_is_no_error(self) -> None:
        assert parsed(failed_reason="left over from before").error is None


class TestClock:
    @pytest.mark.parametrize(
        ("fields", "at"),
        [
            ({"updated_at": "2025-05-30T04:14:41-07:00"}, "2025-05-30T11:14:41.000000Z"),
            ({"updated_at": "2025-05-30T11:14:41.5Z"}, "2025-05-30T11:14:41.500000Z"),
            ({"updated_at": "2025-05-30T11:14:41"}, "2025-05-30T11:14:41.000000Z"),
            ({"updated_at": None}, "2025-05-30T11:11:05.449603Z"),  # created_at
            ({"updated_at": None, "created_at": ""}, None),
            ({"updated_at": "just now"}, None),
            ({"updated_at": 1748603681}, "2025-05-30T11:11:05.449603Z"),
            ({"updated_at": "0001-01-01T00:00:00+14:00"}, None),
            ({"updated_at": "0001-01-01T00:00:00Z"}, "0001-01-01T00:00:00.000000Z"),
        ],
    )
    def test_a_job_moved_when_creatify_says_it_did(self, fields: dict[str, Any], at: str | None) -> None:
        assert parsed(**fields).occurred_at == at


class TestOddities:
    @pytest.mark.parametrize("parent", [7, "x" * 257, "a\nb", {}])
    def test_a_source_that_cannot_be_a_job_is_none(self, parent: object) -> None:
        assert parsed(regen_source_id=parent).parent is None
