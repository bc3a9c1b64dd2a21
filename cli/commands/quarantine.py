"""`dailies quarantine`: authentic deliveries that could not be parsed."""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from cli import quarantine
from cli.commands.options import AsJson, ProviderOption, SinceOption, Yes, stack_of
from cli.concurrency import threads
from cli.errors import CliError, NothingFound
from cli.formats import counted, short_time
from cli.output import ask, plain, print_json, print_table, progress, say
from cli.quarantine import Delivery, Reparsed
from cli.times import parse_since, since_in_words

LOOK_BACK = "30d"
READERS = 8  # deliveries parsed at the same time

app = typer.Typer(
    no_args_is_help=True, help="List, show, re-parse and release authentic deliveries that could not be parsed."
)

EventArgument = Annotated[str, typer.Argument(metavar="EVENT", help="The event id; its first letters are enough.")]


@app.command("list")
def list_deliveries(
    ctx: typer.Context, provider: ProviderOption = None, since: SinceOption = LOOK_BACK, as_json: AsJson = False
) -> None:
    """List quarantined deliveries, newest first."""
    found = quarantine.deliveries(stack_of(ctx), parse_since(since), provider=provider)
    if as_json:
        print_json([_fields(one) for one in found])
    elif found:
        print_table(
            ("received", "webhook", "event", "reason"),
            (
                (short_time(one.received_at), f"{one.provider}/{one.webhook}", one.event_id[:12], plain(one.reason))
                for one in found
            ),
        )
    else:
        say(f"No quarantined deliveries {since_in_words(since)}. Look further back with --since.")


@app.command()
def show(
    ctx: typer.Context,
    event: EventArgument,
    since: SinceOption = LOOK_BACK,
    as_json: AsJson = False,
) -> None:
    """Show a quarantined delivery: the reason and the body."""
    stack = stack_of(ctx)
    delivery = quarantine.find(quarantine.deliveries(stack, parse_since(since)), event)
    raw = quarantine.payload(stack, delivery).decode("utf-8", "replace")
    if as_json:
        print_json({**_fields(delivery), "payload": raw})
        return
    say(f"[bold]{delivery.provider}/{delivery.webhook}[/]  {delivery.event_id}")
    say(f"received {short_time(delivery.received_at)}, verified by {plain(delivery.proof)}")
    say(f"[red]{plain(delivery.reason)}[/]\n")
    sys.stdout.write(raw + "\n")


@app.command()
def reparse(
    ctx: typer.Context,
    *,
    events: Annotated[
        list[str] | None,
        typer.Argument(metavar="EVENT", help="Event ids, or their first letters. Default: all since --since."),
    ] = None,
    provider: ProviderOption = None,
    since: SinceOption = LOOK_BACK,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Parse quarantined deliveries again, after an upgrade.

    A delivery that can be parsed becomes an event, as if it had just been received. The others stay. Parses with the
    code of this command, so use the version that is deployed.
    """
    stack = stack_of(ctx)
    found = quarantine.deliveries(stack, parse_since(since), provider=provider)
    chosen = [quarantine.find(found, start) for start in events] if events else found
    if not chosen:
        raise NothingFound(f"No quarantined deliveries {since_in_words(since)}. Look further back with --since.")
    ask(f"Parse {counted(len(chosen), 'delivery', 'deliveries')} of {stack} again?", yes=yes)

    def parse(delivery: Delivery) -> Reparsed:
        done = quarantine.reparse(stack, delivery)
        more(1)
        return done

    with progress("Parsing", len(chosen)) as more, threads(READERS) as readers:
        done = list(readers.map(parse, chosen))
    if as_json:
        print_json(
            [{"event_id": r.delivery.event_id, "job_id": r.job_id or None, "reason": r.reason or None} for r in done]
        )
    else:
        _print_result(done)
    if any(one.reason for one in done):
        raise CliError(
            "Some deliveries still cannot be parsed. Fix the provider's module in providers/, then try again."
        )


@app.command()
def release(
    ctx: typer.Context,
    *,
    event: EventArgument,
    job: Annotated[str, typer.Option("--job", metavar="ID", help="The job's id in the delivery.")],
    link: Annotated[str, typer.Option("--link", metavar="URL", help="The link to the job's media in the delivery.")],
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="The medium's role. Default: that of the provider's video.")
    ] = None,
    since: SinceOption = LOOK_BACK,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Archive the media of a quarantined delivery while its link works.

    Records that the job is completed, with this link. Use it for a delivery that no version can parse yet. Read the id
    and the link with `dailies quarantine show`.
    """
    stack = stack_of(ctx)
    delivery = quarantine.find(quarantine.deliveries(stack, parse_since(since)), event)
    ask(f"Record {delivery.provider}/{plain(job)} as completed in {stack}, and archive its media?", yes=yes)
    chosen = role or quarantine.video_role(delivery.provider)
    released = quarantine.release(stack, delivery, job_id=job, url=link, role=chosen)
    if as_json:
        print_json({"event_id": released.event_id, "job_id": released.job_id, "role": chosen})
        return
    say(f"[green]Released[/]: {released.provider}/{plain(released.job_id)}, {chosen}.")
    say(f"[dim]See what happens: dailies job {plain(released.job_id)}[/]")


def _print_result(done: Sequence[Reparsed]) -> None:
    stayed = [one for one in done if one.reason]
    say(f"{counted(len(done) - len(stayed), 'delivery', 'deliveries')} parsed and recorded.")
    for reason, count in Counter(one.reason for one in stayed).most_common():
        say(f"[red]{count:,} stayed[/]: {plain(reason)}")


def _fields(delivery: Delivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in delivery.__slots__}
