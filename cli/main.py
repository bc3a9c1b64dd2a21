"""dailies: the operator's command.

Exit codes: 0 success, 1 an error or nothing found, 2 wrong usage, 130 interrupted.
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

from cli import errors, output
from cli.__main__ import INTERRUPTED
from cli.commands import (
    console,
    doctor,
    events,
    jobs,
    media,
    quarantine,
    queues,
    replay,
    restore,
    secrets,
    track,
    trigger,
    webhooks,
)
from cli.commands.options import Options
from cli.errors import CliError
from dailies.errors import DailiesError

INSPECT, REPAIR, SET_UP = "Inspect", "Repair", "Set up and test"

HELP = """
Inspect jobs, repair failed work, and set up Dailies.

Works on the local stack that `make up` started. With --stack, --profile or --region it works on a stack on AWS, with
your AWS credentials. These options may be anywhere in the command line.
"""
EPILOG = """
Exit codes: 0 success, 1 an error or nothing found, 2 wrong usage, 130 interrupted. More: `dailies COMMAND --help`.
"""

NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class Command(TyperGroup):
    """The command. Ctrl-C at a question exits with 130, as everywhere else."""

    def invoke(self, ctx: Any) -> Any:  # the type of the context is private to Typer
        try:
            return super().invoke(ctx)
        except typer.Abort:
            output.errors().print()  # so that the shell's prompt starts on a new line
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
app.command("jobs", rich_help_panel=INSPECT)(jobs.list_jobs)
app.command("job", rich_help_panel=INSPECT)(jobs.show_job)
app.command("media", rich_help_panel=INSPECT)(media.media)
app.command("events", rich_help_panel=INSPECT)(events.events)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=INSPECT)
app.command("console", rich_help_panel=INSPECT)(console.console)
app.command("queues", rich_help_panel=INSPECT)(queues.queues)
app.command("redrive", rich_help_panel=REPAIR)(queues.redrive)
app.command("replay", rich_help_panel=REPAIR)(replay.replay)
app.command("restore", rich_help_panel=REPAIR)(restore.restore)
app.command("trigger", rich_help_panel=SET_UP, epilog=trigger.CASES_HELP)(trigger.trigger)
app.command("track", rich_help_panel=SET_UP)(track.track)
app.command("submit", rich_help_panel=SET_UP)(track.submit)
app.add_typer(secrets.app, name="secrets", rich_help_panel=SET_UP)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=SET_UP)
app.add_typer(webhooks.app, name="hooks", hidden=True)
app.command("doctor", rich_help_panel=INSPECT)(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        output.say(f"dailies {metadata.version('dailies')}")
        raise typer.Exit


@app.callback()
def connection(
    ctx: typer.Context,
    stack: Annotated[str | None, typer.Option(metavar="NAME", envvar="DAILIES_STACK", help="The stack on AWS.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="The profile of your AWS configuration.")] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="The stack's region.")] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The options that choose the stack."""
    ctx.obj = Options(stack, profile, region)


def in_front(arguments: Sequence[str]) -> list[str]:
    """The arguments with the options of the stack first, where the parser expects them."""
    front: list[str] = []
    rest = list(arguments)
    ours = ("--stack", "--profile", "--region")
    number = 0
    while number < len(rest) and rest[number] != "--":
        if rest[number] in ours:
            if not rest[number + 1 :] or rest[number + 1].startswith("-"):
                return [*front, rest[number]]  # without a value: the parser reports it
            front += rest[number : number + 2]
            del rest[number : number + 2]
        elif rest[number].startswith(tuple(f"{name}=" for name in ours)):
            front.append(rest.pop(number))
        else:
            number += 1
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Always raises SystemExit."""
    output.replace_unprintable()
    try:
        _run(in_front(sys.argv[1:] if arguments is None else arguments))
    except CliError as error:
        message = str(error)
    except DailiesError as error:
        message = str(errors.of_ours(error))
    except (BotoCoreError, ClientError) as error:
        message = str(errors.of_aws(error))
    except BrokenPipeError:  # `dailies jobs | head`: the reader has enough
        _discard_output()
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno in NOT_WRITTEN:
            _discard_output()
            message = f"Cannot write the output: {error.strerror}. Write it to another place."
        elif error.filename:  # such as a profile's token file
            message = f"Cannot read {error.filename}: {error.strerror}. Fix its path, or name another --profile."
        else:
            raise
    else:
        raise SystemExit(0)
    output.errors().print(f"[red]dailies:[/] {output.plain(message)}", soft_wrap=True)
    raise SystemExit(1)


def _run(arguments: Sequence[str]) -> None:
    """Run it, and flush its output while an error can still be reported."""
    try:
        app(args=arguments, prog_name="dailies")
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # Rich and Typer turn it into a failure
            raise ended.__context__ from None
        sys.stdout.flush()
        raise


def _discard_output() -> None:
    """Let Python's own flush at exit succeed: it would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
