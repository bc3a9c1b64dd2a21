"""dailies: the operator's command.

What it ends with: 0 done, 1 not found, refused or failed, 2 not understood, 130 interrupted.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from cli import errors as refusal
from cli import output
from cli.__main__ import INTERRUPTED
from cli.commands import (
    console,
    doctor,
    hooks,
    jobs,
    media,
    quarantine,
    queues,
    replay,
    restore,
    secrets,
    track,
    trigger,
)
from cli.commands import events as arrivals
from cli.commands.options import Options
from cli.errors import Refusal
from dailies.errors import DailiesError

LOOK, MEND, SET_UP = "See what came and what became of it", "Put it right", "Set it up and try it"

HELP = """
The command of Dailies: see what the providers sent and what became of it, put right what is stuck, and try it out.

It means the stack that `make up` started on this machine; with --stack, --profile or --region one on AWS, reached with
your own credentials. These three may stand anywhere in the line.
"""
EPILOG = """
Reads take --json. It ends with 0 when done, 1 when something was not found, refused or failed, 2 when it was not
understood, 130 when interrupted. `dailies COMMAND --help` says more.
"""

NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class Command(TyperGroup):
    """The command, which ends at a question as it ends elsewhere when it is interrupted."""

    def invoke(self, ctx: Any) -> Any:  # the context is Click's, which Typer keeps to itself
        try:
            return super().invoke(ctx)
        except typer.Abort:
            output.errors().print()  # the shell goes on in a line of its own
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="dailies",
    cls=Command,
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("jobs", rich_help_panel=LOOK)(jobs.list_jobs)
app.command("job", rich_help_panel=LOOK)(jobs.show_job)
app.command("media", rich_help_panel=LOOK)(media.media)
app.command("events", rich_help_panel=LOOK)(arrivals.events)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=LOOK)
app.command("console", rich_help_panel=LOOK)(console.console)
app.command("queues", rich_help_panel=LOOK)(queues.queues)
app.command("redrive", rich_help_panel=MEND)(queues.redrive)
app.command("replay", rich_help_panel=MEND)(replay.replay)
app.command("restore", rich_help_panel=MEND)(restore.restore)
app.command("trigger", rich_help_panel=SET_UP)(trigger.trigger)
app.command("track", rich_help_panel=SET_UP)(track.track)
app.command("submit", rich_help_panel=SET_UP)(track.submit)
app.add_typer(secrets.app, name="secrets", rich_help_panel=SET_UP)
app.add_typer(hooks.app, name="hooks", rich_help_panel=SET_UP)
app.command("doctor", rich_help_panel=LOOK)(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        output.say(f"dailies {metadata.version('dailies')}")
        raise typer.Exit


@app.callback()
def connection(
    ctx: typer.Context,
    stack: Annotated[str | None, typer.Option(envvar="DAILIES_STACK", help="A deployed stack.")] = None,
    profile: Annotated[str | None, typer.Option(help="A profile of your AWS configuration.")] = None,
    region: Annotated[str | None, typer.Option(help="Where that stack is.")] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The options that say which stack is meant."""
    ctx.obj = Options(stack, profile, region)


def in_front(arguments: Sequence[str]) -> list[str]:
    """The arguments with those that say which stack is meant first, where the parser wants them."""
    front: list[str] = []
    rest = list(arguments)
    ours = ("--stack", "--profile", "--region")
    number = 0
    while number < len(rest) and rest[number] != "--":
        if rest[number] in ours:
            if not rest[number + 1 :] or rest[number + 1].startswith("-"):
                return [*front, rest[number]]  # without a value: the parser says so
            front += rest[number : number + 2]
            del rest[number : number + 2]
        elif rest[number].startswith(tuple(f"{name}=" for name in ours)):
            front.append(rest.pop(number))
        else:
            number += 1
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Always ends with SystemExit."""
    try:
        _run(in_front(sys.argv[1:] if arguments is None else arguments))
    except Refusal as refused:
        said = str(refused)
    except DailiesError as error:
        said = str(refusal.of_ours(error))
    except (BotoCoreError, ClientError) as error:
        said = str(refusal.of_aws(error))
    except BrokenPipeError:  # `dailies jobs | head`: whoever reads has enough
        _leave_unwritten()
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in NOT_WRITTEN:
            raise
        _leave_unwritten()
        said = f"what it says cannot be written: {error.strerror}; write it to another place"
    else:
        raise SystemExit(0)
    output.errors().print(f"[red]dailies:[/] {output.plain(said)}", soft_wrap=True)
    raise SystemExit(1)


def _run(arguments: Sequence[str]) -> None:
    """Run it, and write all that it says while it can still be told that this fails."""
    try:
        app(args=arguments, prog_name="dailies")
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # Rich and Typer each make a failure of it
            raise ended.__context__ from None
        sys.stdout.flush()
        raise


def _leave_unwritten() -> None:
    """Python writes what is left when it ends, and would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
