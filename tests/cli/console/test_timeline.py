"""The titles of a job's time line say what happened, not only that something did."""

from dataclasses import replace

import pytest

from cli.console.timeline import entries
from cli.timeline import Story, steps
from dailies.jobs.models import Event, MediaLink, Receipt
from testkit.support.strategies import merged

AT = "2026-11-25T14:00:00.000000Z"
LINK = MediaLink("output", "https://h.example/a.mp4")
HEARD = Event(
    event_id="0" * 64,
    provider="captions",
    webhook="creator",
    job_id="o-1",
    status="completed",
    provider_status="creator.success",
    origin="webhook",
    received_at=AT,
    media=(LINK,),
)
TRIED = Receipt(role="output", media_id=LINK.media_id, state="pending", at=AT, reason="tried by a fresh link")


@pytest.mark.parametrize(
    ("event", "title", "word"),
    [
        (HEARD, "Captions called", "completed"),
        (replace(HEARD, origin="poll"), "Captions was asked", "completed"),
        (replace(HEARD, origin="poll", receipt=TRIED), "Captions was asked for the output’s link", "pending"),
        (replace(HEARD, origin="archive", media=(), receipt=TRIED), "Archiving the output", "pending"),
        (replace(HEARD, origin="track", status="unknown"), "Submitted by your own system", "unknown"),
    ],
)
def test_an_event_is_told_as_what_it_is(event: Event, title: str, word: str) -> None:
    (entry,) = entries(Story(merged([event]), tuple(steps([event]))))
    assert (entry.title, entry.word) == (title, word)
