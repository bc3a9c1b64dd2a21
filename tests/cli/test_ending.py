"""How the command ends on an interrupt, a closed pipe, or an output that cannot be written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

from cli.main import main
from testkit.fixtures.cli import dailies

COMMAND = Path(sys.executable).parent / "dailies"
INTERRUPTED = 130
# Like a terminal's Ctrl-C while the packages load, always at the same place; also if SIGINT is ignored, as in a shell's
# background.
IS_INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.raise_signal(signal.SIGINT)
"""


class Keyboard:
    """A terminal whose user answers a question with Ctrl-C."""

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        raise KeyboardInterrupt


@pytest.fixture(params=[-1, 1], ids=["at the end", "each line"])
def unread(request: pytest.FixtureRequest) -> Iterator[TextIO]:
    """A pipe whose reader has closed it, as `head` does after its lines: noticed at the end, or at each line."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w", buffering=request.param) as pipe:
        yield pipe


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A file on a full disk."""
    with Path("/dev/full").open("w") as file:
        yield file


def ended_into(file: TextIO, *arguments: str) -> tuple[int, str]:
    """The command's exit code and error output when it writes there."""
    said = StringIO()
    with redirect_stdout(file), redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), said.getvalue()


@pytest.mark.parametrize("package", ["typer", "botocore"])
def test_an_interrupt_during_start_prints_nothing(tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text(IS_INTERRUPTED)
    done = subprocess.run(
        [str(COMMAND), "--help"], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "", "")


@pytest.mark.usefixtures("deployed")
def test_interrupted_at_a_question_it_ends_as_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard())
    done = dailies("secrets", "rotate", "--stack", "dailies")
    assert (done.code, done.out.strip()) == (INTERRUPTED, "")
    assert done.err.startswith("Make a new token for Creatify's URL on dailies in us-east-1?")
    assert "Aborted" not in done.err


def test_its_help_lists_the_exit_codes() -> None:
    said = " ".join(dailies("--help").out.split())
    for ending in ("0 success", "1 an error or nothing found", "2 wrong usage", "130 interrupted"):
        assert ending in said


def test_a_closed_pipe_ends_it(unread: TextIO) -> None:
    assert ended_into(unread, "--help") == (0, "")


def test_a_full_disk_is_reported_in_one_line(full: TextIO) -> None:
    """Python itself, which flushes output when the process ends, does not fail either."""
    said = "dailies: Cannot write the output: No space left on device. Write it to another place.\n"
    done = subprocess.run([str(COMMAND), "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_same_of_what_a_command_found(unread: TextIO, full: TextIO, more: tuple[str, ...]) -> None:
    arguments = ("quarantine", "list", "--since", "1d", *more, "--stack", "dailies")
    assert ended_into(unread, *arguments) == (0, "")
    code, said = ended_into(full, *arguments)
    assert (code, said.count("\n"), "No space left on device" in said) == (1, 1, True)
