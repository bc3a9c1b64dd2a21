"""A job is the sum of its events: in any order, with duplicates, and with only some of them known."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.jobs.merge import join, merge
from dailies.jobs.models import Event, Job, JobError, MediaLink, MediaState, Receipt, Status
from testkit.support.strategies import HISTORIES, JOBS, events, merged, receipts

FIRST, SECOND, THIRD, FOURTH = (f"2026-01-15T10:30:0{second}.000000Z" for second in range(4))
LINK = MediaLink("output", "https://h.example/o.mp4?X-Signature=1")


def reported(
    status: Status, received_at: str = FIRST, *, clock: str | None = None, word: str = "", **more: object
) -> Event:
    """A delivery about one job."""
    known = Event(
        event_id="0" * 64,
        provider="sync",
        webhook="generation",
        job_id="g-1",
        status=status,
        provider_status=word or status.upper(),
        occurred_at=clock,
        origin="webhook",
        received_at=received_at,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def found(received_at: str, *media: MediaLink, status: Status = "completed") -> Event:
    return reported(status, received_at, media=media or (LINK,))


def tried(state: MediaState, at: str, medium: MediaLink = LINK, **more: object) -> Event:
    """The archive's receipt of one attempt."""
    receipt = Receipt(role=medium.role, media_id=medium.media_id, state=state, at=at, **more)  # type: ignore[arg-type]
    return reported("unknown", at, origin="archive", provider_status="", receipt=receipt)


def both_ways(*events: Event) -> Job:
    """The job, which is the same in both orders of its events."""
    job = merged(list(events))
    assert job == merged(list(reversed(events)))
    return job


class TestLaws:
    @given(a=JOBS, b=JOBS)
    def test_it_is_commutative(self, a: Job, b: Job) -> None:
        assert join(a, b) == join(b, a)

    @given(a=JOBS, b=JOBS, c=JOBS)
    def test_it_is_associative(self, a: Job, b: Job, c: Job) -> None:
        assert join(join(a, b), c) == join(a, join(b, c))

    @given(a=JOBS, event=events())
    def test_it_is_idempotent(self, a: Job, event: Event) -> None:
        assert join(a, a) == a
        once = merge(a, event)
        assert merge(once, event) == once

    @given(history=HISTORIES, random=st.randoms(use_true_random=False))
    def test_any_order_and_any_repetition_is_the_same_job(self, history: list[Event], random: Random) -> None:
        again = history + random.choices(history, k=3)
        random.shuffle(again)
        assert merged(again) == merged(history)

    @given(history=HISTORIES, data=st.data())
    def test_further_events_only_add_to_what_a_subset_reports(self, history: list[Event], data: st.DataObject) -> None:
        """Event rows may come late, or expire: nothing is lost and nothing comes back."""
        some = data.draw(st.lists(st.sampled_from(history), min_size=1))
        assert join(merged(some), merged(history)) == merged(history)

    @given(a=receipts(), b=receipts())
    def test_even_receipts_of_the_same_time_do_not_depend_on_their_order(self, a: Receipt, b: Receipt) -> None:
        b = replace(b, role=a.role, media_id=a.media_id, at=a.at)
        both_ways(*(reported("unknown", a.at, provider_status="", receipt=receipt) for receipt in (a, b)))

    @given(history=HISTORIES)
    def test_a_job_has_the_times_of_its_first_event_and_its_last_update(self, history: list[Event]) -> None:
        job = merged(history)
        updates = [event.received_at for event in history if event.is_update]
        assert job.first_seen_at == min(event.received_at for event in history)
        assert job.updated_at == max(updates, default="")


