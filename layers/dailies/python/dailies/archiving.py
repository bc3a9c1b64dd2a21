"""One medium into the bucket: find its newest link, transfer it, and record what came of it as an event.

Safe to run again for the same message: what is archived stays, an object is never overwritten, receipts merge.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from dailies import clock, rows
from dailies.bucket import Bucket, media_key
from dailies.errors import LinkDead, MediumRefused, TransferError
from dailies.models import Event, MediaState, Receipt, Report, content_digest
from dailies.outbound import Ways
from dailies.provider import Provider
from dailies.queue import FailureQueue, WorkQueue
from dailies.table import Table, compressed
from dailies.telemetry import Telemetry
from dailies.transfer import Order, Stored, transfer

LONGEST_PAUSE = 600  # seconds between two tries: more would waste a link that lives an hour
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Desk:
    """What the archive works with. `only_hosts`: by provider whose deliveries prove no links, where to fetch from."""

    table: Table
    bucket: Bucket
    queue: WorkQueue
    failures: FailureQueue
    telemetry: Telemetry
    providers: Mapping[str, Provider]
    private_hosts: frozenset[str]
    only_hosts: Mapping[str, frozenset[str]]
    most_tries: int
    first_pause: float
    most_bytes: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """The medium that a message names, and what the job's events know of it: its newest link, when it was found."""

    provider: Provider
    webhook: str
    job_id: str
    role: str
    media_id: str
    url: str = ""
    found_at: str = ""
    archived: bool = False


def archive(desk: Desk, message: Mapping[str, Any], *, seconds: float) -> bool:
    """Work off one queue message within `seconds`. True where it is done with, archived or given up; False where it
    comes again, after a pause or, when the tries are used up, in the dead-letter queue."""
    tries = int(message["attributes"]["ApproximateReceiveCount"])
    try:
        wanted = _look_up(desk, message)
        if wanted is None or wanted.archived:
            return True
        receipt = _try(desk, wanted, tries, seconds)
        _record(desk, [_receipt_event(wanted, receipt)])
    except (BotoCoreError, ClientError) as error:
        desk.telemetry.log.error("AWS did not answer", error=_aws_problem(error), message_id=message["messageId"])
        return _come_again(desk, message, tries)
    if receipt.state == "pending":
        return _come_again(desk, message, tries)
    if receipt.state == "failed":
        desk.failures.put(message["body"], reason=receipt.reason)
    return True


def _look_up(desk: Desk, message: Mapping[str, Any]) -> Wanted | None:
    """What the message names; a message that names nothing goes to the failure queue, whole."""
    try:
        detail = json.loads(message["body"])["detail"]
        (medium,) = detail["media"]
        provider = desk.providers[detail["provider"]]
        provider.roles[medium["role"]]
        wanted = Wanted(provider, detail["webhook"], detail["job_id"], medium["role"], medium["media_id"])
    except (KeyError, TypeError, ValueError) as error:
        desk.failures.put(message["body"], reason=f"names no medium: {type(error).__name__}")
        desk.telemetry.count("Failed", {"reason": "names no medium"})
        return None
    return _known(wanted, desk.table.events(wanted.provider.name, wanted.job_id))


def _known(wanted: Wanted, events: Iterable[Event]) -> Wanted:
    """The medium with what the events know of it. `found_at` is the first sighting, the link is of the latest."""
    links: list[tuple[str, str]] = []
    archived = False
    for event in events:
        links += [
            (event.received_at, medium.url)
            for medium in event.media
            if (medium.role, medium.media_id) == (wanted.role, wanted.media_id)
        ]
        receipt = event.receipt
        if receipt and (receipt.role, receipt.media_id) == (wanted.role, wanted.media_id):
            archived |= receipt.state == "archived"
    nothing = ("", "")
    return replace(
        wanted, url=max(links, default=nothing)[1], found_at=min(links, default=nothing)[0], archived=archived
    )


