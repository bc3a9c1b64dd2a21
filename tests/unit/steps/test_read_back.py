"""Creatify's deliveries prove only that their sender has the URL: with API credentials set, its API must agree."""

from dataclasses import replace

import pytest

from dailies.jobs.models import Event, MediaLink, Report
from dailies.jobs.read_back import Claim, contradiction, may_be_late
from dailies.providers.creatify import CREATIFY
from simulators.s3 import S3Simulator
from testkit.fixtures.archiver import Archive

BEFORE, THEN, LATER = (f"2026-01-15T10:30:0{second}.000000Z" for second in range(3))
VIDEO = MediaLink("video", "https://cdn.example/v.mp4?signed=1")
PHOTO = MediaLink("photo", "https://cdn.example/p.png")
CLAIM = Claim(VIDEO.url, "video_generated", THEN)
REPORT = Report(job_id="p-1", status="completed", provider_status="video_generated", occurred_at=THEN, media=(VIDEO,))
MAY_GO_ON = CREATIFY.may_go_on


class TestContradiction:
    def test_an_equal_report_of_the_same_time_agrees(self) -> None:
        assert contradiction(CLAIM, "video", REPORT) == ""

    def test_another_signature_is_the_same_link(self) -> None:
        told = replace(REPORT, media=(MediaLink("video", "https://cdn.example/v.mp4?signed=2"),))
        assert contradiction(CLAIM, "video", told) == ""

    def test_a_newer_state_is_progress(self) -> None:
        """An image stage whose video has begun when the photo is read back."""
        told = replace(REPORT, status="processing", provider_status="video_generating", occurred_at=LATER)
        assert contradiction(replace(CLAIM, provider_status="image_generated"), "video", told) == ""

    @pytest.mark.parametrize(
        ("told", "says"),
        [
            (None, "the provider's API knows no such job"),
            (
                replace(REPORT, media=(MediaLink("video", "https://cdn.example/w.mp4"),)),
                "the provider's API has another video",
            ),
            (replace(REPORT, media=()), "the provider's API says video_generated and has no video"),
            (
                replace(REPORT, status="failed", provider_status="failed"),
                "the provider's API says failed, the call video_generated",
            ),
        ],
    )
    def test_an_unknown_job_another_link_and_another_status_contradict(self, told: Report | None, says: str) -> None:
        assert contradiction(CLAIM, "video", told) == says
        assert not may_be_late(CLAIM, told, MAY_GO_ON)

    def test_an_older_unfinished_state_may_only_be_late(self) -> None:
        told = replace(REPORT, status="processing", provider_status="video_generating", occurred_at=BEFORE, media=())
        assert contradiction(CLAIM, "video", told)
        assert may_be_late(CLAIM, told, MAY_GO_ON)

    @pytest.mark.parametrize("role", ["photo", "video"])
    def test_so_may_the_end_of_a_stage_that_another_one_follows(self, role: str) -> None:
        """By the API the image is generated; by the delivery the video is, beside the photo."""
        told = replace(REPORT, provider_status="image_generated", occurred_at=BEFORE, media=(PHOTO,))
        claim = replace(CLAIM, url=PHOTO.url if role == "photo" else VIDEO.url)
        assert contradiction(claim, role, told)
        assert may_be_late(claim, told, MAY_GO_ON)

    @pytest.mark.parametrize(
        "told",
        [
            replace(REPORT, occurred_at=BEFORE, media=(MediaLink("video", "https://cdn.example/w.mp4"),)),
            replace(REPORT, occurred_at=BEFORE, status="failed", provider_status="failed", media=()),
            replace(REPORT, provider_status="image_generated", media=()),
            replace(REPORT, status="processing", provider_status="video_generating", occurred_at=LATER, media=()),
        ],
        ids=["the last word", "a failure", "of the same moment", "a newer state"],
    )
    def test_but_not_a_final_state_and_not_one_as_new_as_the_delivery(self, told: Report) -> None:
        assert contradiction(CLAIM, "video", told)
        assert not may_be_late(CLAIM, told, MAY_GO_ON)

    def test_another_link_contradicts_whatever_time_the_delivery_has(self) -> None:
        """The sender chooses the delivery's time."""
        old = replace(CLAIM, url="https://evil.example/v.mp4", occurred_at="2000-01-01T00:00:00.000000Z")
        assert contradiction(old, "video", REPORT) == "the provider's API has another video"


