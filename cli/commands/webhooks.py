"""`dailies webhooks captions`: the webhooks registered at Captions."""

from typing import Annotated

import typer

from cli import webhooks
from cli.commands.options import AsJson, Leaked, Yes, stack_of
from cli.output import ask, plain, print_json, print_table, say
from dailies.providers.contract import RegisteredWebhook

app = typer.Typer(no_args_is_help=True, help="Manage the webhooks registered at a provider: captions.")
captions = typer.Typer(
    no_args_is_help=True,
    help="Manage the webhooks registered at Captions. Captions allows five requests a minute.",
)
app.add_typer(captions, name="captions")

Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id at Captions.")]
Url = Annotated[str, typer.Option(metavar="URL", help="Another URL of this stack, such as a domain of yours.")]


def _without_secret(one: RegisteredWebhook) -> dict[str, object]:
    return {"id": one.id, "url": one.url, "events": sorted(one.events)}


@captions.command("events")
def list_events(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the events that a webhook can be registered for."""
    found = sorted(webhooks.events(stack_of(ctx)))
    if as_json:
        print_json(found)
        return
    for event in found:
        say(plain(event))


@captions.command("list")
def list_webhooks(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the account's webhooks, and which one is this stack's."""
    stack = stack_of(ctx)
    found, ours = webhooks.registered(stack), webhooks.url_of(stack)
    if as_json:
        print_json([{**_without_secret(one), "is_this_stack": one.url == ours} for one in found])
        return
    print_table(
        ("id", "", "URL", "events"),
        (
            (
                plain(one.id),
                "[green]this stack[/]" if one.url == ours else "",
                plain(one.url),
                plain(", ".join(sorted(one.events))),
            )
            for one in found
        ),
    )


@captions.command("register")
def register(ctx: typer.Context, *, url: Url = "", as_json: AsJson = False) -> None:
    """Register this stack's URL for all events, and store the signing secret.

    Uses a webhook that is registered already. If that lacks events, they are added, and Captions makes a new secret;
    this takes ten seconds.
    """
    stack = stack_of(ctx)
    one, is_new = webhooks.register(stack, url or webhooks.url_of(stack))
    if as_json:
        print_json({**_without_secret(one), "is_new": is_new})
        return
    say(f"{plain(one.url)} is {'registered' if is_new else 'registered already'}: {plain(one.id)}")
    say(f"Events: {plain(', '.join(sorted(one.events)))}")
    say(f"[dim]Its signing secret is stored in {webhooks.SIGNING}.[/]")


@captions.command("update")
def update(
    ctx: typer.Context,
    *,
    webhook_id: Id,
    url: Url = "",
    leaked: Leaked = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Give a webhook a new signing secret, with --url also another URL.

    Takes ten seconds, so that no delivery is rejected meanwhile.
    """
    stack = stack_of(ctx)
    known = webhooks.find(stack, webhook_id)
    ask(f"Make a new signing secret for {plain(webhook_id)} ({plain(known.url)}) and store it in {stack}?", yes=yes)
    one = webhooks.update(stack, known, url or None, leaked=leaked)
    if as_json:
        print_json(_without_secret(one))
        return
    say(f"{plain(one.id)} has a new signing secret, stored in {webhooks.SIGNING}.")


@captions.command("delete")
def delete(ctx: typer.Context, *, webhook_id: Id, yes: Yes = False) -> None:
    """Delete a webhook at Captions."""
    stack = stack_of(ctx)
    known = webhooks.find(stack, webhook_id)
    ask(f"Delete {plain(webhook_id)} ({plain(known.url)}) at Captions?", yes=yes)
    webhooks.delete(stack, webhook_id)
    say(f"{plain(webhook_id)} is deleted.")
