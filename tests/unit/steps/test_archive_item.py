"""What an archive run adds to a medium's events, and the consequences."""

import json
from dataclasses import replace
from itertools import permutations

import pytest

from dailies import timestamps
from dailies.jobs.announcements import media_found
from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job, MediaLink, MediaState, Origin, Receipt, Report, Upload
from dailies.providers.creatify import CREATIFY, redact_answer
from dailies.steps.archive_item import (
    MAX_RUN_SECONDS,
    ArchiveItem,
    receipt_event,
    renewal_event,
    upload_event,
    with_events,
)

LINK = MediaLink("video", "https://media.example/a.mp4?signature=1")
ITEM = ArchiveItem(CREATIFY, "product_to_videos", "j-1", "video", LINK.media_id, link=LINK)


def response(number: int) -> Report:
    """The provider's nth response: another link each time, and one in another role."""
    fresh = MediaLink("video", f"https://media.example/other-{number}.mp4?signature={number}")
    other = MediaLink("photo", f"https://media.example/photo-{number}.png")
    return Report(job_id="j-1", status="completed", provider_status="video_generated", media=(fresh, other))


class TestRenewal:
    """The provider's response to the request for a fresh link."""

    def test_its_link_is_for_the_requested_medium_whatever_its_path(self) -> None:
        event = renewal_event(ITEM, response(1), b"{}")
        assert [(medium.role, medium.media_id) for medium in event.media] == [("video", LINK.media_id)]

    def test_a_refreshed_link_is_not_new_media_so_repeated_refreshes_queue_nothing(self) -> None:
        """Else each attempt would queue another message, with its own attempts."""
        job: Job | None = None
        found = []
        for number in range(1, 4):
            asked = renewal_event(ITEM, response(number), f"answer {number}".encode())
            after = replace(asked.receipt or _tried(), at=asked.received_at, reason="the host answered 403")
            for event in (asked, receipt_event(ITEM, after)):
                merged = merge(job, event)
                found += media_found(job, merged)
                job = merged
        assert found == []

    def test_creatifys_answer_repeats_our_token_and_is_kept_without_it(self) -> None:
        for slash in ("/", r"\/"):
            route = slash.join(["https:", "", "x.example", "webhooks", "creatify", "product_to_videos", "T0kenT0ken"])
            answer = f'{{"id":"j-1","webhook_url":"{route}","status":"failed","failed_reason":"no {route}"}}'.encode()
            kept = redact_answer(answer)
            assert b"T0ken" not in kept
            assert json.loads(kept)["id"] == "j-1"


class TestUpload:
    """An upload in parts that another run has begun: abandoned, or possibly still in use."""

    UPLOAD = Upload(ITEM.key("mp4"), "u-1", 5, 10, '"etag"')
    BEGAN = 1_768_473_000.0  # seconds since 1970

    def after(self, seconds: float, *events: Event) -> Upload | None:
        """The upload that a run finds that begins `seconds` after it."""
        begun = replace(upload_event(ITEM, self.UPLOAD), received_at=timestamps.at(self.BEGAN))
        return with_events(ITEM, [begun, *events], self.BEGAN + seconds).upload

    def receipt(self, seconds: float, media_id: str = ITEM.media_id) -> Event:
        """The receipt of some run, `seconds` after the upload."""
        at = timestamps.at(self.BEGAN + seconds)
        return receipt_event(ITEM, replace(_tried(), at=at, media_id=media_id))

    @pytest.mark.parametrize(
        ("seconds", "left"), [(1, False), (MAX_RUN_SECONDS - 1, False), (MAX_RUN_SECONDS + 1, True)]
    )
    def test_it_is_left_when_no_run_can_be_at_it_any_more(self, seconds: float, left: bool) -> None:
        assert self.after(seconds) == (self.UPLOAD if left else None)

    def test_it_is_left_when_a_receipt_came_after_it(self) -> None:
        assert self.after(20, self.receipt(-10)) is None  # of the run before
        assert self.after(20, self.receipt(10, "0123abcd")) is None  # of another medium
        assert self.after(20, self.receipt(-10), self.receipt(10)) == self.UPLOAD

    def test_a_runs_intermediate_event_does_not_end_it(self) -> None:
        asked = renewal_event(ITEM, response(1), b"{}")
        assert asked.receipt
        at = timestamps.at(self.BEGAN + 10)
        renewed = replace(asked, received_at=at, receipt=replace(asked.receipt, at=at))
        assert self.after(20, renewed) is None

    def test_of_those_that_are_left_it_is_the_newest(self) -> None:
        newer = replace(self.UPLOAD, upload_id="u-2")
        begun = replace(upload_event(ITEM, newer), received_at=timestamps.at(self.BEGAN + 30))
        assert self.after(50, self.receipt(10), begun) == self.UPLOAD
        assert self.after(50, self.receipt(10), begun, self.receipt(40)) == newer


class TestTheJobsEvents:
    """They are in no order."""

    BEGAN = 1_768_473_000.0  # seconds since 1970

    def at(self, seconds: float) -> str:
        return timestamps.at(self.BEGAN + seconds)

    def delivery(self, seconds: float, *, origin: Origin = "webhook", status: str = "video_generated") -> Event:
        """It has a newly signed link, and one in another role."""
        report = replace(response(1), media=(replace(LINK, url=f"{LINK.url}{seconds}"), response(1).media[1]))
        return Event.of(
            replace(report, provider_status=status),
            event_id=f"{origin}{seconds}",
            provider="creatify",
            webhook="product_to_videos",
            origin=origin,
            received_at=self.at(seconds),
        )

    def attempt(self, seconds: float, state: MediaState = "pending", media_id: str = LINK.media_id) -> Event:
        return receipt_event(ITEM, replace(_tried(), at=self.at(seconds), state=state, media_id=media_id))

    def test_the_newest_link_the_newest_deliverys_claim_and_when_the_first_arrived(self) -> None:
        newest = self.delivery(30, origin="poll", status="polled")
        for events in permutations([self.delivery(10), self.delivery(20, status="newer"), newest]):
            item = with_events(replace(ITEM, link=None), events, self.BEGAN + 60)
            assert (item.link, item.found_at) == (newest.media[0], self.at(10))
            assert item.claim
            assert (item.claim.url, item.claim.provider_status) == (f"{LINK.url}20", "newer")

    def test_without_any_there_is_none(self) -> None:
        other = replace(self.delivery(10), media=(response(1).media[1],))
        item = with_events(replace(ITEM, link=None), [other, self.attempt(20)], self.BEGAN + 60)
        assert (item.link, item.claim, item.found_at, item.upload, item.attempts) == (None, None, "", None, 1)

    @pytest.mark.parametrize(
        ("states", "attempts", "archived"),
        [
            ([], 0, False),
            (["pending"], 1, False),
            (["pending", "pending", "pending"], 3, False),
            (["pending", "failed"], 0, False),
            (["pending", "failed", "pending", "pending"], 2, False),
            (["lost", "pending"], 1, False),
            (["pending", "archived"], 0, True),
            (["archived", "pending"], 1, True),
        ],
    )
    def test_the_attempts_since_it_was_given_up(self, states: list[MediaState], attempts: int, archived: bool) -> None:
        tried = [self.attempt(seconds, state) for seconds, state in enumerate(states)]
        another = self.attempt(9, "pending", "0123abcd")
        for events in ([*tried, another], [another, *reversed(tried)]):
            item = with_events(ITEM, events, self.BEGAN + 60)
            assert (item.attempts, item.archived) == (attempts, archived)


def _tried() -> Receipt:
    return Receipt(role="video", media_id=LINK.media_id, state="pending", at="")