def _try(desk: Desk, wanted: Wanted, tries: int, seconds: float) -> Receipt:
    started = time.monotonic()
    try:
        if not wanted.url:
            raise LinkDead("no recorded event has a link to it")
        stored = transfer(_order(desk, wanted, seconds), desk.bucket)
        _record(desk, _listed(desk, wanted, stored))
    except TransferError as error:
        state = _after(error, tries, desk.most_tries)
        _tell(desk, wanted, state, problem=error.reason)
        return Receipt(role=wanted.role, media_id=wanted.media_id, state=state, at=clock.now(), reason=error.reason)
    at = clock.now()
    since = max(0.0, clock.seconds(at) - clock.seconds(wanted.found_at))
    _tell(
        desk,
        wanted,
        "archived",
        media_bytes=stored.bytes,
        transfer_seconds=time.monotonic() - started,
        delivery_to_archived_seconds=since,
    )
    return Receipt(role=wanted.role, media_id=wanted.media_id, state="archived", at=at, **asdict(stored))


def _order(desk: Desk, wanted: Wanted, seconds: float) -> Order:
    provider = wanted.provider
    only = None if provider.links_are_proven else desk.only_hosts.get(provider.name, frozenset())
    return Order(
        url=wanted.url,
        ways=Ways(private=desk.private_hosts, only=only),
        kinds=provider.roles[wanted.role],
        key=lambda extension: media_key(provider.name, wanted.job_id, wanted.role, wanted.media_id, extension),
        metadata={
            "provider": provider.name,
            "webhook": wanted.webhook,
            "job-id": quote(wanted.job_id, safe=""),  # metadata are ASCII
            "role": wanted.role,
            "found-at": wanted.found_at,
        },
        most_bytes=desk.most_bytes,
        seconds=seconds,
    )


def _after(error: TransferError, tries: int, most_tries: int) -> MediaState:
    """Where a medium stands after a try that did not succeed."""
    match error:
        case MediumRefused():
            return "failed"
        case _ if tries < most_tries:
            return "pending"
        case LinkDead():
            return "lost"
        case _:
            return "failed"


def _listed(desk: Desk, wanted: Wanted, stored: Stored) -> Iterator[Event]:
    """The events of other jobs that a stored medium lists: recorded before its receipt, so that none is missed."""
    listing = wanted.provider.listings.get(wanted.role)
    if listing is None:
        return
    for report in listing.read(desk.bucket.lines(stored.key, stored.version_id), wanted.job_id):
        yield _batch_event(wanted.provider.name, listing.webhook, report)


def _batch_event(provider: str, webhook: str, report: Report) -> Event:
    content = {
        "provider": provider,
        "job_id": report.job_id,
        "status": report.provider_status,
        "media": [medium.url for medium in report.media],
        "error": [report.error.code, report.error.message] if report.error else [],
        "parent": report.parent,
    }
    return Event.of(
        report,
        event_id=content_digest("batch", content),
        provider=provider,
        webhook=webhook,
        origin="batch",
        received_at=clock.now(),
        payload=json.dumps(content).encode(),
    )


def _receipt_event(wanted: Wanted, receipt: Receipt) -> Event:
    content = {"provider": wanted.provider.name, "job_id": wanted.job_id, **asdict(receipt)}
    return Event(
        event_id=content_digest("archive", content),
        provider=wanted.provider.name,
        webhook=wanted.webhook,
        job_id=wanted.job_id,
        status="unknown",  # the archive knows nothing of the work itself
        provider_status="",
        origin="archive",
        received_at=receipt.at,
        receipt=receipt,
    )


def _record(desk: Desk, events: Iterable[Event]) -> None:
    for event in events:
        expires_at = int(clock.seconds(event.received_at)) + desk.retention_days * DAY
        kept = {"payload": compressed(event.payload)} if event.payload else {}
        desk.table.put_once(rows.event_item(event, expires_at=expires_at, **kept), written_by="archive")


def _come_again(desk: Desk, message: Mapping[str, Any], tries: int) -> bool:
    """Leave the message in the queue: after a pause that doubles, or at once where its next receipt is one too many
    and SQS moves it to the dead letters."""
    pause = min(LONGEST_PAUSE, desk.first_pause * 2 ** (tries - 1)) * random.uniform(0.8, 1.2)  # noqa: S311  no secret
    desk.queue.wait(message["receiptHandle"], 0 if tries >= desk.most_tries else max(1, round(pause)))
    return False


def _aws_problem(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def _tell(desk: Desk, wanted: Wanted, result: str, problem: str = "", **measured: float) -> None:
    fields = {"job_id": wanted.job_id, "role": wanted.role, "media_id": wanted.media_id, "problem": problem}
    desk.telemetry.count(
        "Archives",
        {"provider": wanted.provider.name, "result": result},
        fields={name: text for name, text in fields.items() if text},
        **measured,
    )
