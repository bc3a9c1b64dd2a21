"""docs/unproven.md lists which of the template's properties the emulator ignores and which it reads: both lists match
the emulator.
"""

import json
import os
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from testkit.support.template import ROOT

UNPROVEN = ROOT / "docs/unproven.md"
READ = "read"  # testkit/support/emulated_properties.py's words; importing it would import all of the emulator
WORDS = {"ignores": "ignored", "keeps": READ, "refuses": "refused"}


class Listed(NamedTuple):
    """A table's line about one name: what the emulator does, in its first word, and what else checks it."""

    does: str
    second_opinion: str


def rows() -> dict[tuple[str, str], Listed]:
    """The listed names, by resource type and the name of a property, which covers all below it."""
    found: dict[tuple[str, str], Listed] = {}
    for line in UNPROVEN.read_text().splitlines():
        if line.startswith("| `AWS::"):
            kind, names, *rest = (cell.strip() for cell in line.strip("|").split(" | "))
            does, second_opinion = rest or ("acts", "")
            for name in re.findall(r"`([A-Z]\w+(?:\.\w+)*)`", names):
                key = (kind.strip("` "), name)
                assert key not in found, f"{key} is listed twice"
                found[key] = Listed(does.split()[0], second_opinion.strip())
    return found


ROWS = rows()


def row_of(property_name: str) -> tuple[str, str] | None:
    """The line about a property: the one with the longest name that is the property or contains it."""
    kind, name = property_name.split(" ", 1)
    steps = name.split(".")
    above = [(kind, ".".join(steps[:number])) for number in range(len(steps), 0, -1)]
    return next((each for each in above if each in ROWS), None)


@pytest.fixture(scope="module")
def readings() -> dict[str, str]:
    """What the emulator does with each property that the template uses."""
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/dailies/python")])}
    command = [sys.executable, "-m", "testkit.support.emulated_properties"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_each_property_of_the_template_is_listed_as_the_emulator_has_it(readings: dict[str, str]) -> None:
    missing = {name for name in readings if row_of(name) is None}
    assert missing == set(), "in neither table"
    listed = {name: WORDS.get(ROWS[row].does, READ) for name in readings if (row := row_of(name))}
    assert listed == readings


def test_nothing_is_listed_that_the_template_does_not_use(readings: dict[str, str]) -> None:
    assert set(ROWS) == {row_of(name) for name in readings}


def test_each_word_about_the_emulator_is_one_that_is_checked() -> None:
    assert {row.does for row in ROWS.values()} == {"acts", *WORDS}


def test_each_unproven_property_has_an_existing_second_opinion() -> None:
    for row in ROWS.values():
        assert row.second_opinion or row.does == "acts"
        for path in re.findall(r"`(\w+/[\w/.]+)`", row.second_opinion):
            assert (ROOT / path).exists(), path