class TestStatusWithoutAClock:
    """Sync and Captions send no event times: the later step of a job wins."""

    @pytest.mark.parametrize("end", ["completed", "failed", "canceled"])
    @pytest.mark.parametrize("late", ["pending", "processing"])
    def test_a_finished_job_never_goes_back_because_of_a_late_processing(self, end: Status, late: Status) -> None:
        assert both_ways(reported(end, FIRST), reported(late, SECOND)).status == end
        assert both_ways(reported(late, FIRST), reported(end, SECOND)).status == end

    def test_completed_outweighs_failed_whichever_comes_last(self) -> None:
        error = JobError("timeout", "", True)
        job = both_ways(reported("completed", FIRST), reported("failed", SECOND, error=error))
        assert (job.status, job.error) == ("completed", None)

    @pytest.mark.parametrize("known", ["pending", "processing", "completed", "failed", "canceled"])
    def test_a_word_that_no_table_knows_decides_nothing(self, known: Status) -> None:
        job = both_ways(reported(known, FIRST), reported("unknown", SECOND, word="UPSCALING"))
        assert (job.status, job.provider_status) == (known, known.upper())

    def test_alone_it_is_kept(self) -> None:
        job = merged([reported("unknown", word="UPSCALING")])
        assert (job.status, job.provider_status, job.stage) == ("unknown", "UPSCALING", "waiting")


class TestStatusByTheProvidersClock:
    """Creatify sends event times: the newest wins, in any order of arrival."""

    IMAGE = reported("completed", THIRD, clock=FIRST, word="image_generated")
    VIDEO = reported("processing", FIRST, clock=SECOND, word="video_generating")
    DONE = reported("completed", SECOND, clock=THIRD, word="video_generated")

    def test_a_finished_image_is_not_the_jobs_end_where_its_video_is_newer(self) -> None:
        job = both_ways(self.IMAGE, self.VIDEO)
        assert (job.status, job.provider_status, job.stage) == ("processing", "video_generating", "waiting")
        assert job.occurred_at == SECOND

    def test_the_video_is_its_end(self) -> None:
        job = both_ways(self.VIDEO, self.DONE, self.IMAGE)
        assert (job.status, job.provider_status) == ("completed", "video_generated")

    def test_a_late_processing_changes_nothing(self) -> None:
        assert both_ways(self.DONE, self.VIDEO).status == "completed"

    def test_at_the_same_time_the_later_step_wins(self) -> None:
        assert both_ways(replace(self.VIDEO, occurred_at=THIRD), self.DONE).status == "completed"

    def test_an_event_with_a_time_outweighs_one_without(self) -> None:
        assert both_ways(self.VIDEO, reported("completed", FOURTH)).status == "processing"

    def test_a_newer_word_that_is_unknown_does_not_hide_what_is_known(self) -> None:
        assert both_ways(self.IMAGE, reported("unknown", FOURTH, clock=FOURTH, word="upscaling")).status == "completed"


