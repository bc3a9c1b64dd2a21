"""The quarantine: authentic calls that could not be read. List them, see them, and read them again after an upgrade."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from cli import payloads
from cli.concurrency import threads
from cli.errors import NothingFound, Refusal
from cli.stack import Stack
from dailies import timestamps
from dailies.aws import payload_store
from dailies.aws.bucket import Bucket
from dailies.errors import PayloadError
from dailies.jobs import rows
from dailies.jobs.models import Event
from dailies.jobs.object_keys import delivery_key
from dailies.providers import every_provider
from dailies.providers.contract import Webhook
from dailies.timestamps import Timestamp

READERS = 16  # days asked for at once
FIRST_DAY = date(2026, 11, 1)  # no stack is older: the first release is of that month
ATTRIBUTES = "pk, event_id, provider, webhook, received_at, reason, proof, payload_key"  # what a call is made of
WEBHOOKS: dict[tuple[str, str], Webhook] = {
    (webhook.provider, webhook.name): webhook for one in every_provider().values() for webhook in one.webhooks
}


@dataclass(frozen=True, slots=True)
class Call:
    """A quarantined call: whose, when it came, how it was proven, and why it could not be read."""

    pk: str
    event_id: str
    provider: str
    webhook: str
    received_at: Timestamp
    reason: str
    proof: str
    payload_key: str = ""

    @property
    def sk(self) -> str:
        """Its sort key in the table."""
        return f"event#{self.event_id}"


@dataclass(frozen=True, slots=True)
class Read:
    """What became of a call that was read again: the job it told of, or why it still cannot be read."""

    call: Call
    job_id: str = ""
    reason: str = ""


def calls(stack: Stack, since: datetime, *, provider: str | None = None) -> list[Call]:
    """The calls that came since then, the newest first. A query for each provider and day (UTC)."""
    today = datetime.now(UTC).date()
    first = max(since.astimezone(UTC).date(), FIRST_DAY)
    days = [today - timedelta(days=ago) for ago in range((today - first).days + 1)]
    names = [provider] if provider else list(every_provider())
    keys = [f"quarantine#{name}#{day}" for name in names for day in days]
    with threads(READERS) as readers:
        found = list(readers.map(lambda pk: list(_of_day(stack, pk)), keys))
    return sorted(
        (call for of_day in found for call in of_day if datetime.fromisoformat(call.received_at) >= since),
        key=lambda call: (call.received_at, call.event_id),
        reverse=True,
    )


def find_call(found: Sequence[Call], start: str) -> Call:
    """The one of these whose event id begins so. It stands once for each day it came: the newest."""
    find_call = [call for call in found if call.event_id.startswith(start)]
    if not find_call:
        raise NothingFound(
            f"no call with an id that begins {start!r}; `dailies quarantine list --since 90d` looks back"
        )
    if len({call.event_id for call in find_call}) > 1:
        raise Refusal(f"{len(find_call)} calls have ids that begin {start!r}; give more of it")
    return find_call[0]


def one(stack: Stack, provider: str, day: str, event_id: str) -> Call:
    """The call of an event that came on a day, as its row is found by its key. NothingFound where there is none."""
    answer = stack.dynamodb.get_item(
        TableName=stack.output("TableName"),
        Key={"pk": {"S": f"quarantine#{provider}#{day}"}, "sk": {"S": f"event#{event_id}"}},
        ProjectionExpression=ATTRIBUTES,
        ConsistentRead=True,
    )
    if "Item" not in answer:
        raise NothingFound("this call is no longer in quarantine: it could be read since")
    return _call(answer["Item"])


def payload(stack: Stack, call: Call) -> bytes:
    """What came, secrets redacted.

    A large body lies in the bucket once, for all days that the call came. Where it was read again by the row of
    another day, it is kept with the event by now.
    """
    try:
        return payloads.payload(stack, call.pk, call.sk)
    except NothingFound:
        if not call.payload_key:
            raise
        return payloads.in_bucket(stack, delivery_key(call.provider, call.event_id, quarantined=False))


def read_again(stack: Stack, call: Call) -> Read:
    """Parse a call with this version of the bundle: an event row exactly as reception makes one, then the quarantine
    row goes. Safe to repeat: the row is put once, and nothing is removed before it is there.

    Its retention begins now, so that the archive finds its links.
    """
    try:
        webhook = WEBHOOKS[call.provider, call.webhook]
    except KeyError:
        return Read(call, reason=f"this version knows no webhook {call.provider}/{call.webhook}")
    try:
        raw = payload(stack, call)
    except NothingFound as gone:
        return Read(call, reason=str(gone))
    try:
        report = webhook.parse(raw)
    except PayloadError as error:
        return Read(call, reason=str(error))
    event = Event.of(
        report,
        event_id=call.event_id,
        provider=call.provider,
        webhook=call.webhook,
        origin="webhook",
        received_at=call.received_at,
        payload=raw,
        proof=call.proof,
    )
    _record(stack, event)
    stack.dynamodb.delete_item(TableName=stack.output("TableName"), Key={"pk": {"S": call.pk}, "sk": {"S": call.sk}})
    if call.payload_key:
        stack.s3.delete_object(Bucket=stack.bucket_name, Key=call.payload_key)
    return Read(call, job_id=report.job_id)


def _record(stack: Stack, event: Event) -> None:
    bucket = Bucket(lambda: stack.s3, stack.bucket_name)
    stored = payload_store.store(
        bucket, event.payload, provider=event.provider, event_id=event.event_id, quarantined=False
    )
    expires_at = int(time.time()) + int(stack.parameters["RetentionDays"]) * timestamps.DAY
    stack.table.put_once(rows.event_item(event, expires_at=expires_at, **stored), written_by="quarantine")


def _of_day(stack: Stack, pk: str) -> Iterator[Call]:
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.output("TableName"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ProjectionExpression=ATTRIBUTES,
    )
    for page in pages:
        yield from map(_call, page["Items"])


def _call(item: Mapping[str, Any]) -> Call:
    read = TypeDeserializer().deserialize
    return Call(**{name: read(value) for name, value in item.items()})
