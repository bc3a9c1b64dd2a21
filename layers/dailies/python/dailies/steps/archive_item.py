"""The medium that a queue message names, what the job's events know of it, what a run adds to them. No I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import Any

from dailies import timestamps
from dailies.jobs.models import Event, MediaLink, MediaState, Receipt, Report, Upload, content_digest
from dailies.jobs.new_events import nothing, poll_event
from dailies.jobs.object_keys import media_key
from dailies.jobs.read_back import Claim
from dailies.providers.contract import Provider, ResultManifest
from dailies.timestamps import Timestamp

MAX_RUN_SECONDS = 900  # seconds: the function's time limit


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """A medium to be archived.

    From the message: whose it is. From the job's events: its newest link, what the newest delivery with one claims,
    when it was found first, how long the provider says that it plays, the upload that an earlier run has left, whether
    it is archived, how many tries since it was found or given up have come to nothing.
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
    tries: int = 0

    def key(self, extension: str) -> str:
        """Where its object goes."""
        return media_key(self.provider.name, self.job_id, self.role, self.media_id, extension)


def from_message(body: str, providers: Mapping[str, Provider]) -> ArchiveItem:
    """The medium that a message names, which is a `Media Found` of the bus. KeyError, TypeError or ValueError where it
    names none of a provider's."""
    detail = json.loads(body)["detail"]
    (medium,) = detail["media"]
    provider = providers[detail["provider"]]
    provider.roles[medium["role"]]
    return ArchiveItem(provider, detail["webhook"], detail["job_id"], medium["role"], medium["media_id"])


def with_events(wanted: ArchiveItem, events: Iterable[Event], now: float) -> ArchiveItem:
    """The same with what the events know of it. `now`: seconds since 1970.

    A queue may hand out a message twice, and runs may go on beside each other. So an upload counts as left only where
    its run is over: a receipt came after it, or the function's time has. Any other one is its own run's.
    """
    links: list[tuple[Timestamp, str, MediaLink]] = []
    claims: list[tuple[Timestamp, str, Claim]] = []
    uploads: list[tuple[Timestamp, str, Upload]] = []
    outcomes: list[tuple[Timestamp, MediaState]] = []
    tried = timestamps.at(now - MAX_RUN_SECONDS)
    archived = False
    prefix = wanted.key("")
    for event in events:
        for medium in event.media:
            if (medium.role, medium.media_id) == (wanted.role, wanted.media_id):
                links.append((event.received_at, medium.url, medium))
                if event.origin == "webhook":
                    claim = Claim(medium.url, event.provider_status, event.occurred_at or "")
                    claims.append((event.received_at, medium.url, claim))
        if event.upload and event.upload.key.startswith(prefix):
            uploads.append((event.received_at, event.upload.upload_id, event.upload))
        receipt = event.receipt
        if receipt and (receipt.role, receipt.media_id) == (wanted.role, wanted.media_id):
            archived |= receipt.state == "archived"
            if event.origin == "archive":  # a renewal's says that a run goes on
                tried = max(tried, receipt.at)
                outcomes.append((receipt.at, receipt.state))
    left = [found for found in uploads if found[0] < tried]
    newest_first = (state for _, state in sorted(outcomes, reverse=True))
    return replace(
        wanted,
        link=max(links)[2] if links else None,
        claim=max(claims, key=lambda found: found[:2])[2] if claims else None,
        found_at=min(links)[0] if links else "",
        upload=max(left)[2] if left else None,
        archived=archived,
        tries=sum(1 for _ in takewhile(lambda state: state == "pending", newest_first)),
    )


def receipt_event(wanted: ArchiveItem, receipt: Receipt) -> Event:
    """What a try came to."""
    return _archive_event(wanted, receipt.at, asdict(receipt), receipt=receipt)


def upload_event(wanted: ArchiveItem, upload: Upload) -> Event:
    """That an upload was begun, so that another run can go on with it."""
    return _archive_event(wanted, timestamps.now(), asdict(upload), upload=upload)


def renewal_event(wanted: ArchiveItem, report: Report, answer: bytes, *, confirms: bool = False) -> Event:
    """What the provider answered when it was asked for a fresh link. Its link in the wanted role is for the wanted
    medium, whatever its path; of other media it tells nothing new. The receipt beside it says that this one is being
    tried: the link is for the run that asked, not a find to be announced. `confirms`: it agrees with the delivery."""
    media = tuple(replace(medium, renews=wanted.media_id) for medium in report.media if medium.role == wanted.role)
    at = timestamps.now()
    receipt = Receipt(
        role=wanted.role, media_id=wanted.media_id, state="pending", at=at, reason="tried by a fresh link"
    )
    return poll_event(
        wanted.provider.name,
        wanted.webhook,
        replace(report, media=media),
        answer,
        at=at,
        receipt=receipt,
        contradiction="" if confirms else None,
    )


def contradiction_event(wanted: ArchiveItem, report: Report | None, answer: bytes, contradiction: str) -> Event:
    """That the provider's API contradicts the delivery. What it says of the job counts, its links are not followed."""
    reported = replace(report, media=()) if report else nothing(wanted.job_id)
    return poll_event(
        wanted.provider.name, wanted.webhook, reported, answer, at=timestamps.now(), contradiction=contradiction
    )


def manifest_events(wanted: ArchiveItem, listing: ResultManifest, lines: Iterator[bytes]) -> Iterator[Event]:
    """The events of other jobs that a stored medium lists."""
    for report in listing.read(lines, wanted.job_id):
        content = {
            "provider": wanted.provider.name,
            "job_id": report.job_id,
            "status": report.provider_status,
            "media": [medium.url for medium in report.media],
            "error": [report.error.code, report.error.message] if report.error else [],
            "parent": report.parent,
        }
        yield Event.of(
            report,
            event_id=content_digest("batch", content),
            provider=wanted.provider.name,
            webhook=listing.webhook,
            origin="batch",
            received_at=timestamps.now(),
            payload=json.dumps(content).encode(),
        )


def _archive_event(wanted: ArchiveItem, at: Timestamp, content: Mapping[str, Any], **what: Any) -> Event:
    provider, job_id = wanted.provider.name, wanted.job_id
    return Event(
        event_id=content_digest("archive", {"provider": provider, "job_id": job_id, **content}),
        provider=provider,
        webhook=wanted.webhook,
        job_id=job_id,
        status="unknown",  # the archive knows nothing of the work itself
        provider_status="",
        origin="archive",
        received_at=at,
        **what,
    )
