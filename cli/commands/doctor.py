"""`dailies doctor`: whether the stack is in order, and what to do where it is not."""

from dataclasses import asdict

import typer

from cli import doctor as looking
from cli.commands.options import stack_of
from cli.output import Json, plain, print_json, print_table

SIGNS = {"ok": "[green]ok[/]", "look": "[yellow]look[/]", "wrong": "[red]wrong[/]"}


def doctor(ctx: typer.Context, *, json: Json = False) -> None:
    """Look whether the stack is in order: clock, secrets, the providers' answers, alarms, queues. Ends with 1 where
    something is wrong."""
    found = list(looking.findings(stack_of(ctx)))
    if json:
        print_json([asdict(one) for one in found])
    else:
        print_table(
            ("", "about", "is", "what to do"),
            ((SIGNS[one.word], plain(one.about), plain(one.said), plain(one.next_step)) for one in found),
        )
    if any(one.word == "wrong" for one in found):
        raise typer.Exit(1)
