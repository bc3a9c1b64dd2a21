"""Copy one medium into the bucket, by its newest link or a fresh one, and record the result as an event.

Safe to repeat for the same message: an archived medium stays, an object is never overwritten, receipts merge.
"""

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
from dailies.errors import ApiError, AwsUnavailable, Contradicted, LinkDead, MediumRefused, TransferError, aws_problem
from dailies.jobs import link_expiry
from dailies.jobs.models import Event, MediaLink, MediaState, Receipt, Upload
from dailies.jobs.object_keys import name_in_key
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.provider_api.client import ProviderApi
from dailies.providers.contract import Provider
from dailies.steps.archive_item import (
    ArchiveItem,
    from_message,
    manifest_events,
    receipt_event,
    upload_event,
    with_events,
)
from dailies.steps.archive_retry import Decision, Fail, Failure, Lost, Requeue, Retry, decide
from dailies.steps.media_links import confirmation, renewal
from dailies.transfer.transfer import PartialTransfer, TransferRequest, TransferResult, transfer

SAME_LENGTH_SECONDS = 0.5  # the provider's duration and the header's may differ by this, or by 2 %


@dataclass(frozen=True, slots=True)
class Archiver:
    """Archives media, one per queue message.

    table: has the jobs' events, and takes those of the archive.
    bucket: takes the media.
    queue: the archive's own queue, which the messages come from.
    failures: takes the messages of media that were given up and can be redriven.
    telemetry: the function's metrics and log lines.
    providers: all providers, by name.
    apis: their APIs, by the provider's name.
    network: opens the connections to media hosts.
    private_hosts: host names that may have private addresses.
    only_hosts: the allowed media hosts, by the name of each provider whose deliveries do not prove their links.
    max_attempts: attempts until a medium is given up.
    first_pause: seconds between the first attempt and the second; then doubled.
    max_bytes: larger media are refused.
    retention_days: days after which an event row expires.
    """

    table: Table
    bucket: Bucket
    queue: WorkQueue
    failures: FailureQueue
    telemetry: Telemetry
    providers: Mapping[str, Provider]
    apis: Mapping[str, ProviderApi]
    network: Network
    private_hosts: frozenset[str]
    only_hosts: Mapping[str, frozenset[str]]
    max_attempts: int
    first_pause: float
    max_bytes: int
    retention_days: int

    def archive(self, message: Mapping[str, Any], *, seconds: float) -> bool:
        """Work on a message of SQS for at most `seconds`.

        `message`: a record of Lambda's SQS event, of which `messageId`, `receiptHandle`, `body` (a `Media Found` event
        as JSON) and `attributes.ApproximateReceiveCount` are read. True if the message is done: archived, given up or
        queued again. False if SQS is to show it again.

        Each attempt leaves a receipt. SQS counts receives, and may count more: those in which Lambda was throttled or
        AWS did not answer. After a redrive it counts from 0 again. So the lower of the two numbers is used.
        """
        received = attempt = int(message["attributes"]["ApproximateReceiveCount"])
        item, receipt = None, None
        try:
            item = self._look_up(message)
            if item is None or item.archived:
                return True
            attempt = min(received, item.attempts + 1)
            receipt, decision = self._attempt(item, attempt, seconds)
            self._record([receipt_event(item, receipt)])
            if isinstance(decision, Requeue):
                self.queue.put(message["body"], delay=round(decision.delay))
        except (BotoCoreError, ClientError) as problem:
            job_id = item.job_id if item else ""
            about = {"error": aws_problem(problem), "message_id": message["messageId"], "job_id": job_id}
            self.telemetry.log.error("AWS did not answer", extra=about)
            decision = self._decide(problem, attempt, item)
        if isinstance(decision, Retry):
            self.queue.wait(message["receiptHandle"], max(1, round(decision.delay)))
            return False
        if isinstance(decision, Fail):
            self.failures.put(message["body"], reason=receipt.reason if receipt else "")
        return True

    def _look_up(self, message: Mapping[str, Any]) -> ArchiveItem | None:
        """The message's medium with its recorded events. A message that names no medium goes to the failure queue."""
        try:
            item = from_message(message["body"], self.providers)
        except (KeyError, TypeError, ValueError) as error:
            self.failures.put(message["body"], reason=f"names no medium: {type(error).__name__}")
            self.telemetry.count("Failed", {"reason": "names no medium"})
            return None
        return with_events(item, self.table.events(item.provider.name, item.job_id), time.time())

    def _attempt(self, item: ArchiveItem, attempt: int, seconds: float) -> tuple[Receipt, Decision | None]:
        """Try once. Returns the receipt to record and the decision, None if the medium is archived."""
        started = time.monotonic()
        try:
            done, link = self._transfer(item, seconds)
            if isinstance(done, TransferResult):
                self._record_manifest(item, done)
        except (TransferError, ApiError, AwsUnavailable) as error:
            return self._not_archived(item, self._decide(error, attempt, item), error.reason)
        if isinstance(done, PartialTransfer):
            reason = f"stopped with {done.parts} parts when the time was over; goes on from there"
            return self._not_archived(item, self._decide(None, attempt, item), reason)
        at = timestamps.now()
        self._count(item, "archived", _measured(item, link, done, at, time.monotonic() - started))
        return _archived_receipt(item, done, at), None

    def _decide(
        self, error: Failure | BotoCoreError | ClientError | None, attempt: int, item: ArchiveItem | None
    ) -> Decision:
        return decide(
            error,
            attempt,
            max_attempts=self.max_attempts,
            first_pause=self.first_pause,
            link_expires_at=_expires_at(item, item.link) if item and item.link else None,
            found_at=timestamps.seconds(item.found_at) if item and item.found_at else None,
            now=time.time(),
        )

    def _not_archived(self, item: ArchiveItem, decision: Decision, reason: str) -> tuple[Receipt, Decision]:
        state = _state(decision)
        self._count(item, state, problem=reason)
        at = timestamps.now()
        return Receipt(role=item.role, media_id=item.media_id, state=state, at=at, reason=reason), decision

    def _transfer(self, item: ArchiveItem, seconds: float) -> tuple[TransferResult | PartialTransfer, MediaLink]:
        """Transfer by the newest link, or by a fresh one if that is dead; the result and the link that was used.

        A provider's unsigned deliveries do not prove their links. If its API can be called, only the links that the API
        gives are used, after it has confirmed the delivery.
        """
        until = time.monotonic() + seconds
        uploads = [item.upload]  # the last one is continued, even if the link expired during it

        def on_upload(upload: Upload) -> None:
            self._record([upload_event(item, upload)])
            uploads.append(upload)

        def follow(link: MediaLink, *, proven: bool) -> tuple[TransferResult | PartialTransfer, MediaLink]:
            request = self._request(item, link, until - time.monotonic(), proven=proven)
            return transfer(replace(request, on_upload=on_upload, resume=uploads[-1]), self.bucket), link

        if not item.provider.links_are_proven and self._has_api(item):
            return follow(self._confirmed_link(item), proven=True)
        try:
            if item.link is None:
                raise LinkDead("no recorded event has a link to it")
            return follow(item.link, proven=item.provider.links_are_proven)
        except LinkDead:
            fresh = self._fresh_link(item)
            if fresh is None:
                raise
            return follow(fresh, proven=True)

    def _has_api(self, item: ArchiveItem) -> bool:
        """Whether the owner has set credentials for the provider's API."""
        api = self.apis.get(item.provider.name)
        return api is not None and api.credentials() is not None

    def _fresh_link(self, item: ArchiveItem) -> MediaLink | None:
        """Get a fresh link from the provider's API, and record its answer. None if the API has none or cannot be
        called. ApiError if it does not answer."""
        if item.role not in item.provider.link_refresh or not self._has_api(item):
            return None
        event = renewal(self.apis[item.provider.name], item)
        if event is None:
            return None
        self._record([event])
        return event.media[0] if event.media else None

    def _confirmed_link(self, item: ArchiveItem) -> MediaLink:
        """Get the link from the provider's API, and record its answer. Contradicted if the API contradicts the
        delivery; this is counted. ApiUnavailable if it may not know of the delivery yet."""
        event = confirmation(self.apis[item.provider.name], item)
        self._record([event])
        if event.contradiction:
            about = {"job_id": item.job_id}
            self.telemetry.count("ReadBackMismatches", {"provider": item.provider.name}, {}, fields=about)
            raise Contradicted(event.contradiction)
        return event.media[0]

    def _request(self, item: ArchiveItem, link: MediaLink, seconds: float, *, proven: bool) -> TransferRequest:
        provider = item.provider
        only = None if proven else self.only_hosts.get(provider.name, frozenset())
        manifest = provider.manifests.get(item.role)
        return TransferRequest(
            url=link.url,
            policy=FetchPolicy(private=self.private_hosts, only=only),
            network=self.network,
            kinds=provider.roles[item.role],
            key=item.key,
            metadata={
                "provider": provider.name,
                "webhook": item.webhook,
                "job-id": name_in_key(item.job_id),  # metadata are ASCII, at most 2 KB
                "role": item.role,
                "found-at": item.found_at,
            },
            max_bytes=self.max_bytes,
            seconds=seconds,
            reads=(lambda line: any(manifest.read(iter([line]), item.job_id))) if manifest else None,
        )

    def _record_manifest(self, item: ArchiveItem, stored: TransferResult) -> None:
        """Record the events of the jobs that a stored manifest lists, before its receipt, so that none is missed.
        MediumRefused if no row can be parsed: an existing object with another content is not overwritten."""
        manifest = item.provider.manifests.get(item.role)
        if manifest is None:
            return
        if not self._record(manifest_events(item, manifest, self.bucket.lines(stored.key, stored.version_id))):
            raise MediumRefused("no row of the object that is there could be read")

    def _record(self, events: Iterable[Event]) -> int:
        """Record the events that are not recorded yet. Returns the number of all given events."""
        count = 0
        for count, event in enumerate(events, start=1):  # noqa: B007  the last number is the result
            self.table.record(event, retention_days=self.retention_days, written_by="archive")
        return count

    def _count(
        self, item: ArchiveItem, result: str, measured: Mapping[str, float] | None = None, problem: str = ""
    ) -> None:
        """Write the attempt's log line, which is also its metric."""
        fields = {"job_id": item.job_id, "role": item.role, "media_id": item.media_id, "problem": problem}
        self.telemetry.count(
            "Archives",
            {"provider": item.provider.name, "result": result},
            {},  # for all providers: the alarms watch this one
            fields={name: text for name, text in fields.items() if text},
            **(measured or {}),
        )


