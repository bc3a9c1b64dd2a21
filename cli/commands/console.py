"""`dailies console`: the page."""

from typing import Annotated

import typer

from cli.commands.options import stack_of
from cli.output import say


def console(
    ctx: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where it listens; 0: where it is free.", show_default="8780")
    ] = None,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Show it in the browser.")] = True,
) -> None:
    """Serve a page on this machine: jobs as they come, their videos, the queues, the figures.

    It listens on 127.0.0.1 alone and acts with your own credentials, for whoever is logged in on this machine. Ctrl-C
    ends it.
    """
    # The page's packages take half a second to load: no other command waits for them.
    from cli.console import serving  # noqa: PLC0415

    stack = stack_of(ctx)
    listener = serving.listening(port)
    say(f"The console of {stack.name}: {serving.address(listener)}  (Ctrl-C ends it)")
    serving.serve(stack, listener, opens=opens)
