"""What an archive run adds to a medium's events, and what follows from it."""

import json
from dataclasses import replace

from dailies.announcing import announcements
from dailies.merging import merge
from dailies.models import Job, Media, Receipt, Report
from dailies.providers.creatify import CREATIFY, redact_answer
from dailies.wanted import Wanted, receipt_event, renewal_event

LINK = Media("video", "https://media.example/a.mp4?signature=1")
WANTED = Wanted(CREATIFY, "product_to_videos", "j-1", "video", LINK.media_id, link=LINK)


def told(number: int) -> Report:
    """The provider's answer when it is asked for the nth time: another link each time, and one in another role."""
    fresh = Media("video", f"https://media.example/other-{number}.mp4?signature={number}")
    other = Media("photo", f"https://media.example/photo-{number}.png")
    return Report(job_id="j-1", status="completed", provider_status="video_generated", media=(fresh, other))


class TestRenewal:
    """The provider's answer to the question for a fresh link."""

    def test_its_link_is_for_the_medium_that_was_asked_for_whatever_its_path(self) -> None:
        event = renewal_event(WANTED, told(1), b"{}")
        assert [(medium.role, medium.media_id) for medium in event.media] == [("video", LINK.media_id)]

    def test_it_is_not_a_find_so_a_dead_link_that_is_renewed_again_and_again_starts_nothing(self) -> None:
        """Else each try would put another message on the queue, with tries of its own."""
        job: Job | None = None
        found = []
        for number in range(1, 4):
            asked = renewal_event(WANTED, told(number), f"answer {number}".encode())
            after = replace(asked.receipt or _tried(), at=asked.received_at, reason="the host answered 403")
            for event in (asked, receipt_event(WANTED, after)):
                merged = merge(job, event)
                found += [news for news in announcements(job, merged) if news.detail_type == "Media Found"]
                job = merged
        assert found == []

    def test_creatifys_answer_repeats_our_token_and_is_kept_without_it(self) -> None:
        for slash in ("/", r"\/"):
            route = slash.join(["https:", "", "x.example", "webhooks", "creatify", "product_to_videos", "T0kenT0ken"])
            answer = f'{{"id":"j-1","webhook_url":"{route}","status":"failed","failed_reason":"no {route}"}}'.encode()
            kept = redact_answer(answer)
            assert b"T0ken" not in kept
            assert json.loads(kept)["id"] == "j-1"


def _tried() -> Receipt:
    return Receipt(role="video", media_id=LINK.media_id, state="pending", at="")
