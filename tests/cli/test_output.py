"""The command's output if the encoding lacks a character, as in a container without a locale."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from cli import output
output.replace_unprintable()
output.say("a job of é 日")
output.print_json({"id": "日"})
"""


@pytest.mark.parametrize(("encoding", "printed"), [("ascii", "a job of ? ?"), ("latin-1", "a job of é ?")])
def test_a_character_that_it_lacks_becomes_a_question_mark(encoding: str, printed: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True)
    assert done.stdout.decode(encoding) == f'{printed}\n{{\n  "id": "?"\n}}\n'
