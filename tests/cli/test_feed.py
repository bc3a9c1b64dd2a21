"""`dailies events`: all events since a time, for any number of jobs."""

import hashlib
from datetime import UTC, datetime, timedelta

from cli import feed
from cli.stack import Stack
from dailies import timestamps
from dailies.jobs.models import Event
from dailies.steps.advance import advance
from testkit.fixtures.aws import Cloud

NOW = datetime.now(UTC)
MANY = 60  # jobs: more than one page holds


def came(job_id: str, at: datetime) -> Event:
    """An event recorded at that time."""
    return Event(
        event_id=hashlib.sha256(f"{job_id} {at}".encode()).hexdigest(),
        provider="sync",
        webhook="generation",
        job_id=job_id,
        status="processing",
        provider_status="PROCESSING",
        origin="webhook",
        received_at=timestamps.from_datetime(at),
    )


def test_all_events_of_the_period_are_listed_oldest_first(fast_stack: Stack, cloud: Cloud) -> None:
    events = [came(f"g-{number}", NOW - timedelta(minutes=MANY - number)) for number in range(MANY)]
    cloud.put_events(events)
    arrivals = feed.recent(fast_stack, NOW - timedelta(days=1))
    assert [arrival.what.event_id for arrival in arrivals] == [event.event_id for event in events]


def test_of_an_active_job_only_the_events_since_are_listed(fast_stack: Stack, cloud: Cloud) -> None:
    late = came("g-1", NOW - timedelta(hours=1))
    cloud.put_events([came("g-1", NOW - timedelta(hours=3)), came("g-2", NOW - timedelta(hours=3))])
    fast_stack.table.record(late, retention_days=90, written_by="test")
    advance(fast_stack.table, late)
    arrivals = feed.recent(fast_stack, NOW - timedelta(hours=2))
    assert [arrival.what.event_id for arrival in arrivals] == [late.event_id]
