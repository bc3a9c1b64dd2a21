"""A medium to be archived: read from its queue message and the job's events, and the events that a run adds. No I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import Any

from dailies import timestamps
from dailies.jobs.models import Event, MediaLink, Receipt, Report, Upload, content_digest
from dailies.jobs.new_events import nothing, poll_event
from dailies.jobs.object_keys import media_key
from dailies.jobs.read_back import Claim
from dailies.providers.contract import Provider, ResultManifest
from dailies.timestamps import Timestamp

MAX_RUN_SECONDS = 900  # the function's time limit

type Linked = tuple[Event, MediaLink]
"""An event, and a link in it to the item."""


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """A medium to be archived.

    From the message: `provider`, `webhook`, `job_id`, `role` and `media_id`. From the job's events: the newest `link`
    to it; the `claim` of the newest delivery with a link; `found_at`, when the first link arrived; the `upload` that an
    earlier run has left unfinished; whether it is `archived`; and `attempts`, how many have failed since it was found
    or given up.
    """

    provider: Provider
    webhook: str
    job_id: str
    role: str
    media_id: str
    link: MediaLink | None = None
    claim: Claim | None = None
    found_at: Timestamp = ""
    upload: Upload | None = None
    archived: bool = False
    attempts: int = 0

    def key(self, extension: str) -> str:
        """The key of its object."""
        return media_key(self.provider.name, self.job_id, self.role, self.media_id, extension)

    def matches(self, other: MediaLink | Receipt) -> bool:
        """Whether a link or a receipt of the job is about this medium."""
        return (other.role, other.media_id) == (self.role, self.media_id)


def from_message(body: str, providers: Mapping[str, Provider]) -> ArchiveItem:
    """The medium in a message's body, a `Media Found` event as JSON. KeyError, TypeError or ValueError if it names no
    medium of a known provider."""
    detail = json.loads(body)["detail"]
    (medium,) = detail["media"]
    provider = providers[detail["provider"]]
    provider.roles[medium["role"]]
    return ArchiveItem(provider, detail["webhook"], detail["job_id"], medium["role"], medium["media_id"])


def with_events(item: ArchiveItem, events: Iterable[Event], now: float) -> ArchiveItem:
    """The item with the facts from the job's events, in any order. `now`: seconds since 1970."""
    recorded = sorted(events, key=lambda event: event.received_at)
    linked = [(event, link) for event in recorded for link in event.media if item.matches(link)]
    receipts = [(event, event.receipt) for event in recorded if event.receipt and item.matches(event.receipt)]
    attempts = [
        receipt for event, receipt in receipts if event.origin == "archive"
    ]  # a receipt of another origin says that a run is not over
    return replace(
        item,
        link=_newest_link(linked),
        claim=_newest_claim(linked),
        found_at=linked[0][0].received_at if linked else "",
        upload=_unfinished_upload(item, recorded, attempts, now),
        archived=any(receipt.state == "archived" for _, receipt in receipts),
        attempts=_failed_attempts(attempts),
    )


def _newest_link(linked: Sequence[Linked]) -> MediaLink | None:
    newest = max(linked, key=_by_time_and_url, default=None)
    return newest[1] if newest else None


def _newest_claim(linked: Sequence[Linked]) -> Claim | None:
    """The job as the newest delivery with a link reports it. Only deliveries make claims."""
    delivered = ((event, link) for event, link in linked if event.origin == "webhook")
    newest = max(delivered, key=_by_time_and_url, default=None)
    if newest is None:
        return None
    event, link = newest
    return Claim(link.url, event.provider_status, event.occurred_at or "")


def _by_time_and_url(linked: Linked) -> tuple[Timestamp, str]:
    event, link = linked
    return event.received_at, link.url


def _unfinished_upload(
    item: ArchiveItem, recorded: Iterable[Event], attempts: Iterable[Receipt], now: float
) -> Upload | None:
    """The newest upload of a run that has ended: a receipt followed it, or the function's time limit has passed. Any
    other upload may belong to a run that is not over, as SQS may deliver a message twice."""
    ended_at = max((receipt.at for receipt in attempts), default="")
    ended_at = max(ended_at, timestamps.at(now - MAX_RUN_SECONDS))
    uploads = [
        (event.received_at, event.upload.upload_id, event.upload)
        for event in recorded
        if event.upload and event.upload.key.startswith(item.key("")) and event.received_at < ended_at
    ]
    return max(uploads, key=lambda upload: upload[:2])[2] if uploads else None


def _failed_attempts(attempts: Iterable[Receipt]) -> int:
    """How many of the newest attempts were `pending`."""
    newest_first = sorted(((receipt.at, receipt.state) for receipt in attempts), reverse=True)
    return sum(1 for _ in takewhile(lambda attempt: attempt[1] == "pending", newest_first))


def receipt_event(item: ArchiveItem, receipt: Receipt) -> Event:
    """The result of an attempt."""
    return _archive_event(item, receipt.at, asdict(receipt), receipt=receipt)


def upload_event(item: ArchiveItem, upload: Upload) -> Event:
    """The start of an upload, so that another run can continue it."""
    return _archive_event(item, timestamps.now(), asdict(upload), upload=upload)


def renewal_event(item: ArchiveItem, report: Report, answer: bytes, *, confirms: bool = False) -> Event:
    """The provider's answer when it was asked for a fresh link. `answer`: its bytes. `confirms`: it agrees with the
    delivery.

    A link in the item's role is for this medium, whatever its path; the answer's other media are left out. The receipt
    in the event says that this medium is being tried, so its link is not announced as a new medium.
    """
    media = tuple(replace(medium, renews=item.media_id) for medium in report.media if medium.role == item.role)
    at = timestamps.now()
    receipt = Receipt(role=item.role, media_id=item.media_id, state="pending", at=at, reason="tried by a fresh link")
    return poll_event(
        item.provider.name,
        item.webhook,
        replace(report, media=media),
        answer,
        at=at,
        receipt=receipt,
        contradiction="" if confirms else None,
    )


def contradiction_event(item: ArchiveItem, report: Report | None, answer: bytes, contradiction: str) -> Event:
    """The provider's answer when it contradicts the delivery. The event has its status, but not its links."""
    reported = replace(report, media=()) if report else nothing(item.job_id)
    return poll_event(
        item.provider.name, item.webhook, reported, answer, at=timestamps.now(), contradiction=contradiction
    )


def manifest_events(item: ArchiveItem, manifest: ResultManifest, lines: Iterator[bytes]) -> Iterator[Event]:
    """The events of the other jobs that a stored manifest lists. `lines`: the lines of its object."""
    for report in manifest.read(lines, item.job_id):
        content = {
            "provider": item.provider.name,
            "job_id": report.job_id,
            "status": report.provider_status,
            "media": [medium.url for medium in report.media],
            "error": [report.error.code, report.error.message] if report.error else [],
            "parent": report.parent,
        }
        yield Event.of(
            report,
            event_id=content_digest("batch", content),
            provider=item.provider.name,
            webhook=manifest.webhook,
            origin="batch",
            received_at=timestamps.now(),
            payload=json.dumps(content).encode(),
        )


def _archive_event(item: ArchiveItem, at: Timestamp, content: Mapping[str, Any], **others: Any) -> Event:
    provider, job_id = item.provider.name, item.job_id
    return Event(
        event_id=content_digest("archive", {"provider": provider, "job_id": job_id, **content}),
        provider=provider,
        webhook=item.webhook,
        job_id=job_id,
        status="unknown",  # an attempt says nothing about the job
        provider_status="",
        origin="archive",
        received_at=at,
        **others,
    )
