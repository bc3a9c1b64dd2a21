"""docs/operations.md has each alarm, saved query and metric by name, and docs/threats.md names existing tests."""

import re
from typing import Any

import pytest
import typer

from cli.main import app
from testkit.support.template import ROOT, resources

DOCUMENTS = (
    "README.md",
    "docs/configuration.md",
    "docs/hardening.md",
    "docs/local.md",
    "docs/missed-webhooks.md",
    "docs/operations.md",
    "docs/providers/captions.md",
    "docs/providers/creatify.md",
    "docs/providers/sync.md",
    "docs/recovery.md",
    "docs/threats.md",
)
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def test_the_tests_that_the_threats_are_held_by_are_there() -> None:
    named = set(re.findall(r"\b(?:(?!tests/)\w+/)*test_\w+", (ROOT / "docs/threats.md").read_text()))
    assert named
    assert {name for name in named if not (ROOT / f"tests/{name}.py").exists()} == set()


def section(title: str) -> str:
    """A section, without the following ones."""
    return OPERATIONS.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("alarm", sorted(resources("AWS::CloudWatch::Alarm")))
def test_an_alarm_has_a_row_with_its_meaning_and_remedy(alarm: str) -> None:
    (row,) = (line for line in section("Alarms").splitlines() if re.match(rf"\| [^|]*`{alarm}`", line))
    _, _, means, right, _ = (cell.strip() for cell in row.split("|"))
    assert len(means) > 40
    assert len(right) > 20


def test_no_documented_alarm_is_missing() -> None:
    assert set(re.findall(r"\w+Alarm\b", OPERATIONS)) <= set(resources("AWS::CloudWatch::Alarm"))


def test_each_saved_query_is_documented_by_its_name() -> None:
    names = [query["Name"]["Fn::Sub"].partition("/")[2] for query in resources("AWS::Logs::QueryDefinition").values()]
    words = " ".join(section("Logs").split())
    assert names
    for name in names:
        assert f'"{name}"' in words


def test_each_metric_of_the_code_is_in_the_table() -> None:
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/dailies/python/dailies").rglob("*.py")]
    counted = {name for source in sources for name in re.findall(r'\.count\(\s*"([A-Z]\w+)"', source.read_text())}
    documented = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in section("Metrics").splitlines() if "|" in line))
    )
    assert {"Deliveries", "Archives", "JobsNeedingAttention"} <= counted
    assert counted <= documented
    written = "".join(source.read_text() for source in sources)
    assert {name for name in documented if f'"{name}"' not in written} == set()


def commands() -> list[str]:
    """Each `dailies ...` command in a document, once."""
    texts = [(ROOT / name).read_text() for name in DOCUMENTS]
    typed = [
        found for text in texts for found in re.findall(r"(?:`|^ *|&& |\| )(dailies [a-z-]+[^`\n|#;)]*)", text, re.M)
    ]
    return sorted({command.strip() for command in typed})


@pytest.mark.parametrize("command", commands())
def test_each_documented_command_exists(command: str) -> None:
    at: Any = typer.main.get_command(app)
    words = command.replace("&&", " ").split()[1:]
    while words and words[0] in getattr(at, "commands", {}):
        at = at.commands[words.pop(0)]
    assert not hasattr(at, "commands") or not words, f"no such command: {words}"
    words = [word for word in words if word != "..."]
    try:
        at.make_context(command, words)
    except Exception as error:
        if type(error).__name__ != "MissingParameter":  # a document may omit what only its reader knows
            raise


def test_the_alarms_are_counted() -> None:
    assert f"The stack has {len(resources('AWS::CloudWatch::Alarm'))} alarms." in section("Alarms")
