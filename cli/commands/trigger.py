"""`dailies trigger`: send a test delivery, signed as its provider signs it."""

import time
from dataclasses import replace
from secrets import token_hex
from typing import Annotated, Literal
from urllib.parse import quote

import typer
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from cli import sample_calls, secrets
from cli.commands.options import AsJson, Yes, listed, one_of, stack_of
from cli.errors import CliError
from cli.output import ask, plain, print_json, say
from cli.sample_calls import CASES, FORGED, SECRET_OF, UNREADABLE, Link, Order
from cli.stack import Stack
from local import media_links
from local.stack import StackError, folder_from_environment
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call, Reply, send

REREAD = 6.0  # seconds until a receiver uses a secret that was just set: it reads it again after five
GOOD = 300  # HTTP statuses below mean success
EVERY_CASE = (UNREADABLE, FORGED)  # cases of every webhook

CASES_HELP = "\n".join(
    [
        "Cases by webhook, the default first:\n",
        *(f"- {webhook}: {listed(cases)}" for webhook, cases in CASES.items()),
        f"- all webhooks: {UNREADABLE} (authentic, but cannot be parsed), {FORGED} (signed with another secret)",
    ]
)
"""The end of the command's help, in Markdown."""


def _sendable(secret: str) -> str:
    if not secrets.may_be_sent(secret):
        raise typer.BadParameter("Only printable ASCII characters can be sent.")
    return secret


def _http(url: str) -> str:
    if not url:
        return url
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = Url()
    if parts.scheme not in ("http", "https") or not parts.host:
        raise typer.BadParameter(f"{url!r} is not an http(s) URL.")
    return url


def trigger(
    ctx: typer.Context,
    *,
    webhook: Annotated[
        str,
        typer.Argument(
            metavar="WEBHOOK",
            callback=one_of(list(CASES)),
            autocompletion=lambda: list(CASES),
            help=f"One of: {listed(CASES)}.",
        ),
    ],
    case: Annotated[
        str,
        typer.Option(metavar="CASE", help="What the delivery reports; the cases of each webhook are listed below."),
    ] = "",
    job: Annotated[str, typer.Option(metavar="JOB", help="The job's id. Default: a new one.")] = "",
    media_url: Annotated[
        str, typer.Option(metavar="URL", help="A link to the job's media. Default: the local media host.")
    ] = "",
    url: Annotated[
        str, typer.Option(metavar="URL", callback=_http, help="Send to this URL instead of the stack.")
    ] = "",
    secret: Annotated[
        str, typer.Option(metavar="SECRET", callback=_sendable, help="Sign with this instead of the stack's secret.")
    ] = "",
    print_as: Annotated[
        Literal["event", "curl"] | None,
        typer.Option("--print", help="Send nothing; print the event for `make invoke`, or a curl command."),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="With --print: include a deployed stack's secret.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send a test delivery with the provider's documented body and a valid signature.

    A local stack gets a random secret if none is set. A deployed stack's secret is sent to that stack only.
    """
    case = case or CASES[webhook][0]
    if case not in (*CASES[webhook], *EVERY_CASE):
        raise typer.BadParameter(f"{case!r} is not one of {listed((*CASES[webhook], *EVERY_CASE))}.")
    job = job or f"trigger-{token_hex(4)}"
    was_set = bool(secret)
    if not secret:
        stack = stack_of(ctx)
        if not stack.is_local:
            keep_to_itself(stack, webhook, url, reveal=reveal, printed=print_as is not None)
        was_set = _is_set(stack, SECRET_OF[webhook])
        secret = secrets.set_for_trial(stack, SECRET_OF[webhook])
    made = sample_calls.call(Order(webhook, case, job, secret, _link(ctx, job, media_url)))
    if print_as == "event":
        typer.echo(sample_calls.as_event(made))
    elif print_as == "curl":
        typer.echo(sample_calls.as_curl(made, url or stack_of(ctx).webhook_base_url + made.path))
    else:
        if not url and not stack_of(ctx).is_local:
            ask(f"Send a test delivery for the job {plain(job)} to {stack_of(ctx)}?", yes=yes)
        reply = _send(ctx, made, url)
        if reply.status == 401 and not was_set and case != FORGED:
            time.sleep(REREAD)
            reply = _send(ctx, made, url)
        _show(made, reply, as_json=as_json)


def keep_to_itself(stack: Stack, webhook: str, url: str, *, reveal: bool, printed: bool) -> None:
    """Raises CliError if a deployed stack's secret would be sent elsewhere, or printed without --reveal."""
    if url and not url.startswith(f"{stack.webhook_base_url}/"):
        raise CliError(
            f"{url} is not a URL of {stack}, so its secret is not sent there. Sign with another one: --secret."
        )
    if printed and not reveal and every_sample()[webhook].shows_secret:
        raise CliError(
            f"The output would contain the secret of {stack}. Print it with --reveal, or use another with --secret."
        )


def _is_set(stack: Stack, name: str) -> bool:
    return next(state.is_set for state in secrets.states(stack) if state.name == name)


def _link(ctx: typer.Context, job: str, media_url: str) -> Link:
    """The links to media in the delivery."""
    if media_url:
        return lambda _: media_url

    def local(name: str) -> str:
        if not stack_of(ctx).is_local:
            raise CliError("A stack on AWS cannot download from this machine. Give a link with --media-url.")
        try:
            return media_links.links(folder_from_environment()).url(f"/{quote(job, safe='')}/{name}")
        except StackError as error:
            raise CliError(str(error)) from None

    return local


def _send(ctx: typer.Context, made: Call, url: str) -> Reply:
    try:
        return send(replace(made, path=url), "") if url else send(made, stack_of(ctx).webhook_base_url)
    except HTTPError as error:
        where = url or stack_of(ctx).webhook_base_url
        raise CliError(f"{where} does not answer ({type(error).__name__}). Check that it is running.") from None


def _show(made: Call, reply: Reply, *, as_json: bool) -> None:
    if as_json:
        print_json({
            "webhook": made.webhook,
            "case": made.case,
            "job_id": made.job_id,
            "status": reply.status,
            "body": reply.body,
            "seconds": round(reply.seconds, 3),
        })  # fmt: skip
    else:
        body = reply.body if isinstance(reply.body, dict) else {}
        word = body.get("result") or body.get("error") or reply.body
        colour = "green" if reply.status < GOOD else "red"
        say(
            f"{made.webhook} {made.case}, job {plain(made.job_id)}: [{colour}]{reply.status} {plain(word)}[/]"
            f" in {reply.seconds * 1000:.0f} ms"
        )
        if word == "recorded":
            say(f"[dim]See what happens: dailies job {plain(made.job_id)}[/]")
        elif word == "quarantined":
            say("[dim]See it: dailies quarantine list[/]")
    if reply.status >= GOOD:
        raise typer.Exit(1)
