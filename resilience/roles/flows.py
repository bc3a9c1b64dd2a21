"""The shortest flows that need an action of a role; resilience/roles/needs.py lists which.

A flow starts something under a name and sees it fail; where it yields, the action is restored; then it sees the work
succeed. The flows are independent of each other, so those of several roles run in parallel: each passes its function's
input directly, and does not wait for other functions.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from dailies.providers import every_provider
from local.stack import Stack
from simulators.provider_apis import ProviderApis
from simulators.provider_apis.exchange import Request
from simulators.provider_calls.call import Call
from testkit.fixtures.account_reader import Owner, Row
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.captions_stack import was_too_slow
from testkit.fixtures.provider_client import NOT_SET, SECRET_OF, Providers
from testkit.support.functions import RECEIVERS, logged, start_anew
from testkit.support.wait import wait_for

WEBHOOK = {name: provider.webhooks[0].name for name, provider in every_provider().items()}
# Two receivers share one secret, which has one pending version at a time.
ROTATING = {secret: Lock() for secret in SECRET_OF.values()}
SETTING = {provider: Lock() for provider in WEBHOOK}


@dataclass(frozen=True)
class Ground:
    """A flow's resources, and the name of its function."""

    stack: Stack
    providers: Providers
    owner: Owner
    listener: Listener
    apis: ProviderApis
    function: str = ""

    def is_denied(self, since: float, about: str = "") -> None:
        """Wait until the function logs that AWS denied it something, in a line that contains `about`."""

        def look() -> list[str]:
            return [
                line for line in logged(self.stack, self.function, since) if "AccessDenied" in line and about in line
            ]

        wait_for(f"{self.function} is denied {about}", look, bool)

    def asked(self, job_id: str) -> list[Request]:
        """The providers' API requests about a job."""
        return [each for each in self.apis.requests if job_id in f"{each.path} {each.query} {each.body!r}"]


type Flow = Callable[[Ground, str], Iterator[None]]


RECORDED = ("recorded", "duplicate")
"""A duplicate is what was recorded by a call before, whose answer came too late."""


def _answered(call: Callable[[], str]) -> str:
    """A function's result; retried, as AWS does, only if AWS was too slow for it."""
    return wait_for("AWS is in time", call, lambda error: not was_too_slow(error))


def ends_denied(call: Callable[[], str]) -> None:
    """Check that this invocation fails because AWS denies it something."""
    error = _answered(call)
    assert "AccessDenied" in error, error


def ends_well(call: Callable[[], str]) -> None:
    """Check that this invocation succeeds."""
    error = _answered(call)
    assert error == "", error


# ---- Receivers -------------------------------------------------------------------------------------------------------


def delivery(on: Ground, name: str, *, size: int = 0, secret: str | None = None) -> Call:
    """A parsable and recorded call, for any webhook."""
    webhook = RECEIVERS[on.function]
    job_id = on.providers.job(name)
    body = {"id": job_id, "operationId": job_id, "status": "failed", "event": "creator.failure"}
    body["options"] = noise(on, size) if size else ""
    return on.providers.proven(webhook, json.dumps(body).encode(), secret=secret, job_id=job_id)


def noise(on: Ground, size: int) -> str:
    """Hexadecimal digits for this number of bytes, which cannot be compressed further."""
    return on.providers.host.media["large.mp4"].content[-size:].hex()


def recording(on: Ground, name: str) -> Iterator[None]:
    call = delivery(on, name)
    assert on.providers.send_once(call).result == "not_stored"
    assert on.owner.rows(f"job#{call.webhook.partition('/')[0]}#{call.job_id}") == []
    yield
    assert on.providers.send(call).result == "recorded"


def keeping_a_large_body(on: Ground, name: str) -> Iterator[None]:
    call = delivery(on, name, size=400_000)
    assert on.providers.send_once(call).result == "not_stored"
    assert on.owner.rows(f"job#{call.webhook.partition('/')[0]}#{call.job_id}") == []
    yield
    assert on.providers.send(call).result == "recorded"


def keeping_a_large_body_that_cannot_be_read(on: Ground, name: str) -> Iterator[None]:
    body = f"{on.providers.job(name)} {noise(on, 400_000)}".encode()
    call = on.providers.proven(RECEIVERS[on.function], body)
    assert on.providers.send_once(call).result == "not_stored"
    yield
    assert on.providers.send(call, stored_as="quarantined").result == "quarantined"


