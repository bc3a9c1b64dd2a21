"""The page of a job: its media with their receipts, its timeline, and the button that replays it."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cli import formats, payloads
from cli.console import guard, rendering
from cli.console.rendering import url
from cli.console.timeline import entries
from cli.errors import NothingFound
from cli.formats import counted
from cli.media import link
from cli.replay import replay
from cli.stats import margin, wait
from cli.timeline import timeline
from dailies.jobs.models import Job, MediaItem, Receipt

EVERY = 4  # seconds: one query of one partition


@dataclass(frozen=True, slots=True)
class MediaView:
    """A medium as the page shows it. `url` shows it and `save` downloads it; both are empty if it is not in the bucket.
    `facts` are names and values from its receipt."""

    of: MediaItem
    url: str
    save: str
    is_picture: bool
    plays: bool
    facts: tuple[tuple[str, str], ...]


def show(request: Request) -> Response:
    """GET /job?provider=...&id=..."""
    job = requested_job(request)
    shown = timeline(rendering.stack_of(request), job)
    media = [media_view(job, medium) for medium in job.media]
    return rendering.page(
        request,
        "job",
        every=EVERY,
        section="/",
        job=job,
        media=media,
        attention=attention(job),
        facts=list(facts(job)),
        parent=job.parent,
        entries=entries(shown),
        notice=notice(request),
    )


def medium(request: Request) -> Response:
    """GET /medium?provider=...&id=...&role=...&medium=...: redirects to the bucket with a new signed link."""
    job, query = requested_job(request), request.query_params
    for one in job.media:
        if (one.role, one.media_id) == (query.get("role"), query.get("medium")):
            return RedirectResponse(link(rendering.stack_of(request), one, inline="save" not in query), 307)
    raise NothingFound("This job has no such media.")


def payload(request: Request) -> Response:
    """GET /payload?provider=...&id=...&event=...: an event's payload, as a page or as a part of the job's page."""
    stack, query = rendering.stack_of(request), request.query_params
    provider, job_id, event_id = query.get("provider", ""), query.get("id", ""), query.get("event", "")
    text = payloads.readable(payloads.of_event(stack, provider, job_id, event_id))
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
        announced=len(done.announced),
    )
    return RedirectResponse(where, 303)


def requested_job(request: Request) -> Job:
    """The job that the query names. Raises NothingFound."""
    provider, job_id = (request.query_params.get(name, "") for name in ("provider", "id"))
    job = rendering.stack_of(request).table.job(provider, job_id) if provider and job_id else None
    if job is None:
        raise NothingFound("No such job.")
    return job


def notice(request: Request) -> str:
    """The result of the replay that redirected here. Only numbers are taken from the link."""
    query = request.query_params
    if (
        query.get("done") not in {"changed", "same"}
        or not (query.get("events", "") + query.get("announced", "")).isdecimal()
    ):
        return ""
    events, announced = int(query.get("events") or 0), int(query.get("announced") or 0)
    changed = "the job changed" if query["done"] == "changed" else "the job did not change"
    return (
        f"Replayed: {counted(events, 'recorded event')} merged again, {changed};"
        f" {counted(announced, 'announcement')} published again."
    )


def attention(job: Job) -> str:
    """Why the job needs attention; empty if it does not."""
    if job.stage != "attention":
        return ""
    if job.confirmation.contradiction:
        return f"The provider’s API contradicts the delivery: {job.confirmation.contradiction}."
    if job.is_silent:
        return "No update for longer than it should take."
    if not job.media:
        return "The job is completed, but without media."
    failed = sorted({medium.role for medium in job.media if medium.state in {"failed", "lost"}})
    return f"Not archived: {', '.join(failed)}. The reason is below."


def facts(job: Job) -> Iterator[tuple[str, str]]:
    """Further facts about the job: names and values."""
    yield "First seen", formats.full_time(job.first_seen_at)
    yield "Last update", formats.full_time(job.updated_at)
    if job.occurred_at:
        yield f"By {job.provider.capitalize()}’s clock", formats.full_time(job.occurred_at)
    if job.credits is not None:
        yield "Credits", f"{job.credits:f}"
    if job.reconciled_at:
        yield "Last polled", formats.full_time(job.reconciled_at)
    yield "Row version", str(job.version)


def media_view(job: Job, medium: MediaItem) -> MediaView:
    """A medium as the page shows it."""
    archived = medium.state == "archived"
    return MediaView(
        of=medium,
        url=medium_url(job, medium) if archived else "",
        save=f"{medium_url(job, medium)}&save=1" if archived else "",
        is_picture=medium.receipt is not None and medium.receipt.content_type.startswith("image/"),
        plays=plays(medium),
        facts=tuple(receipt_facts(medium)),
    )


def receipt_facts(medium: MediaItem) -> Iterator[tuple[str, str]]:
    """Facts from a medium's receipt and its link: names and values."""
    receipt = medium.receipt
    if receipt and medium.state == "archived":
        yield from _archived_facts(medium, receipt)
    elif medium.link_expires_at:
        yield "Link expires", formats.full_time(medium.link_expires_at)
    if receipt and receipt.note:
        yield "Note", receipt.note
    if receipt and medium.state != "archived":
        yield "Last attempt", formats.full_time(receipt.at)
    if medium.source_host:
        yield "Served by", medium.source_host


def _archived_facts(medium: MediaItem, receipt: Receipt) -> Iterator[tuple[str, str]]:
    yield "Size", f"{formats.size(receipt.bytes)} ({receipt.bytes:,} bytes)"
    if receipt.seconds is not None:
        yield "Duration", formats.span(receipt.seconds)
    if receipt.width and receipt.height:
        yield "Resolution", f"{receipt.width} × {receipt.height}"
    yield "Type", receipt.content_type
    yield "Archived", formats.full_time(receipt.at)
    if (waited := wait(medium)) is not None:
        yield "From delivery to bucket", formats.span(waited)
    if (left := margin(medium)) is not None:
        yield "Time left on the link", formats.span(left)
    yield "Checksum", receipt.checksum
    yield "Key", receipt.key
    if receipt.version_id:
        yield "Version", receipt.version_id


def plays(medium: MediaItem) -> bool:
    """Whether a browser can show it."""
    kind = medium.receipt.content_type.partition("/")[0] if medium.receipt else ""
    return medium.state == "archived" and kind in {"image", "video", "audio"}


def medium_url(job: Job, medium: MediaItem) -> str:
    """The console's link to a medium, which redirects to the bucket."""
    return url("/medium", provider=job.provider, id=job.job_id, role=medium.role, medium=medium.media_id)
