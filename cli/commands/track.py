"""`dailies track` and `dailies submit`: record a job when it is submitted."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import provider_apis
from cli.commands.options import AsJson, listed, one_of, stack_of
from cli.errors import CliError
from cli.output import plain, print_json, say
from cli.submissions import webhook_of
from dailies import timestamps
from dailies.aws.bus import Bus
from dailies.errors import NotStored, NotSubmitted, PayloadError
from dailies.providers import every_provider
from dailies.steps.submit import submit as submit_job
from dailies.steps.track import submitted_event

PROVIDERS = every_provider()
WEBHOOKS = [webhook.full_name for provider in PROVIDERS.values() for webhook in provider.webhooks]
CALLS = [f"{provider.name}/{name}" for provider in PROVIDERS.values() for name in provider.submissions]

Webhook = Annotated[
    str,
    typer.Argument(
        metavar="WEBHOOK",
        callback=one_of(WEBHOOKS),
        autocompletion=lambda: WEBHOOKS,
        help=f"One of: {listed(WEBHOOKS)}.",
    ),
]
Call = Annotated[
    str,
    typer.Argument(
        metavar="CALL", callback=one_of(CALLS), autocompletion=lambda: CALLS, help=f"One of: {listed(CALLS)}."
    ),
]


def track(
    ctx: typer.Context,
    *,
    webhook: Webhook,
    job_ids: Annotated[list[str], typer.Argument(metavar="JOB", help="The provider's ids of the jobs.")],
    as_json: AsJson = False,
) -> None:
    """Track jobs that were submitted elsewhere, so that Dailies polls them when they are overdue."""
    stack = stack_of(ctx)
    provider, _, name = webhook.partition("/")
    for job_id in job_ids:
        try:
            submitted_event({"provider": provider, "webhook": name, "job_id": job_id}, PROVIDERS, at=timestamps.now())
        except PayloadError:
            raise CliError(
                f"No job was tracked: {plain(job_id)!r} is not a job id. Give 1 to 256 printable characters."
            ) from None
    bus = Bus(stack.events, stack.output("BusName"))
    try:
        for job_id in job_ids:
            bus.submitted(provider, name, job_id)
    except NotStored as error:
        raise CliError(f"{error}. Run the same command again; tracking is safe to repeat.") from None
    if as_json:
        print_json([{"provider": provider, "webhook": name, "job_id": job_id} for job_id in job_ids])
        return
    for job_id in job_ids:
        say(f"{plain(f'{provider}/{job_id}')} is tracked. Show it with `dailies job {plain(job_id)}`.")


def submit(
    ctx: typer.Context,
    *,
    call: Call,
    body: Annotated[Path, typer.Argument(metavar="FILE", help="The provider's JSON body; - reads standard input.")],
    source: Annotated[str, typer.Option(metavar="JOB", help="The job that this call continues, if it needs one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Submit a job to its provider with the stack's webhook, and track it.

    Sends the request once, without a retry, as the provider charges for each job.
    """
    provider, _, name = call.partition("/")
    submission = PROVIDERS[provider].submissions[name]
    if submission.needs_source and not source:
        raise typer.BadParameter(f"{call} continues a job; give its id with --source.")
    if source and not submission.needs_source:
        raise typer.BadParameter(f"{call} starts a new job; omit --source.")
    stack = stack_of(ctx)
    request = _read(body)
    try:
        submitted = submit_job(
            provider_apis.api(stack, provider),
            name,
            request,
            webhook=webhook_of(stack, PROVIDERS[provider], submission, request),
            bus=Bus(stack.events, stack.output("BusName")),
            source_id=source,
        )
    except NotSubmitted as error:
        raise CliError(str(error)) from None
    if as_json:
        print_json({"job_id": submitted.job_id, "tracked": submitted.tracked, "answer": submitted.answer})
        return
    say(f"{provider} accepted the job: {plain(submitted.job_id)}")
    if submitted.tracked:
        say(f"[dim]It is tracked. Show it with `dailies job {plain(submitted.job_id)}`.[/]")
    else:
        again = f"dailies track {provider}/{submission.webhook} {submitted.job_id}"
        say(f"[yellow]It is not tracked: the bus did not accept the event. Track it with `{plain(again)}`.[/]")


def _read(body: Path) -> dict[str, Any]:
    try:
        read = json.loads(sys.stdin.read() if str(body) == "-" else body.read_text())
    except OSError as error:
        raise CliError(f"Nothing was submitted: cannot read {body}: {error.strerror}. Name another file.") from None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise CliError(f"Nothing was submitted: {body} holds no JSON object. Give the body of the provider's request.")
    return read
