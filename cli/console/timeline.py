"""A job's story in words: what happened, when, how it was proven, and what the bus was told of it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.console import formats
from cli.console.rendering import url
from cli.timeline import Step, Story
from dailies.jobs import links
from dailies.jobs.models import Event, MediaState, Origin, Receipt
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `kind` is the event's origin, `word` a status or a medium's state, shown as such."""

    event_id: str
    kind: str
    at: Timestamp
    title: str
    word: str
    lines: tuple[str, ...]
    queued: tuple[str, ...]
    told: tuple[str, ...]
    has_payload: bool
    payload_url: str


TITLES: dict[Origin, str] = {  # the archive's own events have a receipt or an upload
    "webhook": "{who} called",
    "poll": "{who} was asked",
    "batch": "Listed by its batch",
    "track": "Submitted by your own system",
}
# What a try that did not succeed means for what follows.
FOLLOWS: dict[MediaState, str] = {
    "archived": "",
    "pending": "It is tried again.",
    "failed": "Given up for now; redrive may help.",
    "lost": "Its link is dead, and the provider has no fresh one.",
}


def entries(told: Story) -> Sequence[Entry]:
    """The steps of a story as entries, oldest first."""
    return [_entry(step) for step in told.steps]


def _entry(step: Step) -> Entry:
    event = step.event
    return Entry(
        event_id=event.event_id,
        kind=event.origin,
        at=step.at,
        title=_title(event),
        word=event.receipt.state if event.receipt else "" if event.upload else event.status,
        lines=tuple(_lines(event)),
        queued=tuple(item.detail["media"][0]["role"] for item in step.queued),
        told=tuple(item.detail_type for item in step.told),
        has_payload=event.origin != "archive",
        payload_url=url("/said", provider=event.provider, id=event.job_id, event=event.event_id),
    )


def _title(event: Event) -> str:
    who = event.provider.capitalize()
    if event.receipt and event.origin == "poll":
        return f"{who} was asked for the {event.receipt.role}’s link"
    if event.receipt:
        return f"Archiving the {event.receipt.role}"
    if event.upload:
        return "A large upload has begun"
    return TITLES[event.origin].format(who=who)


def _lines(event: Event) -> Iterator[str]:
    if event.provider_status and event.provider_status != event.status:
        yield f"In its words: {event.provider_status}"
    if event.occurred_at:
        yield f"By its clock: {formats.moment(event.occurred_at)}"
    if event.proof:
        yield f"Proven by {event.proof}"
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
        served = f" from {receipt.source_host}" if receipt.source_host else ""
        yield f"{formats.size(receipt.bytes)}{served}, {receipt.content_type}"
        yield f"Checksum {receipt.checksum}"
    elif receipt.reason:
        yield receipt.reason[:1].upper() + receipt.reason[1:]
    if FOLLOWS[receipt.state]:
        yield FOLLOWS[receipt.state]
    if receipt.note:
        yield receipt.note
