"""The titles of a job's timeline."""

from dataclasses import replace

import pytest

from cli.console.timeline import entries
from cli.timeline import Timeline, steps
from dailies.jobs.models import Event, MediaLink, Receipt
from testkit.support.strategies import merged

AT = "2026-11-25T14:00:00.000000Z"
LINK = MediaLink("output", "https://h.example/a.mp4")
RECEIVED = Event(
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
    ("event", "title", "state"),
    [
        (RECEIVED, "Delivery from Captions", "completed"),
        (replace(RECEIVED, origin="poll"), "Polled from Captions", "completed"),
        (replace(RECEIVED, origin="poll", receipt=TRIED), "New link to the output from Captions", "pending"),
        (replace(RECEIVED, origin="archive", media=(), receipt=TRIED), "Archiving the output", "pending"),
        (replace(RECEIVED, origin="track", status="unknown"), "Submitted by your system", "unknown"),
    ],
)
def test_an_event_has_the_title_of_its_kind(event: Event, title: str, state: str) -> None:
    (entry,) = entries(Timeline(merged([event]), tuple(steps([event]))))
    assert (entry.title, entry.state) == (title, state)