class TestMedia:
    """Each medium by its role and its link without the query: found, tried, archived."""

    def states(self, *events: Event) -> list[str]:
        return [medium.state for medium in both_ways(*events).media]

    def test_a_newly_signed_link_is_the_same_medium_and_another_path_is_another(self) -> None:
        resigned = MediaLink("output", "https://h.example/o.mp4?X-Signature=2")
        other = MediaLink("output", "https://h.example/p.mp4?X-Signature=1")
        assert self.states(found(FIRST), found(SECOND, resigned)) == ["pending"]
        assert self.states(found(FIRST), found(SECOND, other)) == ["pending", "pending"]
        assert self.states(found(FIRST), found(SECOND, MediaLink("segment", LINK.url))) == ["pending", "pending"]

    @pytest.mark.parametrize("state", ["pending", "failed", "lost"])
    def test_archived_wins_for_ever(self, state: MediaState) -> None:
        archived = tried("archived", SECOND, key="k")
        assert self.states(found(FIRST), archived, tried(state, THIRD)) == ["archived"]
        assert self.states(found(FIRST), tried(state, FIRST), archived) == ["archived"]
        assert self.states(found(FIRST), archived, found(FOURTH)) == ["archived"]

    @pytest.mark.parametrize("state", ["failed", "lost"])
    def test_given_up_and_then_found_again_it_is_pending(self, state: MediaState) -> None:
        assert self.states(found(FIRST), tried(state, SECOND)) == [state]
        job = both_ways(found(FIRST), tried(state, SECOND), found(THIRD))
        assert [(medium.state, medium.found_at, medium.receipt) for medium in job.media] == [("pending", THIRD, None)]

    def test_an_attempt_at_the_time_of_the_find_is_an_attempt_at_that_link(self) -> None:
        assert self.states(found(SECOND), tried("failed", SECOND)) == ["failed"]

    def test_the_latest_of_several_attempts_counts(self) -> None:
        job = both_ways(found(FIRST), tried("pending", SECOND, reason="cut short"), tried("lost", THIRD, reason="404"))
        assert [(medium.state, medium.receipt and medium.receipt.reason) for medium in job.media] == [("lost", "404")]

    def test_a_receipt_is_kept_even_if_its_medium_was_never_found(self) -> None:
        """The event that found it may have expired."""
        assert self.states(tried("archived", SECOND, key="k")) == ["archived"]

    def test_its_host_is_that_of_the_link_until_one_has_served_it(self) -> None:
        (medium,) = both_ways(found(FIRST)).media
        assert medium.source_host == "h.example"
        (medium,) = both_ways(found(FIRST), tried("archived", SECOND, source_host="s3.example")).media
        assert medium.source_host == "s3.example"


class TestStage:
    OTHER = MediaLink("output", "https://h.example/older.mp4")
    SEGMENT = MediaLink("segment", "https://h.example/s.mp4")

    @pytest.mark.parametrize(
        ("history", "stage"),
        [
            ([reported("pending")], "waiting"),
            ([reported("processing", media=(LINK,))], "waiting"),
            ([reported("processing", media=(LINK,)), tried("archived", SECOND)], "waiting"),
            ([reported("unknown", word="UPSCALING")], "waiting"),
            ([found(FIRST)], "archiving"),
            ([found(FIRST), tried("pending", SECOND)], "archiving"),
            ([found(FIRST), tried("archived", SECOND)], "settled"),
            ([found(FIRST), tried("failed", SECOND)], "attention"),
            ([found(FIRST), tried("lost", SECOND)], "attention"),
            ([found(FIRST, LINK, SEGMENT), tried("archived", SECOND)], "archiving"),
            ([found(FIRST, LINK, SEGMENT), tried("archived", SECOND), tried("lost", SECOND, SEGMENT)], "attention"),
            ([found(FIRST, LINK, OTHER), tried("archived", SECOND), tried("lost", SECOND, OTHER)], "settled"),
            ([reported("completed")], "attention"),  # it created nothing
            ([reported("failed")], "settled"),
            ([reported("canceled")], "settled"),
            ([found(FIRST, status="failed"), tried("lost", SECOND)], "attention"),
        ],
    )
    def test_it_follows_from_the_status_and_the_media(self, history: list[Event], stage: str) -> None:
        assert both_ways(*history).stage == stage