class TestInTheArchive:
    HOSTILE = "https://evil.example/video.mp4"

    def forged(self, archive: Archive, event: Event) -> Event:
        """A delivery with the right token, for an existing Creatify job, with a link to another host."""
        forged = replace(event, event_id="f" * 64, media=(MediaLink("video", self.HOSTILE),))
        archive.record(forged)
        return forged

    def test_a_confirmed_delivery_is_archived_by_the_providers_own_link(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        archive_at_work.set_keys()
        told = archive_at_work.product()
        for role in ("photo", "video"):
            assert archive_at_work.try_medium(told, role)
        job = archive_at_work.job(told)
        assert (job.stage, job.confirmation.contradiction) == ("settled", "")
        assert job.confirmation.at

    def test_a_forged_link_is_not_fetched_and_the_job_needs_attention(
        self, archive_at_work: Archive, s3: S3Simulator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        archive_at_work.set_keys()
        forged = self.forged(archive_at_work, archive_at_work.product())
        assert archive_at_work.try_medium(forged, "video")
        job = archive_at_work.job(forged)
        assert (job.stage, job.confirmation.contradiction) == ("attention", "the provider's API has another video")
        assert archive_at_work.receipt(forged).state == "failed"
        assert s3.keys == []
        assert '"ReadBackMismatches":1' in capsys.readouterr().out
        ((reason, _),) = archive_at_work.cloud.failed()  # a person may redrive it
        assert reason == "the provider's API has another video"

    def test_a_job_that_the_provider_does_not_know_needs_attention(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        archive_at_work.set_keys()
        told = archive_at_work.product()
        archive_at_work.apis.creatify.forget("p-1")
        assert archive_at_work.try_medium(told, "video")
        assert archive_at_work.job(told).confirmation.contradiction == "the provider's API knows no such job"
        assert s3.keys == []

    @pytest.mark.parametrize("status", [301, 400, 402, 409])
    def test_a_response_without_the_job_is_no_mismatch_and_is_requested_again(
        self, archive_at_work: Archive, s3: S3Simulator, status: int
    ) -> None:
        archive_at_work.set_keys()
        told = archive_at_work.product()
        archive_at_work.apis.creatify.fail(status)
        assert not archive_at_work.try_medium(told, "video")
        assert archive_at_work.receipt(told).reason == f"the provider's API answered {status}"
        assert archive_at_work.job(told).stage == "archiving"
        assert archive_at_work.try_medium(told, "video", tries=2)
        assert archive_at_work.receipt(told).state == "archived"

    @pytest.mark.parametrize(
        "answer", [b"<!DOCTYPE html><p>We will be back soon", b'{"id": "p-1", "state": "video_generated"}', b"[]"]
    )
    def test_an_undocumented_response_is_no_mismatch_either(
        self, archive_at_work: Archive, s3: S3Simulator, answer: bytes
    ) -> None:
        archive_at_work.set_keys()
        told = archive_at_work.product()
        apis, host = archive_at_work.archiver.apis, archive_at_work.apis.host
        host.add("/api/product_to_videos/p-1/", answer, "text/html")
        elsewhere = replace(apis["creatify"], base_url=f"{host.base_url}/api/")
        archive_at_work.archiver = replace(archive_at_work.archiver, apis={**apis, "creatify": elsewhere})
        assert not archive_at_work.try_medium(told, "video")
        reason = archive_at_work.receipt(told).reason
        assert reason.startswith("the provider's API gave an undocumented answer (")
        assert archive_at_work.job(told).confirmation.contradiction == ""
        assert s3.keys == []

    def test_a_job_that_the_provider_does_not_know_yet_is_tried_again(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        archive_at_work.set_keys()
        job = archive_at_work.apis.creatify.job("p-1", webhook_url="https://r.example/x")
        job.becomes("video_generating")
        early = replace(
            archive_at_work.hears(archive_at_work.apis.creatify.callbacks.told[-1]),
            event_id="e" * 64,
            status="completed",
            provider_status="video_generated",
            occurred_at="2999-01-01T00:00:00.000000Z",
            media=(MediaLink("video", "https://creatify.ai/v.mp4"),),
        )
        archive_at_work.record(early)
        assert not archive_at_work.try_medium(early, "video")
        assert archive_at_work.receipt(early).reason.startswith("not confirmed yet: ")

    def test_an_api_that_still_shows_only_the_image_does_not_contradict_the_video(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        archive_at_work.set_keys()
        job = archive_at_work.apis.creatify.job("p-1", webhook_url="https://r.example/x").has_image()
        before = job.updated_at
        job.completes()
        told = archive_at_work.hears(archive_at_work.apis.creatify.callbacks.told[-1])
        now, job.status, job.updated_at = job.updated_at, "image_generated", before
        video, job.video = job.video, ""
        for role in ("photo", "video"):
            assert not archive_at_work.try_medium(told, role)
            assert archive_at_work.receipt(told).reason.startswith("not confirmed yet: ")
        assert archive_at_work.job(told).confirmation.contradiction == ""
        job.status, job.updated_at, job.video = "video_generated", now, video
        for role in ("photo", "video"):
            assert archive_at_work.try_medium(told, role, tries=2)
        assert archive_at_work.job(told).stage == "settled"

    def test_a_contradiction_is_over_when_the_provider_agrees(self, archive_at_work: Archive, s3: S3Simulator) -> None:
        archive_at_work.set_keys()
        told = archive_at_work.product()
        archive_at_work.try_medium(self.forged(archive_at_work, told), "video")
        for role in ("photo", "video"):
            assert archive_at_work.try_medium(told, role)
        assert archive_at_work.job(told).stage == "settled"  # the forged medium is beside an archived one
