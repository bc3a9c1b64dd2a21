"""Which stack a command means."""

from dataclasses import dataclass
from functools import cached_property

import typer

from cli import stack
from cli.stack import Stack


@dataclass(frozen=True)
class Options:
    """As they were given. The stack is connected to when a command first needs it: some need none."""

    name: str | None
    profile: str | None
    region: str | None

    @cached_property
    def stack(self) -> Stack:
        return stack.connect(self.name, profile=self.profile, region=self.region)


def stack_of(ctx: typer.Context) -> Stack:
    """The stack that is meant; a Refusal where it cannot be reached."""
    options: Options = ctx.obj
    return options.stack
