"""The archive's flows, started by a message in its queue. resilience/roles/needs.py lists their actions."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from resilience.roles.flows import Flow, Ground, credentials, event
from simulators.media_host.samples import padded
from testkit.fixtures.account_reader import Row
from testkit.support.wait import wait_for

PART_BYTES = 20 * 1024 * 1024
LONG_AGO = "2026-01-15T10:30:00.000000Z"  # the earlier run has ended


def media_id(url: str) -> str:
    """By the public contract: of the URL without its query."""
    return sha256(url.partition("?")[0].encode()).hexdigest()[:8]


def find(on: Ground, name: str, url: str, *, provider: str = "captions", role: str = "output", **more: str) -> str:
    """Queue a medium for the archive; returns the id of its message, as announce would send it. The event row gets its
    link by a second write, which no stream consumer processes."""
    row = event(on, name, provider, **more)
    medium = {"role": role, "media_id": media_id(url)}
    on.owner.put_row(row)
    on.owner.put_row({**row, "media": [{**medium, "url": url}]})
    message = {"detail": {**{key: row[key] for key in ("provider", "webhook", "job_id")}, "media": [medium]}}
    return on.owner.send("ArchiveQueueUrl", json.dumps(message))


def find_operation(on: Ground, name: str, medium: str = "operation.mp4", fault: str | None = None) -> str:
    return find(on, name, on.providers.link(on.providers.job(name), medium, fault))


def find_a_dead_one(on: Ground, name: str, provider: str) -> str:
    """A medium with an expired link, so that the archive requests a new one from the provider."""
    url = on.providers.link(on.providers.job(name), "operation.mp4", "missing")
    return find(on, name, url, provider=provider, role="video" if provider == "creatify" else "output")


def tried(on: Ground, name: str, state: str, reason: str = "", *, provider: str = "captions") -> Row:
    """The receipt of an attempt with this result."""

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
    """An earlier attempt has stored it and failed before it recorded that."""
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
    on.is_denied(since, find(on, name, on.providers.host.url(path), provider="sync", role="result", webhook="batch"))
    assert on.owner.events("sync", item) == []
    yield
    tried(on, name, "archived", provider="sync")
    assert [event["parent"] for event in on.owner.events("sync", item)] == [on.providers.job(name)]


def in_two_parts(on: Ground) -> bytes:
    """A video just too large for a single PUT."""
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
    """An earlier run has uploaded the first part and reached its timeout."""
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
    on.is_denied(since)  # its message stays hidden for the queue's visibility timeout: a quarter of an hour
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


def asking_for_a_fresh_link(provider: str) -> Flow:
    """The flow that requests a link from this provider."""

    def asking(on: Ground, name: str) -> Iterator[None]:
        job_id = on.providers.job(name)
        with credentials(on, provider):
            find_a_dead_one(on, name, provider)
            tried(on, name, "pending", "secret could not be read", provider=provider)
            assert on.asked(job_id) == []
            yield
            wait_for(f"{provider} is asked about {job_id}", lambda: on.asked(job_id), bool)

    return asking


def keeping_to_the_rate_limit(on: Ground, name: str) -> Iterator[None]:
    """The rate limit, which all functions share, is a row."""
    with credentials(on, "captions"):
        find_a_dead_one(on, name, "captions")
        tried(on, name, "pending", "rate limit could not be kept")
        yield
        tried(on, name, "pending", "404")


def waiting_for_the_rate_limit(on: Ground, name: str) -> Iterator[None]:
    """Its message is queued again, for at least a minute, which the flow does not wait for."""
    counts = []

    def one_more_waits() -> bool:
        """Wait for one more message; earlier tests' messages may return meanwhile."""
        counted = on.stack.aws.sqs.get_queue_attributes(
            QueueUrl=on.stack.outputs["ArchiveQueueUrl"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )["Attributes"]
        counts.append(int(counted["ApproximateNumberOfMessagesDelayed"]))
        return counts[-1] > min(counts)

    with credentials(on, "creatify"), no_room_at(on, "creatify"):
        since = time.time()
        find_a_dead_one(on, name, "creatify")
        on.is_denied(since, on.providers.job(name))
        one_more_waits()
        yield
        wait_for("it waits", one_more_waits, bool)


@contextmanager
def no_room_at(on: Ground, provider: str) -> Iterator[None]:
    """Use up the provider's rate limit."""
    key = {"pk": f"allowance#{provider}", "sk": "allowance"}
    on.owner.put_row({**key, "version": 1, "taken": [[str(time.time()), 1000]]})
    try:
        yield
    finally:
        typed: Any = {name: {"S": value} for name, value in key.items()}
        on.stack.aws.dynamodb.delete_item(TableName=on.stack.outputs["TableName"], Key=typed)