def _state(decision: Decision) -> MediaState:
    """The state of a medium in its job's row after a failed attempt."""
    match decision:
        case Retry() | Requeue():
            return "pending"
        case Lost():
            return "lost"
        case Fail():
            return "failed"


def _archived_receipt(item: ArchiveItem, stored: TransferResult, at: timestamps.Timestamp) -> Receipt:
    facts = stored.media_info
    return Receipt(
        role=item.role,
        media_id=item.media_id,
        state="archived",
        at=at,
        source_host=stored.source_host,
        key=stored.key,
        version_id=stored.version_id,
        bytes=stored.bytes,
        checksum=stored.checksum,
        content_type=stored.content_type,
        seconds=round(Decimal(facts.duration), 3) if facts.duration else None,
        width=facts.width or 0,
        height=facts.height or 0,
        note="; ".join(filter(None, (_note(item, facts.duration), _behind(facts.trailing)))),
    )


def _note(item: ArchiveItem, duration: float | None) -> str:
    """A remark on a medium that is archived nevertheless: its duration is not the one that the provider gave."""
    reported = float(item.link.seconds) if item.link and item.link.seconds is not None else None
    if reported is None or duration is None or abs(reported - duration) <= max(SAME_LENGTH_SECONDS, reported * 0.02):
        return ""
    return f"the provider said that it plays {reported:g} s"


def _behind(trailing: int) -> str:
    """A remark on what follows a complete medium, such as the video of a motion photo."""
    return f"{trailing} bytes follow its end" if trailing else ""


def _expires_at(item: ArchiveItem, link: MediaLink) -> float | None:
    """When the link expires, in seconds since 1970; None if it does not say."""
    at = link_expiry.expires_at(link.url, item.found_at)
    return timestamps.seconds(at) if at else None


def _measured(
    item: ArchiveItem, link: MediaLink, stored: TransferResult, at: timestamps.Timestamp, seconds: float
) -> dict[str, float]:
    """The metrics of an archived medium. The time since it was found needs a recorded event, the margin needs a link
    with an expiry."""
    measured = {"MediaBytes": stored.bytes, "TransferSeconds": seconds}
    if item.found_at:
        measured["DeliveryToArchivedSeconds"] = max(0.0, timestamps.seconds(at) - timestamps.seconds(item.found_at))
    if (expires_at := _expires_at(item, link)) is not None:
        measured["LinkMarginSeconds"] = expires_at - time.time()
    return measured
