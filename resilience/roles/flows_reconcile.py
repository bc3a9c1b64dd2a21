"""The flows of track, which the bus invokes, and of reconcile, which the schedule invokes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from dailies.jobs.models import ListName
from dailies.jobs.rows import list_key, shard_of
from resilience.roles.flows import Flow, Ground, credentials, ends_denied, ends_well, job_row
from resilience.roles.flows_archive import media_id
from testkit.fixtures.account_reader import Row
from testkit.support.wait import wait_for


def submit(on: Ground, webhook: str, job_id: str) -> None:
    """Submit a job as the owner's app does, by an event on the bus."""
    detail = {"provider": "captions", "webhook": webhook, "job_id": job_id}
    entry = {"Source": "owners.app", "DetailType": "Job Submitted", "Detail": json.dumps(detail)}
    on.stack.aws.events.put_events(Entries=[{"EventBusName": on.stack.outputs["BusName"], **entry}])  # type: ignore[typeddict-item]


def tracking(on: Ground, name: str) -> Iterator[None]:
    job_id, since = on.providers.job(name), datetime.now(UTC).timestamp()
    submit(on, "creator", job_id)
    on.is_denied(since)
    assert on.owner.events("captions", job_id) == []
    yield
    submit(on, "creator", job_id)
    wait_for("it is tracked", lambda: on.owner.events("captions", job_id, "track"), bool)


def keeping_a_notice_that_names_nothing(on: Ground, name: str) -> Iterator[None]:
    job_id, since = on.providers.job(name), datetime.now(UTC).timestamp()
    submit(on, "no webhook", job_id)
    on.is_denied(since)
    yield
    submit(on, "no webhook", job_id)
    on.owner.message("TrackFailureQueueUrl", lambda body: job_id in body)


def sweep(on: Ground) -> str:
    """Run reconcile; returns the error, empty if it succeeded."""
    answer = on.stack.aws.functions.invoke(FunctionName=on.stack.functions[on.function], Payload=b"{}")
    return str(json.loads(answer["Payload"].read())["errorMessage"]) if answer.get("FunctionError") else ""


def listing(on: Ground, name: str) -> Iterator[None]:
    ends_denied(partial(sweep, on))
    yield
    ends_well(partial(sweep, on))


def job_of_old(on: Ground, name: str, standing: ListName, provider: str = "captions", **more: Any) -> Row:
    """The row of a job without an update for two hours."""
    row, ago = job_row(on, name, provider), two_hours_ago()
    listed_as = list_key(provider, standing, shard_of(row["job_id"]))
    return {**row, "stage": standing, "listed": listed_as, "first_seen_at": ago, "updated_at": ago, **more}


def two_hours_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stuck(on: Ground, name: str) -> str:
    """A job whose medium was attempted two hours ago, and whose message is gone: its id. No event names the medium, so
    the archive's work on its message has no effect."""
    job_id, ago = on.providers.job(name), two_hours_ago()
    media = [{"role": "output", "media_id": media_id(job_id), "state": "pending", "found_at": ago, "tried_at": ago}]
    on.owner.put_row(job_of_old(on, name, "archiving", status="completed", media=media))
    return job_id


def queueing_again(on: Ground, name: str) -> Iterator[None]:
    job_id = stuck(on, name)
    ends_denied(partial(sweep, on))
    assert on.owner.events("captions", job_id, "poll") == []
    yield
    # another job: without PutItem alone, the first one's message was sent, and its medium may be lost by now
    job_id = stuck(on, f"{name}-another")
    ends_well(partial(sweep, on))
    assert on.owner.events("captions", job_id, "poll") != []  # it was polled


def reading_the_credentials(provider: str) -> Flow:
    """The flow that polls this provider for a waiting job."""

    def reading(on: Ground, name: str) -> Iterator[None]:
        job_id = on.providers.job(name)
        on.owner.put_row(job_of_old(on, name, "waiting", provider, status="pending", provider_status=""))
        with credentials(on, provider):
            since = datetime.now(UTC).timestamp()
            ends_well(partial(sweep, on))
            on.is_denied(since, "secret could not be read")
            assert on.asked(job_id) == []
            yield
            wait_for(f"{provider} is asked", lambda: (sweep(on), on.asked(job_id)), lambda seen: seen[1])

    return reading


def knowing_who_is_known(on: Ground, name: str) -> Iterator[None]:
    job_id = on.providers.job(name)
    on.apis.sync.job(job_id).completes("generation.mp4")
    with credentials(on, "sync"):
        ends_denied(partial(sweep, on))
        yield
        ends_well(partial(sweep, on))
    assert [row["status"] for row in on.owner.events("sync", job_id, "poll")] == ["completed"]
