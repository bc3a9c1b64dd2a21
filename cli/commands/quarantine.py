"""`dailies quarantine`: proven calls that could not be read."""

import sys
from collections import Counter
from typing import Annotated

import typer

from cli import quarantine
from cli.commands.jobs import Provider, Since
from cli.commands.options import stack_of
from cli.concurrency import threads
from cli.errors import NothingFound, Refusal
from cli.output import Json, Yes, ask, counted, plain, print_json, print_table, progress, say
from cli.quarantine import Call, Read
from cli.times import shown, words_since
from cli.times import since as since_when

LOOK_BACK = "30d"
READERS = 8  # calls read again at once

app = typer.Typer(no_args_is_help=True, help="Proven calls that could not be read: list, show, read again.")


@app.command("list")
def list_calls(ctx: typer.Context, provider: Provider = None, since: Since = LOOK_BACK, json: Json = False) -> None:
    """The calls in quarantine, newest first."""
    found = quarantine.calls(stack_of(ctx), since_when(since), provider=provider)
    if json:
        print_json([{name: getattr(call, name) for name in call.__slots__} for call in found])
    elif found:
        print_table(
            ("received", "webhook", "event", "why it could not be read"),
            (
                (shown(call.received_at), f"{call.provider}/{call.webhook}", call.event_id[:12], plain(call.reason))
                for call in found
            ),
        )
    else:
        say(f"Nothing came into quarantine {words_since(since)}. --since looks further back.")


@app.command()
def show(
    ctx: typer.Context,
    event: Annotated[str, typer.Argument(help="The first letters of its event id.")],
    since: Since = LOOK_BACK,
    json: Json = False,
) -> None:
    """One call: why it could not be read, and what came."""
    stack = stack_of(ctx)
    call = quarantine.find_call(quarantine.calls(stack, since_when(since)), event)
    raw = quarantine.payload(stack, call).decode("utf-8", "replace")
    if json:
        print_json({**{name: getattr(call, name) for name in call.__slots__}, "payload": raw})
        return
    say(f"[bold]{call.provider}/{call.webhook}[/]  {call.event_id}")
    say(f"received {shown(call.received_at)}, proven by {plain(call.proof)}")
    say(f"[red]{plain(call.reason)}[/]\n")
    sys.stdout.write(raw + "\n")


@app.command()
def reparse(
    ctx: typer.Context,
    *,
    events: Annotated[
        list[str] | None, typer.Argument(help="First letters of event ids; none: all since --since.")
    ] = None,
    provider: Provider = None,
    since: Since = LOOK_BACK,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Read calls again, after an upgrade that can: they become events as if they had just been received.

    Without an event, all of the last 30 days, or of --since. Reads with the code of this checkout: use the version that
    is deployed. What still cannot be read stays.
    """
    stack = stack_of(ctx)
    found = quarantine.calls(stack, since_when(since), provider=provider)
    chosen = [quarantine.find_call(found, start) for start in events] if events else found
    if not chosen:
        raise NothingFound(f"nothing came into quarantine {words_since(since)}; --since looks further back")
    ask(f"Read {counted(len(chosen), 'call')} of {stack} again?", yes=yes)

    def again(call: Call) -> Read:
        read = quarantine.read_again(stack, call)
        more(1)
        return read

    with progress("read again", len(chosen)) as more, threads(READERS) as readers:
        done = list(readers.map(again, chosen))
    stayed = [read for read in done if read.reason]
    if json:
        print_json(
            [{"event_id": r.call.event_id, "job_id": r.job_id or None, "reason": r.reason or None} for r in done]
        )
    else:
        became = len(done) - len(stayed)
        say(f"{counted(became, 'call')} became {'an event' if became == 1 else 'events'}.")
        for reason, count in Counter(read.reason for read in stayed).most_common():
            say(f"[red]{count:,} stayed[/]: {plain(reason)}")
    if stayed:
        raise Refusal("not all could be read; mend the provider's file in providers/, then read again")
