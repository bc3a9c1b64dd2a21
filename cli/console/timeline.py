"""A job's timeline in words: each event with its verification, and what was announced. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli import formats
from cli.console.rendering import url
from cli.timeline import Step, Timeline
from dailies.jobs import links
from dailies.jobs.models import Event, MediaState, Origin, Receipt
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `kind` is the event's origin, `state` the job's status or the medium's state."""

    event_id: str
    kind: str
    at: Timestamp
    title: str
    state: str
    lines: tuple[str, ...]
    queued: tuple[str, ...]
    announced: tuple[str, ...]
    has_payload: bool
    payload_url: str


TITLES: dict[Origin, str] = {  # the archive's events are titled by their receipt or upload
    "webhook": "Delivery from {provider}",
    "poll": "Polled from {provider}",
    "batch": "Listed in its batch’s result",
    "track": "Submitted by your system",
}
# What follows from each state.
FOLLOWS: dict[MediaState, str] = {
    "archived": "",
    "pending": "The archive will retry.",
    "failed": "Failed; redrive to try again.",
    "lost": "The link has expired, and the provider has no new one.",
}


def entries(of: Timeline) -> Sequence[Entry]:
    """The steps of a timeline as entries, oldest first."""
    return [_entry(step) for step in of.steps]


def _entry(step: Step) -> Entry:
    event = step.event
    return Entry(
        event_id=event.event_id,
        kind=event.origin,
        at=step.at,
        title=_title(event),
        state=event.receipt.state if event.receipt else "" if event.upload else event.status,
        lines=tuple(_lines(event)),
        queued=tuple(item.detail["media"][0]["role"] for item in step.queued),
        announced=tuple(item.detail_type for item in step.announced),
        has_payload=event.origin != "archive",
        payload_url=url("/payload", provider=event.provider, id=event.job_id, event=event.event_id),
    )


def _title(event: Event) -> str:
    provider = event.provider.capitalize()
    if event.receipt and event.origin == "poll":
        return f"New link to the {event.receipt.role} from {provider}"
    if event.receipt:
        return f"Archiving the {event.receipt.role}"
    if event.upload:
        return "Multipart upload started"
    return TITLES[event.origin].format(provider=provider)


def _lines(event: Event) -> Iterator[str]:
    if event.provider_status and event.provider_status != event.status:
        yield f"Provider’s status: {event.provider_status}"
    if event.occurred_at:
        yield f"Provider’s time: {formats.full_time(event.occurred_at)}"
    if event.proof:
        yield f"Verified by {event.proof}"
    for medium in event.media:
        yield f"Found {medium.role} {medium.media_id} on {links.host(medium.url) or 'no host'}"
    if event.error:
        yield f"Error {event.error.code}: {event.error.message}".rstrip(": ")
    if event.receipt:
        yield from _of_receipt(event.receipt)
    if event.upload:
        yield f"{formats.size(event.upload.total)} in parts of {formats.size(event.upload.part_bytes)}"


def _of_receipt(receipt: Receipt) -> Iterator[str]:
    if receipt.state == "archived":
        source = f" from {receipt.source_host}" if receipt.source_host else ""
        yield f"{formats.size(receipt.bytes)}{source}, {receipt.content_type}"
        yield f"Checksum {receipt.checksum}"
    elif receipt.reason:
        yield receipt.reason[:1].upper() + receipt.reason[1:]
    if FOLLOWS[receipt.state]:
        yield FOLLOWS[receipt.state]
    if receipt.note:
        yield receipt.note
