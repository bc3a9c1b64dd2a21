"""`dailies hooks captions`: the webhooks that are registered at Captions."""

from typing import Annotated

import typer

from cli import webhooks
from cli.commands.options import stack_of
from cli.commands.secrets import Leaked
from cli.output import Json, Yes, ask, plain, print_json, print_table, say
from dailies.providers.contract import RegisteredWebhook

app = typer.Typer(no_args_is_help=True, help="The webhooks that are registered at a provider.")
captions = typer.Typer(no_args_is_help=True, help="Captions'. Its key is the stack's; five calls a minute.")
app.add_typer(captions, name="captions")

Id = Annotated[str, typer.Argument(help="The webhook's id at Captions.")]
Url = Annotated[str, typer.Option(help="Another URL that leads to this stack, such as a domain of yours.")]


def _told(one: RegisteredWebhook) -> dict[str, object]:
    return {"id": one.id, "url": one.url, "events": sorted(one.events)}  # its secret is nobody's to see


@captions.command("events")
def list_events(ctx: typer.Context, *, json: Json = False) -> None:
    """What a webhook can be called for."""
    found = sorted(webhooks.events(stack_of(ctx)))
    if json:
        print_json(found)
        return
    for event in found:
        say(plain(event))


@captions.command("list")
def list_hooks(ctx: typer.Context, *, json: Json = False) -> None:
    """Those of the account; whether one is this stack's."""
    stack = stack_of(ctx)
    found, ours = webhooks.registered(stack), webhooks.url_of(stack)
    if json:
        print_json([{**_told(one), "is_this_stack": one.url == ours} for one in found])
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
def register(ctx: typer.Context, *, url: Url = "", json: Json = False) -> None:
    """Register this stack's URL for all events, and set the secret that comes back. One that is there is taken on.

    Where that one lacks events, it is given them, and with them a new secret, which takes ten seconds."""
    stack = stack_of(ctx)
    one, is_new = webhooks.register(stack, url or webhooks.url_of(stack))
    if json:
        print_json({**_told(one), "is_new": is_new})
        return
    say(f"{plain(one.url)} is {'registered' if is_new else 'registered already'}: {plain(one.id)}")
    say(f"It is called for {plain(', '.join(sorted(one.events)))}.")
    say(f"[dim]Its secret is in {webhooks.SIGNING}.[/]")


@captions.command("update")
def update(
    ctx: typer.Context, *, webhook_id: Id, url: Url = "", leaked: Leaked = False, yes: Yes = False, json: Json = False
) -> None:
    """Give a webhook a new secret, and this stack too; with --url another URL.

    Takes ten seconds: the receivers are told first, so that no call is refused meanwhile."""
    stack = stack_of(ctx)
    known = webhooks.find(stack, webhook_id)
    ask(f"Give {plain(webhook_id)}, which calls {plain(known.url)}, a new secret, and {stack}?", yes=yes)
    one = webhooks.update(stack, known, url or None, leaked=leaked)
    if json:
        print_json(_told(one))
        return
    say(f"{plain(one.id)} has a new secret, and {webhooks.SIGNING} too.")


@captions.command("delete")
def delete(ctx: typer.Context, *, webhook_id: Id, yes: Yes = False) -> None:
    """Take a webhook away: Captions calls it no more."""
    stack = stack_of(ctx)
    known = webhooks.find(stack, webhook_id)
    ask(f"Delete {plain(webhook_id)}, which calls {plain(known.url)}, at Captions?", yes=yes)
    webhooks.delete(stack, webhook_id)
    say(f"{plain(webhook_id)} is gone.")
