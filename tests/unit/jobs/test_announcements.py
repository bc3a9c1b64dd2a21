"""The announcements of a change of a job's row: each fact once, under an id for deduplication, and nothing secret."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given

from dailies.jobs.announcements import Announcement, announcements, job_summary, media_found
from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job, JobError, MediaLink, MediaState, Receipt
from dailies.jobs.rows import job_item, job_of
from testkit.support.strategies import HISTORIES, JOBS, SIGNED, merged

T0, T1, T2, T3 = (f"2026-01-15T10:30:0{second}.000000Z" for second in range(4))
LINK, SEGMENT = (
    MediaLink(role, f"https://h.example/{role}.mp4?X-Signature={SIGNED}") for role in ("output", "segment")
)

BEGUN = Event(
    event_id="0" * 64,
    provider="sync",
    webhook="generation",
    job_id="g-1",
    status="processing",
    provider_status="PROCESSING",
    origin="webhook",
    received_at=T0,
)
DONE = replace(BEGUN, status="completed", provider_status="COMPLETED", received_at=T1, media=(LINK,))
FAILED = replace(BEGUN, status="failed", provider_status="FAILED", error=JobError("generation_timeout", "", True))
CANCELED = replace(BEGUN, status="canceled", provider_status="CANCELED")


def tried(state: MediaState, at: str, medium: MediaLink = LINK, version: str = "") -> Event:
    receipt = Receipt(
        role=medium.role, media_id=medium.media_id, state=state, at=at, key=version and "k", version_id=version
    )
    return replace(BEGUN, status="unknown", provider_status="", origin="archive", received_at=at, receipt=receipt)


ARCHIVED, LOST, CUT = tried("archived", T2, version="v1"), tried("lost", T2), tried("pending", T1)


def announced(*events: Event) -> list[list[Announcement]]:
    """The announcements after each step of a job."""
    jobs: list[Job | None] = [None, *map(merged, accumulate([[event] for event in events]))]
    return [follows(old, new) for old, new in pairwise(jobs) if new]


def follows(old: Job | None, new: Job) -> list[Announcement]:
    """The archive's message and the bus event."""
    return [*media_found(old, new), *announcements(old, new)]


def titles(*events: Event) -> list[list[str]]:
    return [[str(announcement.detail_type) for announcement in step] for step in announced(*events)]


class TestWhatIsTold:
    def test_a_job_that_goes_well(self) -> None:
        assert titles(BEGUN, DONE, ARCHIVED) == [
            [],
            ["Media Found", "Job Completed"],
            ["Media Archived", "Job Settled"],
        ]

    def test_a_medium_is_announced_before_its_job_is_done(self) -> None:
        """So that it is archived before its link expires."""
        assert titles(replace(BEGUN, media=(LINK,))) == [["Media Found"]]

    @pytest.mark.parametrize("end", [FAILED, CANCELED])
    def test_a_job_that_came_to_nothing_is_settled_at_once(self, end: Event) -> None:
        assert titles(BEGUN, end) == [[], ["Job Failed", "Job Settled"]]

    def test_a_job_that_completed_and_made_nothing_needs_attention(self) -> None:
        assert titles(replace(DONE, media=())) == [["Job Completed", "Job Needs Attention"]]

    def test_a_medium_that_is_lost_needs_attention(self) -> None:
        assert titles(DONE, CUT, LOST) == [["Media Found", "Job Completed"], [], ["Job Needs Attention"]]

    def test_a_lost_one_beside_an_archived_one_of_its_role_does_not(self) -> None:
        other = MediaLink("output", "https://h.example/other.mp4")
        both = replace(DONE, media=(LINK, other))
        steps = titles(both, ARCHIVED, tried("lost", T2, other))
        assert steps == [
            ["Media Found", "Media Found", "Job Completed"],
            ["Media Archived"],
            ["Job Settled"],
        ]

    def test_found_again_after_it_failed_it_is_announced_under_another_id(self) -> None:
        first, _, again, settled = announced(
            DONE, LOST, replace(DONE, received_at=T3), tried("archived", T3, version="v1")
        )
        assert [told.detail_type for told in again] == ["Media Found"]
        assert again[0].detail["id"] != first[0].detail["id"]
        assert [told.detail_type for told in settled] == ["Media Archived", "Job Settled"]

    def test_a_failed_attempt_publishes_nothing_and_a_link_found_later_is_tried_at_once(self) -> None:
        steps = titles(DONE, CUT, replace(DONE, received_at=T3))
        assert steps == [["Media Found", "Job Completed"], [], ["Media Found"]]

    def test_two_stages_are_two_completions(self) -> None:
        """Creatify's picture, and then its video."""
        image = replace(DONE, provider_status="image_generated", occurred_at=T0, media=())
        making = replace(BEGUN, provider_status="video_generating", occurred_at=T1)
        video = replace(DONE, provider_status="video_generated", occurred_at=T2, media=())
        first, between, second = announced(image, making, video)
        assert [told.detail_type for told in first] == ["Job Completed", "Job Needs Attention"]
        assert between == []
        assert [told.detail_type for told in second] == ["Job Completed", "Job Needs Attention"]
        assert not {told.detail["id"] for told in first} & {told.detail["id"] for told in second}

    def test_one_completion_in_two_words_of_the_provider_is_announced_once(self) -> None:
        """Captions' API says COMPLETE, its webhook creator.success. A replay then repeats what was published."""
        polled = replace(DONE, provider="captions", provider_status="COMPLETE", origin="poll")
        called = replace(polled, provider_status="creator.success", origin="webhook", received_at=T3)
        history = [polled, replace(ARCHIVED, provider="captions"), called]
        told = announced(*history)
        assert [item.detail_type for item in told[2]] == []
        heard = {item.detail["id"] for step in told for item in step}
        again = announcements(None, merged(history))
        assert [item.detail_type for item in again] == ["Media Archived", "Job Completed", "Job Settled"]
        assert {item.detail["id"] for item in again} <= heard

    def test_canceled_and_then_failed_are_two_things_without_any_clock(self) -> None:
        canceled, failed = announced(CANCELED, FAILED)
        assert [item.detail_type for item in failed] == ["Job Failed", "Job Settled"]
        assert not {told.detail["id"] for told in canceled} & {told.detail["id"] for told in failed}

    def test_about_a_medium_the_detail_has_that_one_only(self) -> None:
        found, other, completed = announced(replace(DONE, media=(LINK, SEGMENT)))[0]
        assert [medium["role"] for medium in found.detail["media"]] == ["output"]
        assert [medium["role"] for medium in other.detail["media"]] == ["segment"]
        assert [medium["role"] for medium in completed.detail["media"]] == ["output", "segment"]
        assert (found.detail["provider"], found.detail["job_id"]) == ("sync", "g-1")


