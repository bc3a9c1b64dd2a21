"""`dailies events`: what comes in, as it comes."""

from typing import Annotated, Any

import typer

from cli import feed
from cli.commands.jobs import ORIGINS, Provider, Since
from cli.commands.options import stack_of
from cli.feed import Arrival
from cli.output import Json, coloured, plain, print_json_line, say
from cli.quarantine import Call
from cli.times import shown
from cli.times import since as since_when
from dailies.jobs.models import Event


def events(
    ctx: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until ctrl-C.")] = False,
    since: Since = "",
    provider: Provider = None,
    json: Json = False,
) -> None:
    """What came in, oldest first: of the last hour, or from now on with --follow.

    Events of all jobs, and calls that went into quarantine: all of the time that is asked for. With --json a line for
    each. With --follow it looks once a second.
    """
    stack = stack_of(ctx)
    first = since_when(since or ("0s" if follow else "1h"))
    show = _as_json if json else _as_line
    if not follow:
        found = feed.recent(stack, first, provider=provider)
        for arrival in found:
            show(arrival)
        if not found and not json:
            say("Nothing came in. `dailies events --follow` waits for what comes, --since looks back.")
        return
    try:
        for arrival in feed.follow(stack, first, provider=provider):
            show(arrival)
    except KeyboardInterrupt:
        return


def _as_line(arrival: Arrival) -> None:
    what = arrival.what
    name = f"{what.provider}/{what.webhook}"
    if isinstance(what, Call):
        why = f"[red]quarantined[/]: {plain(what.reason)}"
        say(f"{shown(arrival.at)}  {ORIGINS['webhook']:8} {name:26} {why}  [dim]{what.event_id[:12]}[/]")
    else:
        say(f"{shown(arrival.at)}  {ORIGINS[what.origin]:8} {name:26} {plain(what.job_id)}  {_said(what)}")


def _said(event: Event) -> str:
    receipt = event.receipt
    if receipt and receipt.state == "archived":
        return f"{receipt.role} [green]archived[/], {receipt.bytes:,} bytes"
    if receipt:
        return f"{receipt.role} {coloured(receipt.state)}: {plain(receipt.reason)}"
    if event.upload:
        return "an upload in parts began"
    proof = f"  [dim]{plain(event.proof)}[/]" if event.proof else ""
    return f"{coloured(event.status)} ({plain(event.provider_status)}){proof}"


def _as_json(arrival: Arrival) -> None:
    what = arrival.what
    told: dict[str, Any] = {
        "at": arrival.at,
        "event_id": what.event_id,
        "provider": what.provider,
        "webhook": what.webhook,
        "proof": what.proof,
    }
    if isinstance(what, Call):
        told |= {"origin": "webhook", "quarantined": what.reason}
    else:
        told |= {"origin": what.origin, "job_id": what.job_id, "status": what.status, "receipt": None}
        told["provider_status"] = what.provider_status
        if what.receipt:
            told["receipt"] = {"role": what.receipt.role, "state": what.receipt.state, "reason": what.receipt.reason}
    print_json_line(told)
