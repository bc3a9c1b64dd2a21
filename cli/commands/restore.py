"""`dailies restore`: put back the rows that the stack's table lacks."""

from typing import Annotated

import typer

from cli import restore as restoring
from cli.commands.options import stack_of
from cli.output import Json, Yes, ask, counted, print_json, progress, say


def restore(
    ctx: typer.Context,
    *,
    table: Annotated[str, typer.Argument(help="The table that was restored from a backup, beside the stack's.")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Put back the rows that the stack's table lacks, from a restored table.

    A row that is there stays as it is. What comes back is merged and announced like new, under the ids it had.
    """
    stack = stack_of(ctx)
    ask(f"Put back what the table of {stack} lacks of {table}?", yes=yes)
    with progress("restore", None) as more:
        done = restoring.restore(stack, table, more)
    if json:
        print_json({"put_back": done.put_back, "there": done.there})
    else:
        say(f"{counted(done.put_back, 'row')} put back; {counted(done.there, 'row')} there already.")
