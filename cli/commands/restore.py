"""`dailies restore`: copy the rows that the stack's table lacks from a restored table."""

from typing import Annotated

import typer

from cli import restore as restores
from cli.commands.options import AsJson, Yes, stack_of
from cli.formats import counted
from cli.output import ask, print_json, progress, say


def restore(
    ctx: typer.Context,
    *,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The name of the table restored from a backup.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Copy the rows that the stack's table lacks from a restored table.

    Existing rows are not overwritten. Copied rows are merged and announced like new ones, with their old ids.
    """
    stack = stack_of(ctx)
    ask(f"Copy the rows that {stack} lacks from {table}?", yes=yes)
    with progress("Restoring", None) as more:
        done = restores.restore(stack, table, more)
    if as_json:
        print_json({"put_back": done.put_back, "there": done.there})
    else:
        say(f"{counted(done.put_back, 'row')} copied; {counted(done.there, 'row')} existed already.")
