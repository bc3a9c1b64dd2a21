"""Quarantine: authentic deliveries that could not be parsed. List, show, re-parse and release them."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from boto3.dynamodb.types import TypeDeserializer
from pydantic import Field

from cli import payloads
from cli.concurrency import threads
from cli.errors import CliError, NothingFound
from cli.stack import Stack
from dailies import timestamps
from dailies.aws import payload_store
from dailies.aws.bucket import Bucket
from dailies.errors import PayloadError
from dailies.jobs import rows
from dailies.jobs.models import Event, MediaLink, content_digest
from dailies.jobs.object_keys import delivery_key
from dailies.providers import every_provider
from dailies.providers.contract import Webhook
from dailies.providers.payload import MAX_URL, JobId, Payload
from dailies.timestamps import Timestamp

READERS = 16  # days read at the same time
FIRST_DAY = date(2026, 11, 1)  # the month of the first release: no stack is older
ATTRIBUTES = "pk, event_id, provider, webhook, received_at, reason, proof, payload_key"  # the fields of Delivery
WEBHOOKS: dict[tuple[str, str], Webhook] = {
    (webhook.provider, webhook.name): webhook for one in every_provider().values() for webhook in one.webhooks
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A quarantined delivery. `proof` is how it was verified, `reason` why it could not be parsed."""

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
class Reparsed:
    """The result of parsing a delivery again: the job that it reports, or the reason why it still fails."""

    delivery: Delivery
    job_id: str = ""
    reason: str = ""


def deliveries(stack: Stack, since: datetime, *, provider: str | None = None) -> list[Delivery]:
    """The deliveries received since then, newest first. Makes one query per provider and day (UTC)."""
    today = datetime.now(UTC).date()
    first = max(since.astimezone(UTC).date(), FIRST_DAY)
    days = [today - timedelta(days=ago) for ago in range((today - first).days + 1)]
    names = [provider] if provider else list(every_provider())
    keys = [f"quarantine#{name}#{day}" for name in names for day in days]
    with threads(READERS) as readers:
        found = list(readers.map(lambda pk: list(_of_day(stack, pk)), keys))
    return sorted(
        (one for of_day in found for one in of_day if datetime.fromisoformat(one.received_at) >= since),
        key=lambda one: (one.received_at, one.event_id),
        reverse=True,
    )


def find(among: Sequence[Delivery], start: str) -> Delivery:
    """The delivery whose event id begins with `start`; if it was received on several days, the first in `among`.
    Raises NothingFound, or CliError if several ids match."""
    found = [one for one in among if one.event_id.startswith(start)]
    if not found:
        raise NothingFound(
            f"No delivery has an id that begins with {start!r}. Look further back with"
            " `dailies quarantine list --since 90d`."
        )
    if len({one.event_id for one in found}) > 1:
        raise CliError(f"{len(found)} deliveries have ids that begin with {start!r}. Give more of the id.")
    return found[0]


def one(stack: Stack, provider: str, day: str, event_id: str) -> Delivery:
    """The delivery received on a day (`2026-11-25`), read by its key. Raises NothingFound if there is none."""
    answer = stack.dynamodb.get_item(
        TableName=stack.output("TableName"),
        Key={"pk": {"S": f"quarantine#{provider}#{day}"}, "sk": {"S": f"event#{event_id}"}},
        ProjectionExpression=ATTRIBUTES,
        ConsistentRead=True,
    )
    if "Item" not in answer:
        raise NothingFound("This delivery is no longer in quarantine: it was parsed since.")
    return _delivery(answer["Item"])


def payload(stack: Stack, delivery: Delivery) -> bytes:
    """The body as it was received, secrets redacted.

    A large body is in the bucket once, for all days that the delivery was received. Once it was parsed by the row of
    another day, it is stored with the event instead.
    """
    try:
        return payloads.payload(stack, delivery.pk, delivery.sk)
    except NothingFound:
        if not delivery.payload_key:
            raise
        return payloads.in_bucket(stack, delivery_key(delivery.provider, delivery.event_id, quarantined=False))


