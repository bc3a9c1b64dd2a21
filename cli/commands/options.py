"""Options and arguments that several commands share, and the stack that a command works on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import typer

from cli import jobs, stack
from cli.jobs import STAGES
from cli.stack import Stack
from cli.times import timestamp_since
from dailies.jobs.models import Stage


@dataclass(frozen=True)
class Options:
    """The stack's options as given. The connection is made when a command first needs it; some commands never do."""

    name: str | None
    profile: str | None
    region: str | None

    @cached_property
    def stack(self) -> Stack:
        return stack.connect(self.name, profile=self.profile, region=self.region)


def stack_of(ctx: typer.Context) -> Stack:
    """The stack to work on. Raises CliError if it cannot be reached."""
    options: Options = ctx.obj
    return options.stack


def listed(values: Iterable[str]) -> str:
    """Values as help and errors list them."""
    return ", ".join(values)


def one_of(values: Sequence[str]) -> Callable[[str | None], str | None]:
    """A callback that accepts only these values. Raises BadParameter for another value."""

    def check(value: str | None) -> str | None:
        if value and value not in values:
            raise typer.BadParameter(f"{value!r} is not one of {listed(values)}.")
        return value

    return check


def _check_since(text: str) -> str:
    """Raises BadParameter before anything is read from the stack."""
    if text:
        timestamp_since(text)
    return text


ProviderOption = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="NAME",
        callback=one_of(jobs.PROVIDERS),
        autocompletion=lambda: jobs.PROVIDERS,
        help=f"Only this provider: {listed(jobs.PROVIDERS)}.",
    ),
]
StageOption = Annotated[
    Stage | None, typer.Option("--stage", metavar="STAGE", help=f"Only jobs at this stage: {listed(STAGES)}.")
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--since",
        metavar="TIME",
        callback=_check_since,
        help="Only what is newer: a span (30m, 2h, 7d) or a date (2026-11-25, 2026-11-25T09:30Z).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Leaked = Annotated[
    bool, typer.Option("--leaked", help="Invalidate the previous value at once, because others know it.")
]
