"""How the command ends when it is interrupted, when nobody reads on, and when what it says cannot be written."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "dailies"
INTERRUPTED = 130
# As a terminal's Ctrl-C while the packages load, at the same place each time; also where SIGINT is ignored, as in a
# shell's background.
IS_INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.parametrize("package", ["typer", "botocore"])
def test_interrupted_while_it_starts_it_says_nothing(tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text(IS_INTERRUPTED)
    done = subprocess.run(
        [str(COMMAND), "--help"], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (INTERRUPTED, "", "")
