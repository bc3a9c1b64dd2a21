"""`dailies events`: incoming events and quarantined deliveries."""

from typing import Annotated, Any

import typer

from cli import feed
from cli.commands.options import AsJson, ProviderOption, SinceOption, stack_of
from cli.commands.wording import ORIGINS
from cli.feed import Arrival
from cli.formats import short_time, size
from cli.output import coloured, plain, print_json_line, say
from cli.quarantine import Delivery
from cli.times import parse_since
from dailies.jobs.models import Event


def events(
    ctx: typer.Context,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep running and print new events; Ctrl-C stops it.")
    ] = False,
    since: SinceOption = "",
    provider: ProviderOption = None,
    as_json: AsJson = False,
) -> None:
    """List events of all jobs and quarantined deliveries, oldest first.

    Lists the last hour by default, nothing older with --follow. With --follow it looks once a second. With --json it
    prints one line for each event.
    """
    stack = stack_of(ctx)
    first = parse_since(since or ("0s" if follow else "1h"))
    show = _print_json if as_json else _print_line
    if not follow:
        found = feed.recent(stack, first, provider=provider)
        for arrival in found:
            show(arrival)
        if not found and not as_json:
            say("No events. Wait for new ones with `dailies events --follow`, or look further back with --since.")
        return
    try:
        for arrival in feed.follow(stack, first, provider=provider):
            show(arrival)
    except KeyboardInterrupt:
        return


def _print_line(arrival: Arrival) -> None:
    what = arrival.what
    name = f"{what.provider}/{what.webhook}"
    if isinstance(what, Delivery):
        reason = f"[red]quarantined[/]: {plain(what.reason)}"
        say(f"{short_time(arrival.at)}  {ORIGINS['webhook']:8} {name:26} {reason}  [dim]{what.event_id[:12]}[/]")
    else:
        say(f"{short_time(arrival.at)}  {ORIGINS[what.origin]:8} {name:26} {plain(what.job_id)}  {_result(what)}")


def _result(event: Event) -> str:
    receipt = event.receipt
    if receipt and receipt.state == "archived":
        return f"{receipt.role} [green]archived[/], {size(receipt.bytes)}"
    if receipt:
        return f"{receipt.role} {coloured(receipt.state)}: {plain(receipt.reason)}"
    if event.upload:
        return "multipart upload started"
    proof = f"  [dim]{plain(event.proof)}[/]" if event.proof else ""
    return f"{coloured(event.status)} ({plain(event.provider_status)}){proof}"


def _print_json(arrival: Arrival) -> None:
    what = arrival.what
    line: dict[str, Any] = {
        "at": arrival.at,
        "event_id": what.event_id,
        "provider": what.provider,
        "webhook": what.webhook,
        "proof": what.proof,
    }
    if isinstance(what, Delivery):
        line |= {"origin": "webhook", "quarantined": what.reason}
    else:
        line |= {"origin": what.origin, "job_id": what.job_id, "status": what.status, "receipt": None}
        line["provider_status"] = what.provider_status
        if what.receipt:
            line["receipt"] = {"role": what.receipt.role, "state": what.receipt.state, "reason": what.receipt.reason}
    print_json_line(line)
