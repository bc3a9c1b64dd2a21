"""`dailies secrets`: which secrets are set, new values, and the webhooks' URLs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import secrets
from cli.commands.options import AsJson, Leaked, Yes, listed, one_of, stack_of
from cli.errors import CliError
from cli.formats import short_time, span
from cli.output import ask, plain, print_json, print_table, say
from cli.secrets import NAMES
from cli.stack import Stack
from dailies import timestamps
from dailies.providers.creatify import new_token

HOUR = 3600

app = typer.Typer(no_args_is_help=True, help="List and set the stack's secrets, and show the webhooks' URLs.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", callback=one_of(NAMES), autocompletion=lambda: list(NAMES), help=f"One of: {listed(NAMES)}."
    ),
]


@app.command("list")
def list_secrets(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List which secrets are set, and since when. Prints no values."""
    found = secrets.states(stack_of(ctx))
    if as_json:
        print_json([
            {
                "name": state.name,
                "is_set": state.is_set,
                "problem": state.problem or None,
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
                _words(state),
                short_time(timestamps.from_datetime(state.changed_at)) if state.changed_at else "",
                ", ".join(state.stages),
            )
            for state in found
        ),
    )


def _words(state: secrets.State) -> str:
    if state.problem:
        return f"[red]unusable[/]: {plain(state.problem)}"
    return "[green]set[/]" if state.is_set else "[red]not set[/]"


@app.command("set")
def set_secret(
    ctx: typer.Context,
    *,
    name: Name,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the value from a file; - reads standard input.")
    ] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="Accept the value beside the current one; it is not in use yet.")
    ] = False,
    leaked: Leaked = False,
) -> None:
    """Set a secret. Prompts for the value without showing it, or reads a file.

    Takes effect within a minute. The previous value stays valid for RotationGraceHours.
    """
    if pending and leaked:
        raise typer.BadParameter("--leaked sets the current value, so that the old one is invalid; omit --pending.")
    stack = stack_of(ctx)
    text = _read(name, file)
    was_set = next(state.is_set for state in secrets.states(stack) if state.name == name)
    is_new = secrets.put(stack, name, secrets.check(name, text), pending=pending, leaked=leaked)
    state = "set" if is_new else "set to this value already"
    say(f"{name} of {stack} is {state}{', as the pending value' if pending else ''}.")
    if leaked:
        say("[dim]All previous values are invalid within a minute.[/]")
    elif is_new and was_set and not pending and not name.endswith("/api"):
        say(f"[dim]The previous value stays valid for {_grace(stack)}.[/]")


def _read(name: str, file: Path | None) -> str:
    """The value, as it was typed or read."""
    if file is None:
        if not sys.stdin.isatty():
            raise CliError(
                "Cannot prompt for the value without a terminal. Pass it with --file; - reads standard input."
            )
        text: str = typer.prompt(name, hide_input=True)
        return text
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text()
    except OSError as error:
        raise CliError(f"Cannot read {file}: {error.strerror}. Pass another file with --file.") from None
    except UnicodeDecodeError:
        raise CliError(f"Cannot read {file}: it is not UTF-8 text. Pass another file with --file.") from None


@app.command("rotate")
def rotate(ctx: typer.Context, *, leaked: Leaked = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Make a new token for Creatify's webhook URL.

    The previous URL works for RotationGraceHours, the one before it no longer. Other secrets come from their provider:
    make a new one there, then `dailies secrets set`.
    """
    stack = stack_of(ctx)
    lost = "running jobs" if leaked else "jobs that use the URL before the current one"
    ask(f"Make a new token for Creatify's URL on {stack}? Deliveries of {lost} will be rejected.", yes=yes)
    secrets.put(stack, "creatify/token", new_token(), leaked=leaked)
    url = secrets.webhook_urls(stack, reveal=True)["creatify/product_to_videos"]
    if as_json:
        print_json({"creatify/product_to_videos": url})
        return
    say(f"Use this webhook_url for Creatify's jobs from now on: {url}")
    if not leaked:
        say(f"[dim]The previous one works for another {_grace(stack)}.[/]")


@app.command("show-urls")
def show_urls(
    ctx: typer.Context,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Include Creatify's token, which is a secret.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the webhook URLs to give to the providers."""
    urls = secrets.webhook_urls(stack_of(ctx), reveal=reveal)
    if as_json:
        print_json(urls)
        return
    print_table(("webhook", "URL"), urls.items())
    if not reveal:
        say("[dim]Creatify's token is a secret. Show it with --reveal, and keep it out of logs and tickets.[/]")


def _grace(stack: Stack) -> str:
    return span(float(stack.parameters["RotationGraceHours"]) * HOUR)