def reading_the_secret(on: Ground, name: str) -> Iterator[None]:
    """A receiver reads a secret's new version for a call that the known ones do not verify, every five seconds at
    most."""
    secret = SECRET_OF[RECEIVERS[on.function]]
    with ROTATING[secret]:
        value = on.providers.put_pending(secret)
        call = delivery(on, name, secret=value)
        wait_for(
            "it cannot be read", lambda: on.providers.send_once(call).result, lambda result: result == "not_stored"
        )
        yield
        wait_for("it is read", lambda: on.providers.send_once(call).result, lambda result: result in RECORDED)


# ---- Existing rows and credentials -----------------------------------------------------------------------------------


def event(on: Ground, name: str, provider: str = "captions", **more: Any) -> Row:
    """An event row; by default of a failed job."""
    job_id, now = on.providers.job(name), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event_id = sha256(job_id.encode()).hexdigest()
    return {
        "pk": f"job#{provider}#{job_id}",
        "sk": f"event#{event_id}",
        "event_id": event_id,
        "provider": provider,
        "webhook": WEBHOOK[provider],
        "job_id": job_id,
        "status": "failed",
        "provider_status": "creator.failure",
        "occurred_at": now,
        "clock": "ours",
        "received_at": now,
        "origin": "webhook",
        "expires_at": int(time.time()) + 86_400,
        "written_by": "a test",
        **more,
    }


def job_row(on: Ground, name: str, provider: str = "captions") -> Row:
    """The job row for such an event."""
    row = event(on, name, provider)
    taken = ("pk", "provider", "webhook", "job_id", "status", "provider_status")
    moments = {"first_seen_at": row["received_at"], "updated_at": row["received_at"]}
    return {**{key: row[key] for key in taken}, **moments, "sk": "job", "stage": "settled", "media": [], "version": 1}


@contextmanager
def credentials(on: Ground, provider: str) -> Iterator[None]:
    """Set the credentials of a provider's API, before the function has read older ones."""
    apis = (on.apis.sync, on.apis.creatify, on.apis.captions)
    (values,) = (api.credentials for api in apis if api.part.provider == provider)
    secret_id = f"{on.stack.stack_name}/{provider}/api"
    on.providers.ever_secret.update(values.values())
    with SETTING[provider]:
        on.stack.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(values))
        start_anew(on.stack, [on.function])
        try:
            yield
        finally:
            on.stack.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=NOT_SET)
            start_anew(on.stack, [on.function])


# ---- Stream consumers ------------------------------------------------------------------------------------------------


def merging(on: Ground, name: str) -> Iterator[None]:
    row, since = event(on, name), time.time()
    on.owner.put_row(row)
    on.is_denied(since)
    assert on.owner.job("captions", row["job_id"]) == {}
    yield
    on.owner.resting("captions", row["job_id"])


def announcing(on: Ground, name: str) -> Iterator[None]:
    row, since = job_row(on, name), time.time()
    on.owner.put_row(row)
    on.is_denied(since)
    assert on.listener.of(row["job_id"], "Job Settled") == []
    yield
    on.listener.hears(row["job_id"], "Job Settled")
    assert on.owner.keys(f"media/captions/{row['job_id']}/") == [f"media/captions/{row['job_id']}/job.json"]


def queueing_what_is_found(on: Ground, name: str) -> Iterator[None]:
    """A job with a medium without a link: the archive records that, once it receives the medium."""
    row, since = job_row(on, name), time.time()
    medium = {"role": "output", "media_id": "0123abcd", "state": "pending", "found_at": row["first_seen_at"]}
    on.owner.put_row({**row, "stage": "archiving", "media": [medium]})
    on.is_denied(since)
    assert on.owner.events("captions", row["job_id"], "archive") == []
    yield
    wait_for(f"{name} is tried", lambda: on.owner.events("captions", row["job_id"], "archive"), bool)


def keeping_what_cannot_be_read(on: Ground, name: str) -> Iterator[None]:
    """A row without most of its attributes: complete in the failure queue, and later rows are processed."""
    of_events = on.function == "Advance"
    row, since = (event if of_events else job_row)(on, name), time.time()
    broken = {"pk": row["pk"], "sk": row["sk"], "note": name}
    on.owner.put_row(broken)
    on.is_denied(since)
    yield
    message = on.owner.message(f"{on.function}FailureQueueUrl", lambda body: row["pk"] in body)
    record = json.loads(message["Body"])
    assert record["dynamodb"]["NewImage"] == {key: {"S": value} for key, value in broken.items()}
    assert record["dynamodb"]["Keys"] == {key: {"S": row[key]} for key in ("pk", "sk")}
    assert (record["eventName"], record["eventSource"]) == ("INSERT", "aws:dynamodb")
