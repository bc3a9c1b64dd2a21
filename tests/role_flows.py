"""The shortest flows that need an action of a role; which are for which: tests/role_actions.py.

A flow begins something under a name and sees it fail; where it yields, the action is given back; then it sees it work.
The flows are independent of each other, so that those of several roles run at once: what wakes a function in them is
put in front of it by hand.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from local.apis import ProviderApis
from local.callers import Call
from local.media import padded
from local.stack import Stack
from tests.functions import RECEIVERS, logged, start_anew
from tests.listener import Listener
from tests.owner import Owner, Row
from tests.providers import NOT_SET, SECRET_OF, Providers
from tests.waiting import wait_for

PART_BYTES = 20 * 1024 * 1024
LONG_AGO = "2026-01-15T10:30:00.000000Z"  # the run of then is over
# Two receivers share one secret, which has one pending version at a time.
ROTATING = {secret: Lock() for secret in SECRET_OF.values()}
SETTING = {provider: Lock() for provider in ("sync", "creatify", "captions")}


@dataclass(frozen=True)
class Ground:
    """What a flow has at hand, and the function that it is about."""

    stack: Stack
    providers: Providers
    owner: Owner
    listener: Listener
    apis: ProviderApis
    function: str

    def is_denied(self, since: float, about: str = "") -> None:
        """The function logs that AWS denied it something, in a line about that."""

        def look() -> list[str]:
            return [
                line for line in logged(self.stack, self.function, since) if "AccessDenied" in line and about in line
            ]

        wait_for(f"{self.function} is denied {about}", look, bool)


# ---- Receivers -------------------------------------------------------------------------------------------------------


def delivery(on: Ground, name: str, *, size: int = 0, secret: str | None = None) -> Call:
    """A call that can be read and is recorded, whichever webhook it is for."""
    webhook = RECEIVERS[on.function]
    job_id = on.providers.job(name)
    noise = on.providers.host.media["large.mp4"].content[-size:].hex() if size else ""  # cannot be compressed
    body = {"id": job_id, "operationId": job_id, "status": "failed", "event": "creator.failure", "options": noise}
    return on.providers.proven(webhook, json.dumps(body).encode(), secret=secret, job_id=job_id)


def recording(on: Ground, name: str) -> Iterator[None]:
    call = delivery(on, name)
    assert on.providers.send(call).result == "not_stored"
    assert on.owner.rows(f"job#{call.webhook.partition('/')[0]}#{call.job_id}") == []
    yield
    assert on.providers.send(call).result == "recorded"


def keeping_a_large_body(on: Ground, name: str) -> Iterator[None]:
    call = delivery(on, name, size=400_000)
    assert on.providers.send(call).result == "not_stored"
    assert on.owner.rows(f"job#{call.webhook.partition('/')[0]}#{call.job_id}") == []
    yield
    assert on.providers.send(call).result == "recorded"


def reading_the_secret(on: Ground, name: str) -> Iterator[None]:
    """A secret's new version is read for a call that none of the known ones proves, every five seconds at most."""
    secret = SECRET_OF[RECEIVERS[on.function]]
    with ROTATING[secret]:
        value = on.providers.put_pending(secret)
        call = delivery(on, name, secret=value)
        wait_for("it cannot be read", lambda: on.providers.send(call).result, lambda result: result == "not_stored")
        yield
        wait_for("it is read", lambda: on.providers.send(call).result, lambda result: result == "recorded")


# ---- Stream consumers ------------------------------------------------------------------------------------------------


