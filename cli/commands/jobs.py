"""`dailies jobs`: a list. `dailies job`: one job's whole story."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli import jobs, payloads
from cli.commands.options import stack_of
from cli.errors import Refusal
from cli.jobs import Cursor, Filter
from cli.output import Json, coloured, counted, plain, print_json, print_table, say
from cli.timeline import Step, Story, event_named, story
from cli.times import ago, duration, moment_since, shown
from dailies import timestamps
from dailies.jobs.announcements import job_summary as as_page
from dailies.jobs.models import Event, Job, MediaItem, Stage, Status


def _known(provider: str | None) -> str | None:
    if provider and provider not in jobs.PROVIDERS:
        raise typer.BadParameter(f"{provider!r} is not one of {', '.join(jobs.PROVIDERS)}.")
    return provider


Provider = Annotated[
    str | None,
    typer.Option(callback=_known, autocompletion=lambda: jobs.PROVIDERS, help=f"Of one: {', '.join(jobs.PROVIDERS)}."),
]


def a_time(text: str) -> str:
    """What was typed after --since, if it is a time; BadParameter where it is none, before anything is asked for."""
    if text:
        moment_since(text)
    return text


def _a_cursor(text: str) -> str:
    try:
        return str(Cursor.read(text)) if text else ""
    except Refusal as refused:
        raise typer.BadParameter(str(refused)) from None


Since = Annotated[str, typer.Option(callback=a_time, help="How long ago (30m, 2h, 7d), or a day or moment.")]

# What a step is called: how we came to know of it.
ORIGINS = {"webhook": "call", "poll": "asked", "track": "tracked", "archive": "archive", "batch": "batch"}
INDENT = " " * 19


def list_jobs(
    ctx: typer.Context,
    *,
    provider: Provider = None,
    status: Annotated[Status | None, typer.Option(help="Of this status.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="At this stage.")] = None,
    since: Since = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Jobs in a page.")] = jobs.PAGE,
    cursor: Annotated[str, typer.Option(callback=_a_cursor, help="Go on where a page ended.")] = "",
    json: Json = False,
) -> None:
    """The jobs, newest first, a page at a time.

    By the index: a page costs the same whether there are a thousand jobs or a million.
    """
    wanted = Filter(
        provider=provider,
        status=status,
        stage=stage,
        since=moment_since(since) if since else "",
    )
    page = jobs.page(stack_of(ctx), wanted, after=Cursor.read(cursor) if cursor else None, most=limit)
    if json:
        shown_rows = [{name: row[name] for name in row if name not in {"pk", "sk", "listed"}} for row in page.rows]
        print_json({"jobs": shown_rows, "cursor": str(page.cursor) if page.cursor else None})
        return
    if page.rows:
        print_table(
            ("last news", "job", "status", "stage"),
            (
                (
                    shown(row["updated_at"]),
                    f"{row['provider']}/{plain(row['job_id'])}",
                    coloured(row["status"]),
                    coloured(row["stage"]),
                )
                for row in page.rows
            ),
        )
    else:
        say("No such jobs." if not page.cursor else "None among those looked at.")
    if page.cursor:
        say(f"[dim]The next page: the same with --cursor {page.cursor}[/]")


def show_job(
    ctx: typer.Context,
    *,
    job_id: Annotated[str, typer.Argument(help="Its id, or provider/id.")],
    payload: Annotated[
        str, typer.Option(metavar="EVENT", help="Print what came with an event: the first letters of its id do.")
    ] = "",
    json: Json = False,
) -> None:
    """A job's whole story on a time line.

    Calls with their proof, what the provider's API answered, media with their receipts, what the bus was told.
    """
    stack = stack_of(ctx)
    told = story(stack, jobs.find(stack, job_id))
    if payload:
        event = event_named(told, payload)
        raw = payloads.of_event(stack, told.job.provider, told.job.job_id, event.event_id)
        sys.stdout.write(raw.decode("utf-8", "replace") + "\n")
    elif json:
        print_json({"job": as_page(told.job), "steps": [_step(step) for step in told.steps]})
    else:
        _show(told)


def _step(step: Step) -> dict[str, Any]:
    """A step for scripts: without the links, which are signed."""
    event = step.event
    return {
        "at": step.at,
        "event_id": event.event_id,
        "origin": event.origin,
        "status": event.status,
        "provider_status": event.provider_status,
        "proof": event.proof,
        "media": [{"role": medium.role, "media_id": medium.media_id} for medium in event.media],
        "receipt": _receipt(event),
        "stage": step.job.stage,
        "queued": [item.detail["media"][0]["role"] for item in step.queued],
        "told": [{"detail_type": item.detail_type, "id": item.detail["id"]} for item in step.told],
    }


def _receipt(event: Event) -> dict[str, Any] | None:
    receipt = event.receipt
    if receipt is None:
        return None
    values = {name: getattr(receipt, name) for name in receipt.__slots__}
    return {name: value for name, value in values.items() if value not in ("", 0, None)}


def _show(told: Story) -> None:
    job = told.job
    say(f"[bold]{job.provider}/{plain(job.job_id)}[/]  {coloured(job.status)}, {coloured(job.stage)}")
    about = [
        f"{job.provider}/{job.webhook}",
        f"first heard of {shown(job.first_seen_at)}, {ago(job.first_seen_at)} ago",
    ]
    if job.parent:
        about.append(f"made from {plain(job.parent)}")
    if job.credits is not None:
        about.append(f"{job.credits} credits")
    say(f"[dim]{' · '.join(about)}[/]")
    for line in _troubles(job):
        say(f"[red]{line}[/]")
    if job.media:
        say()
    for medium in job.media:
        for line in _medium(medium, job):
            say(line)
    say()
    for step in told.steps:
        for line in _lines(step):
            say(line)
    if not told.steps:
        say("[dim]Its event rows have expired.[/]")


def _troubles(job: Job) -> Iterator[str]:
    """What a person should look at."""
    if job.error:
        again = "submitting it again may help" if job.error.retryable else "submitting the same again will not help"
        yield f"{plain(job.error.code or 'failed')}: {plain(job.error.message)} ({again})"
    if job.confirmation.contradiction:
        yield f"The provider's API contradicts the call: {plain(job.confirmation.contradiction)}"
    if job.is_silent:
        yield f"Nothing was heard of it since {shown(job.updated_at)}"
    if job.status == "completed" and not job.media:
        yield "It completed without any medium: look at what came with --payload"


def _medium(medium: MediaItem, job: Job) -> Iterator[str]:
    receipt = medium.receipt
    line = f"  {plain(medium.role):8} {medium.media_id}  {coloured(medium.state)}"
    if receipt is None or medium.state != "archived":
        yield line + (f": {plain(receipt.reason)}" if receipt and receipt.reason else "")
        return
    facts = [f"{receipt.bytes:,} bytes", plain(receipt.content_type)]
    if receipt.width:
        facts.append(f"{receipt.width}x{receipt.height}")
    if receipt.seconds:
        facts.append(f"{receipt.seconds} s long")
    took = timestamps.seconds(receipt.at) - timestamps.seconds(job.first_seen_at)
    yield f"{line}: {', '.join(facts)}; {duration(took)} after the job was first heard of"
    yield f"[dim]{' ' * 20}{plain(receipt.key)}[/]"


def _lines(step: Step) -> Iterator[str]:
    event = step.event
    what = f"{coloured(event.status)} ({plain(event.provider_status)})" if event.provider_status else ""
    proof = f"proven by {plain(event.proof)}" if event.proof else ""
    facts = ", ".join(filter(None, (what, proof)))
    head = f"{shown(step.at):>8}  {ORIGINS[event.origin]:8} "
    begun = False
    if facts or not (event.receipt or event.upload):
        yield f"{head}{facts}  [dim]{event.event_id[:12]}[/]"
        begun = True
    for line in _of_media(event):
        yield (INDENT if begun else head) + line
        begun = True
    if step.queued:
        roles = ", ".join(item.detail["media"][0]["role"] for item in step.queued)
        yield f"{INDENT}[dim]→ queued for the archive:[/] {roles}"
    if step.told:
        yield f"{INDENT}[dim]→ told the bus:[/] {', '.join(item.detail_type for item in step.told)}"


def _of_media(event: Event) -> Iterator[str]:
    for medium in event.media:
        yield f"a link to {plain(medium.role)} {medium.media_id}"
    if event.upload:
        yield f"an upload in parts began: {counted(event.upload.total, 'byte')}"
    receipt = event.receipt
    if receipt and receipt.state == "archived":
        yield f"{plain(receipt.role)} {receipt.media_id} [green]archived[/]: {plain(receipt.checksum)}"
        yield f"[dim]from {plain(receipt.source_host)}, version {plain(receipt.version_id)}[/]"
    elif receipt:
        yield f"{plain(receipt.role)} {receipt.media_id} {coloured(receipt.state)}: {plain(receipt.reason)}"