def reparse(stack: Stack, delivery: Delivery) -> Reparsed:
    """Parse a delivery with this version of Dailies: write the event row as the receiver does, then delete the
    quarantine row. Safe to repeat: the event row is written once, and nothing is deleted before it is.

    The retention starts now, so that the archive finds the links.
    """
    try:
        webhook = WEBHOOKS[delivery.provider, delivery.webhook]
    except KeyError:
        return Reparsed(delivery, reason=f"this version has no webhook {delivery.provider}/{delivery.webhook}")
    try:
        raw = payload(stack, delivery)
    except NothingFound as gone:
        return Reparsed(delivery, reason=str(gone))
    try:
        report = webhook.parse(raw)
    except PayloadError as error:
        return Reparsed(delivery, reason=str(error))
    event = Event.of(
        report,
        event_id=delivery.event_id,
        provider=delivery.provider,
        webhook=delivery.webhook,
        origin="webhook",
        received_at=delivery.received_at,
        payload=raw,
        proof=delivery.proof,
    )
    _replace(stack, delivery, event)
    return Reparsed(delivery, job_id=report.job_id)


def release(stack: Stack, delivery: Delivery, *, job_id: str, url: str, role: str) -> Event:
    """Record by hand what a delivery says: that a job is completed, and the link to a medium. Deletes the quarantine
    row. Safe to repeat; the delivery's body stays in the event. Raises CliError if the provider has no such role, or
    job and link are none.

    The owner's word confirms nothing: a link of a provider that does not sign is still checked as its deliveries' are.
    """
    provider = every_provider()[delivery.provider]
    if role not in provider.roles:
        raise CliError(
            f"{delivery.provider} has no role {role!r}. Choose one with --role: {', '.join(provider.roles)}."
        )
    named = {"job_id": job_id, "url": url}
    try:
        checked = Released.read(json.dumps(named).encode())
    except PayloadError as error:
        raise CliError(f"Not a job's id and link ({error}). Copy them from `dailies quarantine show`.") from None
    event = Event(
        event_id=content_digest("track", {"event_id": delivery.event_id, "role": role, **named}),
        provider=delivery.provider,
        webhook=delivery.webhook,
        job_id=checked.job_id,
        status="completed",
        provider_status="released",
        origin="track",  # what the owner says of a job
        media=(MediaLink(role, checked.url),),
        received_at=timestamps.now(),
        payload=payload(stack, delivery),
        proof=delivery.proof,
    )
    _replace(stack, delivery, event)
    return event


def video_role(provider: str) -> str:
    """The first role of a provider that may be a video, which is what a lost delivery is about."""
    return next(role for role, kinds in every_provider()[provider].roles.items() if "video" in kinds)


class Released(Payload):
    """What the operator reads out of a delivery: bounded as a provider's own."""

    job_id: JobId
    url: Annotated[str, Field(pattern=r"^https?://[!-~]+$", max_length=MAX_URL)]


def _replace(stack: Stack, delivery: Delivery, event: Event) -> None:
    """Record the event, then delete the quarantine row and its payload."""
    _record(stack, event)
    key: Any = {"pk": {"S": delivery.pk}, "sk": {"S": delivery.sk}}
    stack.dynamodb.delete_item(TableName=stack.output("TableName"), Key=key)
    if delivery.payload_key:
        stack.s3.delete_object(Bucket=stack.bucket_name, Key=delivery.payload_key)


def _record(stack: Stack, event: Event) -> None:
    bucket = Bucket(lambda: stack.s3, stack.bucket_name)
    stored = payload_store.store(
        bucket, event.payload, provider=event.provider, event_id=event.event_id, quarantined=False
    )
    expires_at = int(time.time()) + int(stack.parameters["RetentionDays"]) * timestamps.DAY
    stack.table.put_once(rows.event_item(event, expires_at=expires_at, **stored), written_by="quarantine")


def _of_day(stack: Stack, pk: str) -> Iterator[Delivery]:
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.output("TableName"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ProjectionExpression=ATTRIBUTES,
    )
    for page in pages:
        yield from map(_delivery, page["Items"])


def _delivery(item: Mapping[str, Any]) -> Delivery:
    read = TypeDeserializer().deserialize
    return Delivery(**{name: read(value) for name, value in item.items()})