def steps(history: list[Event]) -> list[tuple[Job | None, Job]]:
    """Each image of the row and the next, as in the stream."""
    jobs: list[Job] = []
    for event in history:
        jobs.append(merge(jobs[-1] if jobs else None, event))
    return list(zip([None, *jobs], jobs, strict=False))


class TestLaws:
    @given(job=JOBS)
    def test_an_unchanged_job_has_no_announcement(self, job: Job) -> None:
        assert follows(job, job) == []
        assert follows(job, replace(job, version=job.version + 1)) == []

    @given(history=HISTORIES)
    def test_announced_again_it_has_the_same_ids(self, history: list[Event]) -> None:
        """Also by another process, which has only the job's row."""
        for old, new in steps(history):
            assert follows(old and reread(old), reread(new)) == follows(old, new)

    @given(history=HISTORIES)
    def test_a_replay_publishes_only_known_ids(self, history: list[Event]) -> None:
        """Media are left out: a replay may announce one that was found again and not tried yet."""
        told = {item.detail["id"] for old, new in steps(history) for item in announcements(old, new)}
        replayed = [item for item in announcements(None, merged(history)) if item.detail_type.startswith("Job ")]
        assert {item.detail["id"] for item in replayed} <= told

    @given(history=HISTORIES)
    def test_different_things_have_different_ids(self, history: list[Event]) -> None:
        for old, new in steps(history):
            ids = Counter(told.detail["id"] for told in follows(old, new))
            assert not ids or max(ids.values()) == 1
            elsewhere = [replace(new, provider="captions"), replace(new, job_id="j-2")]
            for other in elsewhere:
                assert not ids.keys() & {told.detail["id"] for told in follows(None, other)}

    @given(history=HISTORIES)
    def test_everything_that_matters_is_announced(self, history: list[Event]) -> None:
        told = [announcement for old, new in steps(history) for announcement in follows(old, new)]
        job = steps(history)[-1][1]
        for medium in job.media:
            if medium.state == "archived":
                assert (medium.role, medium.media_id) in media_of(told, "Media Archived")
            if medium.state == "pending" and not medium.receipt:
                assert (medium.role, medium.media_id) in media_of(told, "Media Found")
        rests = [item.detail_type for item in told if item.detail_type in ("Job Settled", "Job Needs Attention")]
        if job.stage in ("settled", "attention"):
            assert rests[-1] == {"settled": "Job Settled", "attention": "Job Needs Attention"}[job.stage]

    @given(history=HISTORIES)
    def test_it_is_json_without_links_and_secrets(self, history: list[Event]) -> None:
        for old, new in steps(history):
            for told in follows(old, new):
                text = json.dumps(told.detail, allow_nan=False)
                assert SIGNED not in text
                assert "X-Signature" not in text
                assert json.loads(text)["id"] == told.detail["id"]


def media_of(told: list[Announcement], title: str) -> set[tuple[str, str]]:
    """The media in announcements with this title."""
    about = (item.detail["media"][0] for item in told if item.detail_type == title)
    return {(medium["role"], medium["media_id"]) for medium in about}


def reread(job: Job) -> Job:
    """The job as read from its row."""
    write, read = TypeSerializer().serialize, TypeDeserializer().deserialize
    return job_of({name: read(write(value)) for name, value in job_item(job).items()})


class TestPage:
    """job.json: the row, as JSON."""

    def test_numbers_are_numbers_and_the_keys_of_the_row_are_left_out(self) -> None:
        job = replace(merged([DONE, ARCHIVED]), credits=Decimal("12.50"), version=2)
        told = job_summary(job_of(job_item(job)))
        assert (told["credits"], told["version"], told["status"]) == (12.5, 2, "completed")
        assert "pk" not in told
        assert "sk" not in told
        assert (
            json.dumps(job_summary(replace(job, credits=Decimal("30.0"))), sort_keys=True).count('"credits": 30,') == 1
        )