def event(on: Ground, name: str, **more: Any) -> Row:
    """An event row of Captions'; with nothing more, of an operation that failed."""
    job_id, now = on.providers.job(name), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    event_id = sha256(job_id.encode()).hexdigest()
    return {
        "pk": f"job#captions#{job_id}",
        "sk": f"event#{event_id}",
        "event_id": event_id,
        "provider": "captions",
        "webhook": "creator",
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


def job_row(on: Ground, name: str) -> Row:
    """The job row that such an event makes."""
    row = event(on, name)
    taken = ("pk", "provider", "webhook", "job_id", "status", "provider_status")
    moments = {"first_seen_at": row["received_at"], "updated_at": row["received_at"]}
    return {**{key: row[key] for key in taken}, **moments, "sk": "job", "stage": "settled", "media": [], "version": 1}


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


def keeping_what_cannot_be_read(on: Ground, name: str) -> Iterator[None]:
    """A row without most of its attributes: whole in the failure queue, and what comes after it goes on."""
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


# ---- The archive -----------------------------------------------------------------------------------------------------


def media_id(url: str) -> str:
    """By the public contract: of the URL without its query."""
    return sha256(url.partition("?")[0].encode()).hexdigest()[:8]


def find(on: Ground, name: str, url: str, *, provider: str = "captions", role: str = "output") -> str:
    """Let the archive find a medium; returns the id of the message that tells it, which is what the bus would have
    sent. The event row gets its link by a second write, which no stream consumer heeds."""
    row = event(on, name, provider=provider, pk=f"job#{provider}#{on.providers.job(name)}")
    if provider == "sync":
        row["webhook"] = "batch"
    medium = {"role": role, "media_id": media_id(url)}
    on.owner.put_row(row)
    on.owner.put_row({**row, "media": [{**medium, "url": url}]})
    message = {"detail": {**{key: row[key] for key in ("provider", "webhook", "job_id")}, "media": [medium]}}
    return on.owner.send("ArchiveQueueUrl", json.dumps(message))


def find_operation(on: Ground, name: str, medium: str = "operation.mp4", fault: str | None = None) -> str:
    return find(on, name, on.providers.link(on.providers.job(name), medium, fault))


def tried(on: Ground, name: str, state: str, reason: str = "", *, provider: str = "captions") -> Row:
    """The receipt of a try that came to that."""

    def look() -> list[Row]:
        events = on.owner.events(provider, on.providers.job(name), "archive")
        return [row["receipt"] for row in events if "receipt" in row]

    def found(receipts: list[Row]) -> list[Row]:
        return [each for each in receipts if each["state"] == state and reason in each.get("reason", "")]

    return found(wait_for(f"{name} is {state} {reason}", look, found))[0]


def prefix(on: Ground, name: str) -> str:
    return f"media/captions/{on.providers.job(name)}/output-"


def key_of(on: Ground, name: str, medium: str) -> str:
    url = on.providers.link(on.providers.job(name), medium)
    return f"{prefix(on, name)}{media_id(url)}.mp4"


def looking_up(on: Ground, name: str) -> Iterator[None]:
    since = time.time()
    on.is_denied(since, find_operation(on, name))
    assert on.owner.keys(prefix(on, name)) == []
    yield
    tried(on, name, "archived")


def writing_the_receipt(on: Ground, name: str) -> Iterator[None]:
    since = time.time()
    on.is_denied(since, find_operation(on, name))
    assert on.owner.keys(prefix(on, name)) == [key_of(on, name, "operation.mp4")]
    assert on.owner.events("captions", on.providers.job(name), "archive") == []
    yield
    tried(on, name, "archived")


def storing(on: Ground, name: str) -> Iterator[None]:
    find_operation(on, name)
    tried(on, name, "pending", "S3")
    assert on.owner.keys(prefix(on, name)) == []
    yield
    tried(on, name, "archived")


def finding_it_stored(on: Ground, name: str) -> Iterator[None]:
    """An earlier try has stored it and fell before it could tell."""
    on.owner.put_object(key_of(on, name, "operation.mp4"), on.providers.host.media["operation.mp4"].content)
    find_operation(on, name)
    tried(on, name, "pending", "S3")
    yield
    assert tried(on, name, "archived")["key"] == key_of(on, name, "operation.mp4")


def reading_a_batchs_result(on: Ground, name: str) -> Iterator[None]:
    item, path = on.providers.job(f"{name}-item"), f"/{on.providers.job(name)}/results.jsonl"
    row = {"requestId": "1", "status": "FAILED", "generationId": item, "error": "for a test"}
    on.providers.host.add(path, json.dumps(row).encode() + b"\n", "application/jsonl")
    since = time.time()
    on.is_denied(since, find(on, name, on.providers.host.url(path), provider="sync", role="result"))
    assert on.owner.events("sync", item) == []
    yield
    tried(on, name, "archived", provider="sync")
    assert [event["parent"] for event in on.owner.events("sync", item)] == [on.providers.job(name)]


def in_two_parts(on: Ground) -> bytes:
    """A video just too large to be stored as one object."""
    return padded(on.providers.host.media["operation.mp4"].content, PART_BYTES + 1024 * 1024)


def dropping_what_was_cut_short(on: Ground, name: str) -> Iterator[None]:
    path, whole = f"/{on.providers.job(name)}/clip.mp4", in_two_parts(on)
    on.providers.host.add(path, whole[:-1000], "video/mp4")
    find(on, name, on.providers.host.url(path))
    tried(on, name, "pending", "cut short")
    assert on.owner.open_uploads(prefix(on, name)) != []
    yield
    wait_for("the next try drops it", lambda: on.owner.open_uploads(prefix(on, name)), lambda uploads: uploads == [])
    on.providers.host.add(path, whole, "video/mp4")
    tried(on, name, "archived")


def going_on_with_an_upload(on: Ground, name: str) -> Iterator[None]:
    """An earlier run has sent the first part and was stopped when its time was over."""
    whole, path = in_two_parts(on), f"/{on.providers.job(name)}/clip.mp4"
    on.providers.host.add(path, whole, "video/mp4")
    key = f"{prefix(on, name)}{media_id(on.providers.host.url(path))}.mp4"
    upload = {
        "key": key,
        "upload_id": on.owner.begin_upload(key, whole[:PART_BYTES]),
        "part_bytes": PART_BYTES,
        "total": len(whole),
        "validator": f'"{sha256(whole).hexdigest()[:32]}"',  # the host's ETag
    }
    begun = event(on, name, origin="archive", status="unknown", provider_status="", upload=upload, received_at=LONG_AGO)
    on.owner.put_row({**begun, "sk": f"event#{sha256(key.encode()).hexdigest()}"})
    find(on, name, on.providers.host.url(path))
    tried(on, name, "pending", "S3 answered AccessDenied")
    yield
    receipt = tried(on, name, "archived")
    assert on.owner.object(receipt["key"], receipt["version_id"])[0] == whole


def trying_again_later(on: Ground, name: str) -> Iterator[None]:
    again, since = f"{name}-again", time.time()
    find_operation(on, name, fault="busy-once")
    tried(on, name, "pending", "429")
    on.is_denied(since)  # its message stays hidden for as long as the queue says: a quarter of an hour
    yield
    find_operation(on, again, fault="busy-once")
    tried(on, again, "archived")


def giving_up(on: Ground, name: str) -> Iterator[None]:
    again, since = f"{name}-again", time.time()
    find_operation(on, name, fault="html-page")
    tried(on, name, "failed", "HTML page")
    on.is_denied(since)
    yield
    find_operation(on, again, fault="html-page")
    on.owner.message("ArchiveDeadLetterQueueUrl", lambda body: on.providers.job(again) in body)


def asking_for_a_fresh_link(on: Ground, name: str) -> Iterator[None]:
    start_anew(on.stack, [on.function])  # else it may know for a minute that no credentials are set
    find_operation(on, name, fault="missing")
    tried(on, name, "pending", "secret could not be read")
    yield
    tried(on, name, "pending", "404")


def keeping_to_the_rate_limit(on: Ground, name: str) -> Iterator[None]:
    """What all functions take of it together is a row."""
    with credentials(on, "captions", on.apis.captions.credentials):
        find_operation(on, name, fault="missing")
        tried(on, name, "pending", "rate limit could not be kept")
        yield
        tried(on, name, "pending", "404")


@contextmanager
def credentials(on: Ground, provider: str, values: Mapping[str, str]) -> Iterator[None]:
    """The owner has set the credentials of a provider's API, and the function has read no older ones."""
    with SETTING[provider]:
        yield from _credentials(on, provider, values)


def _credentials(on: Ground, provider: str, values: Mapping[str, str]) -> Iterator[None]:
    secret_id = f"{on.stack.stack_name}/{provider}/api"
    on.providers.ever_secret.update(values.values())
    on.stack.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(dict(values)))
    start_anew(on.stack, [on.function])
    try:
        yield
    finally:
        on.stack.aws.secretsmanager.put_secret_value(SecretId=secret_id, SecretString=NOT_SET)
        start_anew(on.stack, [on.function])
