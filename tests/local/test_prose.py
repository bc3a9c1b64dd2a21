"""The words that CONTRIBUTING rejects are found in prose, and nowhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import prose


def found(markdown: str) -> list[tuple[int, str]]:
    return [(each.line, each.phrase) for each in prose.findings("page.md", prose.prose_of(markdown))]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a call of Sync's or Captions'", "of Sync's"),
        ("the bus is told of it", "is told"),
        ("a job that was never heard of", "heard of"),
        ("a signature of the provider's.", "of the provider's"),
        ("Who proves is believed.", "Who proves"),
        ("jobs that nobody tells of", "nobody tells"),
        ("fetched by itself", "by itself"),
        ("silent for so many seconds", "for so many"),
        ("see what stands in the table", "stands in"),
        ("`x` is MOST_URL long: MOST_URL", "MOST_URL"),
        ("Nor does a value", "Nor does"),
        ("what became of it", "what became of"),
        ("0 is only when you say so.", "only when you say so"),
        ("All whose last news are not older", "news"),
        ("Archiving twice is once.", "twice is once"),
        ("None: as Rich has it.", "as Rich has it"),
    ],
)
def test_a_rejected_phrase_is_found_with_its_line(text: str, phrase: str) -> None:
    assert (3, phrase) in found(f"# Title\n\n{text}\n")


def test_a_phrase_is_found_across_the_end_of_a_line() -> None:
    assert found("fetched by\nitself") == [(1, "by itself")]


@pytest.mark.parametrize(
    "text",
    [
        "the API of Sync's customers",
        "`by itself` is code",
        "```sh\ndailies by itself\n```",
        "[a link](docs/by itself.md)",
        'the saved query "What became of it"',
        "the understanding of a standard",
    ],
)
def test_plain_text_code_and_names_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_the_docstrings_of_public_things_are_read() -> None:
    source = '"""A module."""\n\ndef told():\n    """By itself."""\n\ndef _private():\n    """By itself."""\n'
    assert list(prose.docstrings(source)) == [(1, "A module."), (4, "By itself.")]


def test_a_finding_ends_the_check_with_an_error(tmp_path: Path) -> None:
    """As `make lint` runs it, in a repository with one bad page."""
    (tmp_path / "page.md").write_text("Renewed by itself.\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "page.md"], cwd=tmp_path, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "local.prose", str(tmp_path)],
        cwd=prose.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'page.md:1: "by itself"' in done.stdout
