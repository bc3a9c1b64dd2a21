"""`dailies jobs`: list jobs. `dailies job`: show one."""

import sys
from typing import Annotated, Any

import typer

from cli import jobs, payloads
from cli.commands.job_view import print_timeline
from cli.commands.options import AsJson, ProviderOption, SinceOption, StageOption, listed, stack_of
from cli.errors import CliError
from cli.formats import short_time
from cli.jobs import STATUSES, Cursor, Filter
from cli.output import coloured, plain, print_json, print_table, say
from cli.timeline import Step, find_event, timeline
from cli.times import timestamp_since
from dailies.jobs.announcements import job_summary
from dailies.jobs.models import Event, Status


def _check_cursor(text: str) -> str:
    try:
        return str(Cursor.parse(text)) if text else ""
    except CliError as error:
        raise typer.BadParameter(str(error)) from None


def list_jobs(
    ctx: typer.Context,
    *,
    provider: ProviderOption = None,
    status: Annotated[
        Status | None, typer.Option(metavar="STATUS", help=f"Only jobs with this status: {listed(STATUSES)}.")
    ] = None,
    stage: StageOption = None,
    since: SinceOption = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="NUMBER", help="Jobs in a page.")] = jobs.PAGE,
    cursor: Annotated[
        str,
        typer.Option(metavar="CURSOR", callback=_check_cursor, help="Continue after a page, by the cursor it printed."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List jobs, those with the latest update first, in pages.

    Reads an index: a page costs the same for a thousand jobs or a million.
    """
    criteria = Filter(
        provider=provider,
        status=status,
        stage=stage,
        since=timestamp_since(since) if since else "",
    )
    page = jobs.page(stack_of(ctx), criteria, after=Cursor.parse(cursor) if cursor else None, limit=limit)
    if as_json:
        rows = [{name: row[name] for name in row if name not in {"pk", "sk", "listed"}} for row in page.rows]
        print_json({"jobs": rows, "cursor": str(page.cursor) if page.cursor else None})
        return
    if page.rows:
        print_table(
            ("updated", "job", "status", "stage"),
            (
                (
                    short_time(row["updated_at"]),
                    f"{row['provider']}/{plain(row['job_id'])}",
                    coloured(row["status"]),
                    coloured(row["stage"]),
                )
                for row in page.rows
            ),
        )
    else:
        say("No jobs found." if not page.cursor else "No matching jobs on this page.")
    if page.cursor:
        say(f"[dim]Next page: add --cursor {page.cursor}[/]")


def show_job(
    ctx: typer.Context,
    *,
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or provider/id.")],
    payload: Annotated[
        str, typer.Option(metavar="EVENT", help="Print an event's payload; the first letters of its id are enough.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show a job's timeline.

    Deliveries with their verification, answers of the provider's API, media with their receipts, announcements.
    """
    stack = stack_of(ctx)
    shown = timeline(stack, jobs.find(stack, job_id))
    if payload:
        event = find_event(shown, payload)
        raw = payloads.of_event(stack, shown.job.provider, shown.job.job_id, event.event_id)
        sys.stdout.write(raw.decode("utf-8", "replace") + "\n")
    elif as_json:
        print_json({"job": job_summary(shown.job), "steps": [_step(step) for step in shown.steps]})
    else:
        print_timeline(shown)


def _step(step: Step) -> dict[str, Any]:
    """A step as JSON. Without links: these are signed, so they are secrets."""
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
        "announced": [{"detail_type": item.detail_type, "id": item.detail["id"]} for item in step.announced],
    }


def _receipt(event: Event) -> dict[str, Any] | None:
    receipt = event.receipt
    if receipt is None:
        return None
    values = {name: getattr(receipt, name) for name in receipt.__slots__}
    return {name: value for name, value in values.items() if value not in ("", 0, None)}
