"""`dailies secrets`: which are set, new values, and the URLs that go with them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import secrets
from cli.commands.options import stack_of
from cli.errors import Refusal
from cli.output import Json, Yes, ask, print_json, print_table, say
from cli.secrets import NAMES
from cli.times import duration, shown
from dailies import timestamps
from dailies.providers.creatify import new_token

app = typer.Typer(no_args_is_help=True, help="The stack's secrets: which are set, new values, the webhooks' URLs.")


def _known(name: str) -> str:
    if name not in NAMES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(NAMES)}.")
    return name


Name = Annotated[str, typer.Argument(callback=_known, autocompletion=lambda: list(NAMES), help=", ".join(NAMES))]
Leaked = Annotated[bool, typer.Option("--leaked", help="The value before is known to others: it verifies no longer.")]


@app.command("list")
def list_secrets(ctx: typer.Context, *, json: Json = False) -> None:
    """Which secrets are set, and since when. No values."""
    found = secrets.states(stack_of(ctx))
    if json:
        print_json([
            {
                "name": state.name,
                "is_set": state.is_set,
                "changed_at": timestamps.from_datetime(state.changed_at) if state.changed_at else None,
                "stages": state.stages,
            }
            for state in found
        ])  # fmt: skip
        return
    print_table(
        ("secret", "", "since", "versions"),
        (
            (
                state.name,
                "[green]set[/]" if state.is_set else "[red]not set[/]",
                shown(timestamps.from_datetime(state.changed_at)) if state.changed_at else "",
                ", ".join(state.stages),
            )
            for state in found
        ),
    )


@app.command("set")
def set_secret(
    ctx: typer.Context,
    *,
    name: Name,
    file: Annotated[Path | None, typer.Option(help="Read the value from a file; - is the standard input.")] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="It is not in use yet: let it verify beside the current one.")
    ] = False,
    leaked: Leaked = False,
) -> None:
    """Set a secret: asked for without an echo, or from a file. It counts within a minute, an added one in five seconds.

    The value before verifies on for RotationGraceHours.
    """
    if pending and leaked:
        raise typer.BadParameter("leave out --pending: beside a value that is pending, the one that leaked verifies on")
    stack = stack_of(ctx)
    if file is None and not sys.stdin.isatty():
        raise Refusal("nobody is there to type it; give it with --file, where - is the standard input")
    if file is None:
        text = typer.prompt(f"{name}", hide_input=True)
    elif str(file) == "-":
        text = sys.stdin.read()
    else:
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal(f"{file} cannot be read ({type(error).__name__}); name another with --file") from None
    was_set = next(state.is_set for state in secrets.states(stack) if state.name == name)
    is_new = secrets.put(stack, name, secrets.check(name, text), pending=pending, leaked=leaked)
    word = "set" if is_new else "set so already"
    say(f"{name} of {stack} is {word}{', beside the current one' if pending else ''}.")
    if leaked:
        say("[dim]Every value before is dead within a minute.[/]")
    elif is_new and was_set and not pending and not name.endswith("/api"):
        hours = float(stack.parameters["RotationGraceHours"])
        say(f"[dim]The value before verifies for another {duration(hours * 3600)}.[/]")


@app.command("rotate")
def rotate(ctx: typer.Context, *, leaked: Leaked = False, yes: Yes = False, json: Json = False) -> None:
    """Make a new token for Creatify's URL. The URL before works on for RotationGraceHours, the one before that no more.

    The others are their providers': fetch or register anew there, then `dailies secrets set`.
    """
    stack = stack_of(ctx)
    over = "jobs under way at Creatify call in vain" if leaked else "jobs call in vain whose URL is of the token before"
    ask(f"Make a new token for Creatify's URL on {stack}? From then on, {over}.", yes=yes)
    secrets.put(stack, "creatify/token", new_token(), leaked=leaked)
    urls = secrets.webhook_urls(stack, reveal=True)
    url = urls["creatify/product_to_videos"]
    if json:
        print_json({"creatify/product_to_videos": url})
        return
    say(f"Give Creatify's calls this webhook_url from now on: {url}")
    if not leaked:
        hours = float(stack.parameters["RotationGraceHours"])
        say(f"[dim]The one before works for another {duration(hours * 3600)}.[/]")


@app.command("show-urls")
def show_urls(
    ctx: typer.Context,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="With Creatify's token, which is a secret.")] = False,
    json: Json = False,
) -> None:
    """The URLs to give to the providers."""
    stack = stack_of(ctx)
    urls = secrets.webhook_urls(stack, reveal=reveal)
    if json:
        print_json(urls)
        return
    print_table(("webhook", "URL"), urls.items())
    if not reveal:
        say("[dim]The token of Creatify's is a secret: --reveal shows it. Keep it out of logs and tickets.[/]")
