"""A table on a narrow terminal: cells wrap between words."""

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from cli import output

HEADS = ("", "about", "is", "what to do")
RINGS = "rings: " + "nothing was archived for a while " * 3
LINES = (
    ("[red]wrong[/]", "NothingArchivedAlarm", RINGS, "docs/operations.md#alarms"),
    ("[green]ok[/]", "clock", "as somebody, within 30 s of AWS's", ""),
    ("[red]wrong[/]", "queue archive", "3 failed", "`dailies queues archive`, then `dailies redrive archive`"),
)


def printed(columns: int, lines: tuple[tuple[str, ...], ...] = LINES) -> list[str]:
    """The lines on a terminal of this number of columns."""
    console = Console(file=StringIO(), width=columns, highlight=False)
    console.print(output.table(HEADS, lines, console))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("columns", [70, 80, 100, 120])
def test_words_are_left_whole(columns: int) -> None:
    shown = printed(columns)
    assert max(map(len, shown)) <= columns
    words = {Text.from_markup(word).plain for line in (HEADS, *LINES) for cell in line for word in cell.split()}
    assert {word for line in shown for word in line.split()} == words


def test_with_enough_room_no_line_wraps() -> None:
    assert len(printed(300)) == 1 + len(LINES)


def test_a_word_longer_than_the_terminal_is_folded_and_whole() -> None:
    shown = printed(40, (("ok", "x" * 90, "y", "z"),))
    assert max(map(len, shown)) <= 40
    assert "".join(shown).count("x") == 90
