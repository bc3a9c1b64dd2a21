"""`dailies trigger`: a provider's call, correctly proven, to try a stack with."""

import time
from dataclasses import replace
from secrets import token_hex
from typing import Annotated, Literal

import typer
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from cli import sample_calls, secrets
from cli.commands.options import stack_of
from cli.errors import Refusal
from cli.output import Json, Yes, ask, plain, print_json, say
from cli.sample_calls import CASES, FORGED, SECRET_OF, UNREADABLE, Link, Order
from cli.stack import Stack
from local import media_links
from local.stack import StackError, folder_from_environment
from simulators.provider_calls import Call, Reply, send

REREAD = 6.0  # seconds after which a receiver has read a secret that was just set: it looks once in five
SHOWS_ITS_SECRET = ("creatify/product_to_videos", "captions/creator")  # Sync's calls are signed by it
GOOD = 300  # HTTP statuses below are success


def _known_webhook(webhook: str) -> str:
    if webhook not in CASES:
        raise typer.BadParameter(f"{webhook!r} is not one of {', '.join(CASES)}.")
    return webhook


def _sendable(secret: str) -> str:
    if not secrets.may_be_sent(secret):
        raise typer.BadParameter("only printable ASCII characters can be sent.")
    return secret


def _http(url: str) -> str:
    if not url:
        return url
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = Url()
    if parts.scheme not in ("http", "https") or not parts.host:
        raise typer.BadParameter(f"{url!r} is no http(s) URL.")
    return url


def trigger(
    ctx: typer.Context,
    *,
    webhook: Annotated[
        str, typer.Argument(callback=_known_webhook, autocompletion=lambda: list(CASES), help=", ".join(CASES))
    ],
    case: Annotated[
        str,
        typer.Option(help=f"What it reports; none: the usual one. See below. For all: {UNREADABLE}, {FORGED}."),
    ] = "",
    job: Annotated[str, typer.Option(help="The job's id; none: a new one.")] = "",
    media_url: Annotated[str, typer.Option(help="A link to what the job made; none: to the local media host.")] = "",
    url: Annotated[str, typer.Option(callback=_http, help="Call this instead of the stack: any URL.")] = "",
    secret: Annotated[
        str, typer.Option(callback=_sendable, help="Prove it by this instead of the stack's secret.")
    ] = "",
    print_as: Annotated[
        Literal["event", "curl"] | None,
        typer.Option("--print", help="Do not call: print the event for `make invoke`, or a curl line."),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print it with a deployed stack's secret in it.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make a provider's call with its documented body and a correct proof.

    A local stack whose secret is not set gets a made-up one. A deployed stack's secret goes to that stack alone.
    """
    case = case or CASES[webhook][0]
    if case not in (*CASES[webhook], UNREADABLE, FORGED):
        raise typer.BadParameter(f"{webhook} has the cases {', '.join((*CASES[webhook], UNREADABLE, FORGED))}.")
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
            ask(f"Tell {stack_of(ctx)} of a made-up job, {plain(job)}?", yes=yes)
        reply = _send(ctx, made, url)
        if reply.status == 401 and not was_set and case != FORGED:
            time.sleep(REREAD)
            reply = _send(ctx, made, url)
        _show(made, reply, json=json)


def keep_to_itself(stack: Stack, webhook: str, url: str, *, reveal: bool, printed: bool) -> None:
    """A deployed stack's secret is told to nobody: a Refusal where it would be."""
    if url and not url.startswith(f"{stack.webhook_base_url}/"):
        raise Refusal(f"the secret of {stack} would go to {url}, which is not of {stack}; name another with --secret")
    if printed and not reveal and webhook in SHOWS_ITS_SECRET:
        raise Refusal(f"what is printed would have the secret of {stack} in it; --reveal prints it, --secret another")


def _is_set(stack: Stack, name: str) -> bool:
    return next(state.is_set for state in secrets.states(stack) if state.name == name)


def _link(ctx: typer.Context, job: str, media_url: str) -> Link:
    """Where the call says its media are."""
    if media_url:
        return lambda _: media_url

    def local(name: str) -> str:
        if not stack_of(ctx).is_local:
            raise Refusal("a stack on AWS cannot fetch from this machine; name a link to a medium with --media-url")
        try:
            return media_links.links(folder_from_environment()).url(f"/{job}/{name}")
        except StackError as error:
            raise Refusal(str(error)) from None

    return local


def _send(ctx: typer.Context, made: Call, url: str) -> Reply:
    try:
        return send(replace(made, path=url), "") if url else send(made, stack_of(ctx).webhook_base_url)
    except HTTPError as error:
        where = url or stack_of(ctx).webhook_base_url
        raise Refusal(f"{where} does not answer ({type(error).__name__}); is it up?") from None


def _show(made: Call, reply: Reply, *, json: bool) -> None:
    if json:
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
            say(f"[dim]What becomes of it: dailies job {plain(made.job_id)}[/]")
        elif word == "quarantined":
            say("[dim]It is kept: dailies quarantine list[/]")
    if reply.status >= GOOD:
        raise typer.Exit(1)
