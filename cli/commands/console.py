"""`dailies console`: the web console on this machine."""

from typing import Annotated

import typer

from cli.commands.options import stack_of
from cli.output import say


def console(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Listen on this port; 0 picks a free one.", show_default="8780"
        ),
    ] = None,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open the console in the browser.")] = True,
) -> None:
    """Show jobs, videos, queues and figures in the browser.

    Serves a page on 127.0.0.1 with your own AWS credentials, for every user of this machine. Ctrl-C stops it.
    """
    # The console's packages take half a second to load, which no other command should wait for.
    from cli.console import serving  # noqa: PLC0415

    stack = stack_of(ctx)
    listener = serving.listening(port)
    say(f"Console of {stack.name}: {serving.address(listener)} (Ctrl-C stops it)")
    serving.serve(stack, listener, opens=opens)
