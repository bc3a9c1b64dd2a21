"""One medium into the bucket: by its newest link, or a fresh one of the provider's; what came of it is an event.

Safe to run again for the same message: what is archived stays, an object is never overwritten, receipts merge.
"""

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dailies import timestamps
from dailies.aws.bucket import Bucket
from dailies.aws.queues import FailureQueue, WorkQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.errors import (
    ApiError,
    AwsUnavailable,
    Contradicted,
    HostFailed,
    LinkDead,
    MediumRefused,
    RateLimited,
    RateLimitReached,
    TransferError,
    aws_problem,
)
from dailies.jobs import links
from dailies.jobs.models import Event, MediaLink, MediaState, Receipt, Upload
from dailies.jobs.object_keys import name_in_key
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.provider_api.client import Api
from dailies.providers.contract import Provider
from dailies.steps.archive_item import (
    ArchiveItem,
    from_message,
    manifest_events,
    receipt_event,
    upload_event,
    with_events,
)
from dailies.steps.media_links import confirmation, renewal
from dailies.transfer.transfer import PartialTransfer, TransferRequest, TransferResult, transfer

MAX_BACKOFF = 600  # seconds between two tries: more would waste a link that lives an hour
MAX_RETRY_AFTER = 3600  # that a host may ask for, where its link does not say how long it lives: it may be an hour
PATIENCE = 86_400  # seconds after a medium was found: for so long a provider's rate limit costs none of its tries
LAST_CHANCE_SECONDS = 60  # before a link dies there is a try, however long the pause would be
SAME_LENGTH_SECONDS = 0.5  # by which a provider's word and the medium's header may differ: half a second, or 2 %

type Failure = TransferError | ApiError | AwsUnavailable
"""What ends an attempt without an archived medium: of the media host, the provider's API, or AWS."""


@dataclass(frozen=True, slots=True)
class Archiver:
    """What the archive works with. `only_hosts`: by provider whose deliveries prove no links, where to fetch from."""

    table: Table
    bucket: Bucket
    queue: WorkQueue
    failures: FailureQueue
    telemetry: Telemetry
    providers: Mapping[str, Provider]
    apis: Mapping[str, Api]
    network: Network
    private_hosts: frozenset[str]
    only_hosts: Mapping[str, frozenset[str]]
    max_attempts: int
    first_pause: float
    max_bytes: int
    retention_days: int


def archive(desk: Archiver, message: Mapping[str, Any], *, seconds: float) -> bool:
    """Work off one queue message within `seconds`. True where it is done with: archived, given up or queued anew;
    False where it comes again, after a pause.

    A try is one that has a receipt. SQS counts the receives besides, which may be more: also that Lambda was throttled,
    or AWS did not answer, is one. But it begins anew with a message that is brought back."""
    tries = received = int(message["attributes"]["ApproximateReceiveCount"])
    wanted = None
    try:
        wanted = _look_up(desk, message)
        if wanted is None or wanted.archived:
            return True
        tries = min(received, wanted.tries + 1)
        try:
            receipt, error = _try(desk, wanted, tries, seconds)
        except RateLimitReached as full:
            return _queued_anew(desk, message, wanted, full)
        _record(desk, [receipt_event(wanted, receipt)])
    except (BotoCoreError, ClientError) as problem:
        job_id = wanted.job_id if wanted else ""
        about = {"error": aws_problem(problem), "message_id": message["messageId"], "job_id": job_id}
        desk.telemetry.log.error("AWS did not answer", extra=about)
        return _come_again(desk, message, tries, wanted)
    if receipt.state == "pending":
        return _come_again(desk, message, tries, wanted, error)
    if receipt.state == "failed":
        desk.failures.put(message["body"], reason=receipt.reason)
    return True


def _look_up(desk: Archiver, message: Mapping[str, Any]) -> ArchiveItem | None:
    """What the message names; a message that names nothing goes to the failure queue, whole."""
    try:
        wanted = from_message(message["body"], desk.providers)
    except (KeyError, TypeError, ValueError) as error:
        desk.failures.put(message["body"], reason=f"names no medium: {type(error).__name__}")
        desk.telemetry.count("Failed", {"reason": "names no medium"})
        return None
    return with_events(wanted, desk.table.events(wanted.provider.name, wanted.job_id), time.time())


def _try(desk: Archiver, wanted: ArchiveItem, tries: int, seconds: float) -> tuple[Receipt, Failure | None]:
    """What one try comes to, told and counted; and what went wrong with it. RateLimitReached where the provider's rate
    limit is to be waited for."""
    started = time.monotonic()
    try:
        done, link = _transfer(desk, wanted, seconds)
        if isinstance(done, TransferResult):
            _list(desk, wanted, done)
    except (TransferError, ApiError, AwsUnavailable) as error:
        if isinstance(error, RateLimitReached) and _waited(wanted) < PATIENCE:
            raise
        return _not_stored(desk, wanted, _after(error, tries, desk.max_attempts), error.reason), error
    if isinstance(done, PartialTransfer):
        reason = f"stopped with {done.parts} parts when the time was over; goes on from there"
        return _not_stored(desk, wanted, "pending" if tries < desk.max_attempts else "failed", reason), None
    at = timestamps.now()
    _tell(desk, wanted, "archived", _measured(wanted, link, done, at, time.monotonic() - started))
    return _archived(wanted, done, at), None


