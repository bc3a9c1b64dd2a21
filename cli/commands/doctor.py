"""`dailies doctor`: checks of the stack, with the next step for each problem."""

from dataclasses import asdict

import typer

from cli import doctor as checks
from cli.commands.options import AsJson, stack_of
from cli.output import plain, print_json, print_table

SIGNS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "error": "[red]error[/]"}


def doctor(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Check the stack: clock, secrets, provider APIs, alarms, concurrency, queues.

    Exits with 1 if a check finds an error.
    """
    found = list(checks.findings(stack_of(ctx)))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(
            ("", "check", "finding", "next step"),
            ((SIGNS[one.status], plain(one.about), plain(one.message), plain(one.next_step)) for one in found),
        )
    if any(one.status == "error" for one in found):
        raise typer.Exit(1)
