"""`dailies events`: all that came in since a moment, whatever number of jobs it is of."""

import hashlib
from datetime import UTC, datetime, timedelta

from cli import arrivals
from cli.stack import Stack
from dailies import clock
from dailies.models import Event

NOW = datetime.now(UTC)
MANY = 120  # jobs


def recorded(stack: Stack, job_id: str, at: datetime) -> str:
    """The id of an event that was recorded and merged at that moment."""
    event = Event(
        event_id=hashlib.sha256(f"{job_id} {at}".encode()).hexdigest(),
        provider="sync",
        webhook="generation",
        job_id=job_id,
        status="processing",
        provider_status="PROCESSING",
        origin="webhook",
        received_at=clock.moment(at),
    )
    stack.table.record(event, retention_days=90, written_by="test")
    stack.table.advance(event)
    return event.event_id


def test_all_of_the_span_is_told_the_oldest_first(fast_stack: Stack) -> None:
    came = [recorded(fast_stack, f"g-{number}", NOW - timedelta(minutes=MANY - number)) for number in range(MANY)]
    told = arrivals.recent(fast_stack, NOW - timedelta(days=1))
    assert [arrival.what.event_id for arrival in told] == came


def test_of_a_job_that_goes_on_only_what_came_since_is_told(fast_stack: Stack) -> None:
    recorded(fast_stack, "g-1", NOW - timedelta(hours=3))
    late = recorded(fast_stack, "g-1", NOW - timedelta(hours=1))
    recorded(fast_stack, "g-2", NOW - timedelta(hours=3))
    told = arrivals.recent(fast_stack, NOW - timedelta(hours=2))
    assert [arrival.what.event_id for arrival in told] == [late]
