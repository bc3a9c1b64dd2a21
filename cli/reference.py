"""`python -m cli.reference`: write docs/cli.md from the command's own help. `make docs` runs it."""

from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from cli.main import app

PAGE = Path(__file__).resolve().parent.parent / "docs/cli.md"
HEAD = """\
# The `dailies` command

Generated from `dailies --help` by `make docs`. What to use when: [operations](operations.md#the-command).

"""


def reference() -> str:
    """The page, as Typer writes it, with each summary whole: its own list cuts them at 45 characters."""
    command = typer.main.get_command(app)
    _drop_hidden(command)
    _summarise(command)
    written = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="dailies"), indent=1, name="dailies")
    return HEAD + written.strip() + "\n"


def _drop_hidden(command: Any) -> None:
    """Take out the old names that still work: the help does not list them, but Typer's page would."""
    for name, each in list(getattr(command, "commands", {}).items()):
        if each.hidden:
            del command.commands[name]


def _summarise(command: Any) -> None:
    """Set the summary of each command below this one to the first paragraph of its help."""
    for each in getattr(command, "commands", {}).values():
        each.short_help = " ".join((each.help or "").strip().partition("\n\n")[0].split())
        _summarise(each)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