class TestLookedAfter:
    """The provider API's reports to reconcile and the archive."""

    def polled(self, at: str, status: Status = "processing", **more: object) -> Event:
        return replace(reported(status, at), origin="poll", **more)  # type: ignore[arg-type]

    def test_a_poll_that_finds_a_job_in_progress_is_no_update(self) -> None:
        job = both_ways(reported("processing", FIRST), self.polled(SECOND))
        assert (job.updated_at, job.reconciled_at) == (FIRST, SECOND)

    def test_a_poll_with_a_known_medium_is_no_update(self) -> None:
        """Creatify's photo, while the video is being made: each poll reports it."""
        job = both_ways(reported("processing", FIRST), self.polled(SECOND, media=(LINK,)))
        assert (job.updated_at, job.reconciled_at) == (FIRST, SECOND)
        assert [(medium.state, medium.link_host) for medium in job.media] == [("pending", "h.example")]

    @pytest.mark.parametrize("state", ["pending", "failed", "lost"])
    def test_a_medium_is_tried_again_after_an_update_and_not_after_each_poll(self, state: MediaState) -> None:
        looks = [self.polled(FIRST, media=(LINK,)), self.polled(THIRD, media=(LINK,))]
        job = both_ways(*looks, tried(state, SECOND))
        assert [medium.receipt and medium.state for medium in job.media] == [state]
        job = both_ways(*looks, tried(state, SECOND), self.polled(FOURTH, "completed", media=(LINK,)))
        assert [(medium.receipt, medium.found_at) for medium in job.media] == [(None, FOURTH)]

    def test_that_it_ended_is(self) -> None:
        job = both_ways(reported("processing", FIRST), self.polled(SECOND, "completed", media=(LINK,)))
        assert (job.status, job.updated_at, job.stage) == ("completed", SECOND, "archiving")

    def test_a_silent_job_needs_attention_until_an_update(self) -> None:
        silence = self.polled(SECOND, silent=True)
        job = both_ways(reported("processing", FIRST), silence)
        assert (job.stage, job.list_name) == ("attention", "silent")
        job = both_ways(reported("processing", FIRST), silence, reported("processing", THIRD, word="RENDERING"))
        assert (job.stage, job.list_name) == ("waiting", "waiting")
        job = both_ways(reported("processing", FIRST), silence, reported("completed", FIRST), reported("failed", FIRST))
        assert job.list_name != "silent"

    def test_a_contradiction_needs_attention_until_the_provider_agrees(self) -> None:
        archived = tried("archived", SECOND, key="k")
        job = both_ways(found(FIRST), archived, self.polled(SECOND, contradiction="another link"))
        assert (job.stage, job.confirmation.contradiction) == ("attention", "another link")
        again = self.polled(THIRD, contradiction="")
        assert both_ways(found(FIRST), archived, self.polled(SECOND, contradiction="another link"), again).stage == (
            "settled"
        )


class TestStanding:
    """The name of the list that a job is in."""

    @pytest.mark.parametrize(
        ("history", "list_name"),
        [
            ([reported("processing")], "waiting"),
            ([found(FIRST)], "archiving"),
            ([found(FIRST), tried("archived", SECOND)], "completed"),
            ([found(FIRST), tried("lost", SECOND)], "attention"),
            ([reported("failed")], "failed"),
            ([reported("canceled")], "canceled"),
        ],
    )
    def test_it_is_the_stage_or_where_that_is_settled_the_status(self, history: list[Event], list_name: str) -> None:
        assert both_ways(*history).list_name == list_name


class TestTheRest:
    def test_parent_and_credits_are_kept_from_any_event_that_has_them(self) -> None:
        job = both_ways(reported("completed", SECOND), reported("processing", FIRST, parent="b-1", credits=Decimal(30)))
        assert (job.parent, job.credits) == ("b-1", Decimal(30))
        free, paid = (reported("completed", credits=Decimal(count)) for count in (0, 5))
        assert both_ways(free, paid).credits == 5

    def test_the_version_counts_writes_and_is_left_alone(self) -> None:
        job = replace(merged([reported("processing")]), version=7)
        assert merge(job, reported("completed")).version == 7

    def test_an_error_message_is_cut_and_its_links_lose_their_queries(self) -> None:
        """It is in job rows and on the bus, where no signed URL may be; the payload has all of it."""
        error = JobError("c", "GET https://h.example/o.mp4?X-Signature=1#x was refused; see HTTP://i.example?k=2", True)
        assert error.message == "GET https://h.example/o.mp4 was refused; see HTTP://i.example"
        assert JobError("", "x" * 1001, True).message == "x" * 1000
        assert JobError("", "why? because #1", True).message == "why? because #1"
