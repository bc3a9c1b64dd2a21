"""What all commands show alike: tables, JSON, questions, progress.

To a terminal in its width and colours; to a pipe as wide as the text is, so that `grep` sees whole lines.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cli.errors import Refusal

Json = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

PIPE_COLUMNS = 1000  # of what is not a terminal: no line is folded
GAP = 2  # columns of the terminal between two of a table
COLOURS = {
    "settled": "green", "archived": "green", "completed": "green", "OK": "green",
    "attention": "red", "failed": "red", "lost": "red", "canceled": "red", "ALARM": "red",
    "archiving": "yellow", "waiting": "yellow", "pending": "yellow", "processing": "yellow",
}  # fmt: skip


def console() -> Console:
    """Where results go."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def errors() -> Console:
    """Where everything else goes: questions, progress, refusals."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_COLUMNS)


def say(text: str = "") -> None:
    """A line of the result. Rich's markup counts: `plain` what comes from outside."""
    console().print(text, soft_wrap=True)


def plain(text: object) -> str:
    """Text from outside, without any power over the terminal."""
    return escape("".join(letter if letter.isprintable() else "�" for letter in str(text)))


def coloured(word: str) -> str:
    """A status, stage or state in its colour."""
    return f"[{COLOURS[word]}]{plain(word)}[/]" if word in COLOURS else plain(word)


def print_json(value: Any) -> None:
    """A value as JSON, without colours, whatever the terminal."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_of_row) + "\n")


def print_json_line(value: Any) -> None:
    """A value as one line of JSON, at once: for what is followed."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_of_row) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Lines under their heads, without a frame. Cells are markup: `plain` what comes from outside."""
    to = console()
    to.print(table(columns, lines, to))


def table(columns: Sequence[str], lines: Iterable[Sequence[str]], to: Console) -> Table:
    """The table, as wide as the console has room. Where that is too little for whole cells, they go on in the next
    line between words; within a word only where not even the longest words have room."""
    made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    rows = [*lines]
    for column, width in zip(columns, _widths([columns, *rows], to), strict=True):
        made.add_column(column, overflow="fold", width=width)
    for line in rows:
        made.add_row(*line)
    return made


def ask(question: str, *, yes: bool) -> None:
    """Go on only where the answer is yes. Without a terminal nobody can answer: then `--yes` has to."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refusal(f"{question} Nobody is there to answer; say --yes to go on")
    if not typer.confirm(question, err=True):
        raise Refusal("nothing was done")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar while long work goes on, on a terminal; hears how much more is done. `total`: None where nobody knows."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=errors(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)


def counted(number: int, one: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {one if number == 1 else f'{one}s'}"


def _widths(rows: Sequence[Sequence[str]], to: Console) -> list[int | None]:
    """How wide each column is where the whole is too wide: its longest word at least, and of what is left each gets
    the same until its longest cell has room. None: as Rich has it."""
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


def _of_row(value: Any) -> Any:
    """What a row has and JSON has not."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
