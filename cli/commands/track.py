"""`dailies track` and `dailies submit`: a job is known from the moment that it is submitted."""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import provider_apis
from cli.commands.options import stack_of
from cli.errors import Refusal
from cli.output import Json, plain, print_json, say
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


def _one_of(known: list[str], name: str) -> str:
    if name not in known:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}.")
    return name


def _webhook(name: str) -> str:
    return _one_of(WEBHOOKS, name)


def _call(name: str) -> str:
    return _one_of(CALLS, name)


Webhook = Annotated[str, typer.Argument(callback=_webhook, autocompletion=lambda: WEBHOOKS, help=", ".join(WEBHOOKS))]
Call = Annotated[str, typer.Argument(callback=_call, autocompletion=lambda: CALLS, help=", ".join(CALLS))]


def track(
    ctx: typer.Context,
    *,
    webhook: Webhook,
    job_ids: Annotated[list[str], typer.Argument(help="The provider's ids of the jobs.")],
    json: Json = False,
) -> None:
    """Tell the stack of jobs that were submitted elsewhere: it knows them from now on, and asks about them."""
    stack = stack_of(ctx)
    provider, _, name = webhook.partition("/")
    for job_id in job_ids:
        try:
            submitted_event({"provider": provider, "webhook": name, "job_id": job_id}, PROVIDERS, at=timestamps.now())
        except PayloadError:
            raise Refusal(
                f"{plain(job_id)!r} is no job's id (1 to 256 printable characters); none was tracked"
            ) from None
    bus = Bus(stack.events, stack.output("BusName"))
    try:
        for job_id in job_ids:
            bus.submitted(provider, name, job_id)
    except NotStored as error:
        raise Refusal(f"{error}; tracking is safe to repeat: do it again") from None
    if json:
        print_json([{"provider": provider, "webhook": name, "job_id": job_id} for job_id in job_ids])
        return
    for job_id in job_ids:
        say(f"{plain(f'{provider}/{job_id}')} is tracked; `dailies job {plain(job_id)}` shows it.")


def submit(
    ctx: typer.Context,
    *,
    call: Call,
    body: Annotated[Path, typer.Argument(help="The provider's own JSON, a file; - is the standard input.")],
    source: Annotated[str, typer.Option(help="The job that this call goes on with, where it does.")] = "",
    json: Json = False,
) -> None:
    """Submit a job to its provider with the stack's webhook in it, and track it. It is sent once: jobs are paid for."""
    provider, _, name = call.partition("/")
    submission = PROVIDERS[provider].submissions[name]
    if submission.needs_source and not source:
        raise typer.BadParameter(f"{call} goes on with a job that there is: give its id as --source")
    if source and not submission.needs_source:
        raise typer.BadParameter(f"{call} goes on with no job: leave out --source")
    stack = stack_of(ctx)
    told = _read(body)
    try:
        submitted = submit_job(
            provider_apis.api(stack, provider),
            name,
            told,
            webhook=webhook_of(stack, PROVIDERS[provider], submission, told),
            bus=Bus(stack.events, stack.output("BusName")),
            source_id=source,
        )
    except NotSubmitted as error:
        raise Refusal(str(error)) from None
    if json:
        print_json({"job_id": submitted.job_id, "tracked": submitted.tracked, "answer": submitted.answer})
        return
    say(f"{provider} took it: {plain(submitted.job_id)}")
    if submitted.tracked:
        say(f"[dim]It is tracked; `dailies job {plain(submitted.job_id)}` shows it.[/]")
    else:
        again = f"dailies track {provider}/{submission.webhook} {submitted.job_id}"
        say(f"[yellow]It is not tracked yet, the bus did not take that: `{plain(again)}` tells it again.[/]")


def _read(body: Path) -> dict[str, Any]:
    try:
        read = json_module.loads(sys.stdin.read() if str(body) == "-" else body.read_text())
    except OSError as error:
        raise Refusal(f"{body} cannot be read ({type(error).__name__}); nothing was submitted") from None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise Refusal(f"{body} holds no JSON object; give the body of the provider's call; nothing was submitted")
    return read
