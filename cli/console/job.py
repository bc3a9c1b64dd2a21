"""One job: its media to look at, their receipts, what happened on a time line, and the button that replays it."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cli import payloads
from cli.console import formats, guard, rendering
from cli.console.rendering import url
from cli.console.timeline import entries
from cli.errors import NothingFound
from cli.media import link
from cli.output import counted
from cli.replay import replay
from cli.stats import margin, wait
from cli.timeline import story
from dailies.jobs.models import Job, MediaItem

EVERY = 4  # seconds: one query of one partition


@dataclass(frozen=True, slots=True)
class Screen:
    """A medium as the page shows it: links to look at it and to save it, empty where it is not in the bucket, and what
    its receipt says."""

    of: MediaItem
    url: str
    save: str
    is_picture: bool
    plays: bool
    facts: tuple[tuple[str, str], ...]


def show(request: Request) -> Response:
    """GET /job?provider=...&id=..."""
    job = asked_for(request)
    told = story(rendering.stack_of(request), job)
    media = [screen(job, medium) for medium in job.media]
    return rendering.page(
        request,
        "job",
        every=EVERY,
        section="/",
        job=job,
        media=media,
        why=why(job),
        facts=list(facts(job)),
        parent=job.parent,
        entries=entries(told),
        notice=notice(request),
    )


def medium(request: Request) -> Response:
    """GET /medium?provider=...&id=...&role=...&medium=...: to the bucket, by a link made this moment."""
    job, query = asked_for(request), request.query_params
    for one in job.media:
        if (one.role, one.media_id) == (query.get("role"), query.get("medium")):
            return RedirectResponse(link(rendering.stack_of(request), one, inline="save" not in query), 307)
    raise NothingFound("This job has no such medium.")


def said(request: Request) -> Response:
    """GET /said?provider=...&id=...&event=...: an event's payload, as a page or as a part of the job's."""
    stack, query = rendering.stack_of(request), request.query_params
    provider, job_id, event_id = query.get("provider", ""), query.get("id", ""), query.get("event", "")
    text = formats.payload(payloads.of_event(stack, provider, job_id, event_id))
    if "hx-request" in request.headers:
        return HTMLResponse(rendering.TEMPLATES.get_template("live/payload.html").render(text=text))
    return rendering.page(request, "payload", section="/", provider=provider, job_id=job_id, text=text)


async def replayed(request: Request) -> Response:
    """POST /replay"""
    fields = await guard.approve(request)
    done = await run_in_threadpool(replay, rendering.stack_of(request), fields["provider"], fields["id"])
    where = url(
        "/job",
        provider=done.job.provider,
        id=done.job.job_id,
        done="changed" if done.changed else "same",
        events=done.events,
        told=len(done.told),
    )
    return RedirectResponse(where, 303)


def asked_for(request: Request) -> Job:
    """The job that the query names."""
    provider, job_id = (request.query_params.get(name, "") for name in ("provider", "id"))
    job = rendering.stack_of(request).table.job(provider, job_id) if provider and job_id else None
    if job is None:
        raise NothingFound("There is no such job.")
    return job


def notice(request: Request) -> str:
    """What the replay that led here came to; its words are ours, whatever the link says."""
    query = request.query_params
    if (
        query.get("done") not in {"changed", "same"}
        or not (query.get("events", "") + query.get("told", "")).isdecimal()
    ):
        return ""
    events, told = int(query.get("events") or 0), int(query.get("told") or 0)
    changed = "and the job has changed" if query["done"] == "changed" else "and the job was right already"
    return (
        f"Replayed: {counted(events, 'recorded event')} merged again, {changed}; "
        f"the bus was told {counted(told, 'thing')} again."
    )


def why(job: Job) -> str:
    """Why a person should look, where that is so."""
    if job.stage != "attention":
        return ""
    if job.confirmation.contradiction:
        return f"The provider’s API says otherwise: {job.confirmation.contradiction}."
    if job.is_silent:
        return "Nothing was heard of it for longer than it should take."
    if not job.media:
        return "It is completed, but no medium was named."
    given_up = sorted({medium.role for medium in job.media if medium.state in {"failed", "lost"}})
    return f"Not in the bucket: {', '.join(given_up)}. The reason stands with the medium."


def facts(job: Job) -> Iterator[tuple[str, str]]:
    """What else is known of the job."""
    yield "First seen", formats.moment(job.first_seen_at)
    yield "Latest news", formats.moment(job.updated_at)
    if job.occurred_at:
        yield f"By {job.provider.capitalize()}’s clock", formats.moment(job.occurred_at)
    if job.credits is not None:
        yield "Credits", f"{job.credits:f}"
    if job.reconciled_at:
        yield "Last asked about", formats.moment(job.reconciled_at)
    yield "Writes of its row", str(job.version)


def screen(job: Job, medium: MediaItem) -> Screen:
    """A medium as the page shows it."""
    there = medium.state == "archived"
    return Screen(
        of=medium,
        url=medium_url(job, medium) if there else "",
        save=f"{medium_url(job, medium)}&save=1" if there else "",
        is_picture=medium.receipt is not None and medium.receipt.content_type.startswith("image/"),
        plays=plays(medium),
        facts=tuple(receipt_facts(medium)),
    )


def receipt_facts(medium: MediaItem) -> Iterator[tuple[str, str]]:
    """What a medium's receipt says, and what was known of its link."""
    receipt = medium.receipt
    if receipt and medium.state == "archived":
        yield "Size", f"{formats.size(receipt.bytes)} ({receipt.bytes:,} bytes)"
        if receipt.seconds is not None:
            yield "Plays for", formats.span(receipt.seconds)
        if receipt.width and receipt.height:
            yield "Picture", f"{receipt.width} × {receipt.height}"
        yield "Type", receipt.content_type
        yield "Archived", formats.moment(receipt.at)
        if (waited := wait(medium)) is not None:
            yield "From call to bucket", formats.span(waited)
        if (left := margin(medium)) is not None:
            yield "Left on the link", formats.span(left)
        yield "Checksum", receipt.checksum
        yield "Key", receipt.key
        if receipt.version_id:
            yield "Version", receipt.version_id
    elif medium.link_expires_at:
        yield "Its link dies", formats.moment(medium.link_expires_at)
    if receipt and receipt.note:
        yield "Note", receipt.note
    if receipt and medium.state != "archived":
        yield "Last tried", formats.moment(receipt.at)
    if medium.source_host:
        yield "Served by", medium.source_host


def plays(medium: MediaItem) -> bool:
    """Whether a browser shows it as it is."""
    kind = medium.receipt.content_type.partition("/")[0] if medium.receipt else ""
    return medium.state == "archived" and kind in {"image", "video", "audio"}


def medium_url(job: Job, medium: MediaItem) -> str:
    """Where the page gets a medium: from here, which leads to the bucket."""
    return url("/medium", provider=job.provider, id=job.job_id, role=medium.role, medium=medium.media_id)
