"""What every command prints: results, tables, JSON, questions, progress.

A terminal gets its own width and colours. A pipe gets whole lines, so that `grep` works.
"""

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cli.errors import CliError

PIPE_COLUMNS = 1000  # wide enough that no line is folded
GAP = 2  # columns between two cells of a table
COLOURS = {
    "settled": "green", "archived": "green", "completed": "green", "OK": "green",
    "attention": "red", "failed": "red", "lost": "red", "canceled": "red", "ALARM": "red",
    "archiving": "yellow", "waiting": "yellow", "pending": "yellow", "processing": "yellow",
}  # fmt: skip


def replace_unprintable() -> None:
    """Print `?` for characters that the encoding of the output lacks, such as ASCII in a bare container."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console() -> Console:
    """Standard output, for results."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def errors() -> Console:
    """Standard error, for questions, progress and errors."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_COLUMNS)


def say(text: str = "") -> None:
    """Print a line of the result. It may hold Rich's markup; pass text from outside through `plain`."""
    console().print(text, soft_wrap=True)


def plain(text: object) -> str:
    """Text from outside, with markup and control characters made harmless."""
    return escape("".join(letter if letter.isprintable() else "�" for letter in str(text)))


def coloured(word: str) -> str:
    """A status, stage or state in its colour."""
    return f"[{COLOURS[word]}]{plain(word)}[/]" if word in COLOURS else plain(word)


def print_json(value: Any) -> None:
    """Print a value as indented JSON, without colours."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_json_value) + "\n")


def print_json_line(value: Any) -> None:
    """Print a value as one line of JSON and flush it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_json_value) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print a table without a frame. Cells may hold markup; pass text from outside through `plain`."""
    to = console()
    to.print(table(columns, lines, to))


def table(columns: Sequence[str], lines: Iterable[Sequence[str]], to: Console) -> Table:
    """A table that fits the console. Cells that do not fit wrap between words; a word is broken only if the longest
    words of all columns do not fit side by side."""
    made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    rows = [*lines]
    for column, width in zip(columns, _widths([columns, *rows], to), strict=True):
        made.add_column(column, overflow="fold", width=width)
    for line in rows:
        made.add_row(*line)
    return made


def ask(question: str, *, yes: bool) -> None:
    """Ask a yes-or-no question unless `yes`. Raises CliError if the answer is no, or no terminal is there to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(f"{question} Cannot ask without a terminal. Confirm with --yes.")
    if not typer.confirm(question, err=True):
        raise CliError("Canceled; nothing was changed.")


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, with a function that advances it. `total` is None if it is not known."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=errors(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)


def _widths(rows: Sequence[Sequence[str]], to: Console) -> list[int | None]:
    """The columns' widths. If the table is too wide, each column gets its longest word, and the rest of the room is
    shared until a column's longest cell fits. None leaves a width to Rich."""
    measured = [[to.measure(Text.from_markup(cell)) for cell in cells] for cells in zip(*rows, strict=True)]
    widths = [max(cell.minimum for cell in cells) for cells in measured]
    whole = [max(cell.maximum for cell in cells) for cells in measured]
    room = to.width - GAP * (len(widths) - 1)
    if sum(whole) <= room or sum(widths) > room:
        return [None] * len(widths)
    for _ in range(room - sum(widths)):
        narrowest = min(
            (number for number in range(len(widths)) if widths[number] < whole[number]), key=widths.__getitem__
        )
        widths[narrowest] += 1
    return [*widths]


def _json_value(value: Any) -> Any:
    """Values of DynamoDB rows that JSON does not know."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