def _archived(wanted: ArchiveItem, done: TransferResult, at: timestamps.Timestamp) -> Receipt:
    facts = done.facts
    return Receipt(
        role=wanted.role,
        media_id=wanted.media_id,
        state="archived",
        at=at,
        source_host=done.source_host,
        key=done.key,
        version_id=done.version_id,
        bytes=done.bytes,
        checksum=done.checksum,
        content_type=done.content_type,
        seconds=round(Decimal(facts.duration), 3) if facts.duration else None,
        width=facts.width or 0,
        height=facts.height or 0,
        note=_note(wanted, facts.duration),
    )


def _transfer(
    desk: Archiver, wanted: ArchiveItem, seconds: float
) -> tuple[TransferResult | PartialTransfer, MediaLink]:
    """By the newest link; where that is dead, by a fresh one; which it was, is told too. Links that no delivery proves
    are not followed where the provider can be asked: its own are, once it has confirmed the delivery."""
    until = time.monotonic() + seconds
    uploads = [wanted.upload]  # the last one is gone on with, also where the link died in its middle

    def began(upload: Upload) -> None:
        _record(desk, [upload_event(wanted, upload)])
        uploads.append(upload)

    def follow(link: MediaLink, *, proven: bool) -> tuple[TransferResult | PartialTransfer, MediaLink]:
        order = _order(desk, wanted, link, until - time.monotonic(), proven=proven)
        return transfer(replace(order, began=began, resume=uploads[-1]), desk.bucket), link

    if not wanted.provider.links_are_proven and _may_ask(desk, wanted):
        return follow(_confirmed(desk, wanted), proven=True)
    try:
        if wanted.link is None:
            raise LinkDead("no recorded event has a link to it")
        return follow(wanted.link, proven=wanted.provider.links_are_proven)
    except LinkDead:
        fresh = _renewed(desk, wanted)
        if fresh is None:
            raise
        return follow(fresh, proven=True)


def _may_ask(desk: Archiver, wanted: ArchiveItem) -> bool:
    api = desk.apis.get(wanted.provider.name)
    return api is not None and api.credentials() is not None


def _renewed(desk: Archiver, wanted: ArchiveItem) -> MediaLink | None:
    """A fresh link from the provider, recorded; None where it has none or may not be asked. ApiError where it did not
    answer this time."""
    if wanted.role not in wanted.provider.link_refresh or not _may_ask(desk, wanted):
        return None
    event = renewal(desk.apis[wanted.provider.name], wanted)
    if event is None:
        return None
    _record(desk, [event])
    return event.media[0] if event.media else None


def _confirmed(desk: Archiver, wanted: ArchiveItem) -> MediaLink:
    """The provider's own link, where its API says of the job what the delivery said. Contradicted where it does not:
    recorded and counted. ApiUnavailable where it may only not have heard of it yet."""
    event = confirmation(desk.apis[wanted.provider.name], wanted)
    _record(desk, [event])
    if event.contradiction:
        about = {"job_id": wanted.job_id}
        desk.telemetry.count("ReadBackMismatches", {"provider": wanted.provider.name}, {}, fields=about)
        raise Contradicted(event.contradiction)
    return event.media[0]


def _order(desk: Archiver, wanted: ArchiveItem, link: MediaLink, seconds: float, *, proven: bool) -> TransferRequest:
    provider = wanted.provider
    only = None if proven else desk.only_hosts.get(provider.name, frozenset())
    listing = provider.manifests.get(wanted.role)
    return TransferRequest(
        url=link.url,
        ways=FetchPolicy(private=desk.private_hosts, only=only),
        network=desk.network,
        kinds=provider.roles[wanted.role],
        key=wanted.key,
        metadata={
            "provider": provider.name,
            "webhook": wanted.webhook,
            "job-id": name_in_key(wanted.job_id),  # metadata are ASCII, and end at 2 KB
            "role": wanted.role,
            "found-at": wanted.found_at,
        },
        max_bytes=desk.max_bytes,
        seconds=seconds,
        reads=(lambda line: any(listing.read(iter([line]), wanted.job_id))) if listing else None,
    )


def _after(error: Failure, tries: int, max_attempts: int) -> MediaState:
    """Where a medium stands after a try that did not succeed."""
    match error:
        case MediumRefused():
            return "failed"
        case _ if tries < max_attempts:
            return "pending"
        case LinkDead():
            return "lost"
        case _:
            return "failed"


def _not_stored(desk: Archiver, wanted: ArchiveItem, state: MediaState, reason: str) -> Receipt:
    _tell(desk, wanted, state, problem=reason)
    return Receipt(role=wanted.role, media_id=wanted.media_id, state=state, at=timestamps.now(), reason=reason)


def _note(wanted: ArchiveItem, duration: float | None) -> str:
    """What a person should know of a medium that is stored all the same."""
    said = float(wanted.link.seconds) if wanted.link and wanted.link.seconds is not None else None
    if said is None or duration is None or abs(said - duration) <= max(SAME_LENGTH_SECONDS, said * 0.02):
        return ""
    return f"the provider said that it plays {said:g} s"


def _list(desk: Archiver, wanted: ArchiveItem, stored: TransferResult) -> None:
    """Record the events of other jobs that it lists: before its receipt, so that none is missed. MediumRefused where it
    lists none that can be read, as no object is overwritten: one that was there already."""
    listing = wanted.provider.manifests.get(wanted.role)
    if listing is None:
        return
    if not _record(desk, manifest_events(wanted, listing, desk.bucket.lines(stored.key, stored.version_id))):
        raise MediumRefused("no row of the object that is there could be read")


def _record(desk: Archiver, events: Iterable[Event]) -> int:
    """Put the events that are not there yet; how many were given."""
    count = 0
    for count, event in enumerate(events, start=1):  # noqa: B007  the last number is the answer
        desk.table.record(event, retention_days=desk.retention_days, written_by="archive")
    return count


def _come_again(
    desk: Archiver,
    message: Mapping[str, Any],
    tries: int,
    wanted: ArchiveItem | None,
    error: Failure | None = None,
) -> bool:
    """Leave the message in the queue: after a pause that doubles, or the longer one that the host asked for, but not
    beyond the link's last chance.

    From the last chance on the pauses are the usual ones: short ones would use up the tries while the host still fails,
    and a try behind the link's end is one that asks for a fresh link, or says that it is `lost`. Nor does the link's
    life matter where it is the provider's API that is waited for: it gives a link with its answer.
    """
    pause = min(MAX_BACKOFF, desk.first_pause * 2 ** (tries - 1)) * random.uniform(0.8, 1.2)  # noqa: S311  no secret
    pause = max(pause, min(MAX_RETRY_AFTER, error.retry_after if isinstance(error, HostFailed | ApiError) else 0))
    left = _left(wanted.link) if wanted and wanted.link else None
    if left is not None and left > LAST_CHANCE_SECONDS and not isinstance(error, RateLimited):
        pause = min(pause, left - LAST_CHANCE_SECONDS)
    desk.queue.wait(message["receiptHandle"], max(1, round(pause)))
    return False


def _queued_anew(desk: Archiver, message: Mapping[str, Any], wanted: ArchiveItem, full: RateLimitReached) -> bool:
    """Put the message into the queue anew, and be done with this one: SQS counts the receives from the beginning, so
    that waiting for a rate limit, which many media may share, uses up no tries. How long the link lives does not matter
    here: it is dead, or the provider gives its own. The pauses grow with the wait: a crowd that waits costs little."""
    _record(desk, [receipt_event(wanted, _not_stored(desk, wanted, "pending", full.reason))])
    pause = max(full.retry_after, _waited(wanted) * random.uniform(0.1, 0.3))  # noqa: S311  no secret
    desk.queue.put(message["body"], delay=round(pause))
    return True


def _waited(wanted: ArchiveItem) -> float:
    """Seconds since the medium was found; for ever where nothing recorded says when."""
    return time.time() - timestamps.seconds(wanted.found_at) if wanted.found_at else float("inf")


def _left(link: MediaLink) -> float | None:
    """Seconds until the link dies; None where it does not say when."""
    died = links.expires_at(link.url)
    return timestamps.seconds(died) - time.time() if died else None


def _measured(
    wanted: ArchiveItem, link: MediaLink, stored: TransferResult, at: timestamps.Timestamp, seconds: float
) -> dict[str, float]:
    """What is measured of an archived medium; its wait only where a recorded event says since when, its margin only
    where the link says until when."""
    measured = {"MediaBytes": stored.bytes, "TransferSeconds": seconds}
    if wanted.found_at:
        measured["DeliveryToArchivedSeconds"] = max(0.0, timestamps.seconds(at) - timestamps.seconds(wanted.found_at))
    if (left := _left(link)) is not None:
        measured["LinkMarginSeconds"] = left
    return measured


def _tell(
    desk: Archiver, wanted: ArchiveItem, result: str, measured: Mapping[str, float] | None = None, problem: str = ""
) -> None:
    fields = {"job_id": wanted.job_id, "role": wanted.role, "media_id": wanted.media_id, "problem": problem}
    desk.telemetry.count(
        "Archives",
        {"provider": wanted.provider.name, "result": result},
        {},  # over all: what the alarms watch
        fields={name: text for name, text in fields.items() if text},
        **(measured or {}),
    )
