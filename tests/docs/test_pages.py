"""The first pages for a reader: each link works, each parameter is explained, the README is short."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import reference
from testkit.support.template import ROOT, resources, template

README_BYTES = 9_216  # a reader decides within the first screens
PAGES = [ROOT / name for name in subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
).stdout.split()]  # fmt: skip
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes from a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        if page == ROOT / "bench/cost/page.md":  # the source of docs/cost.md: its links are relative to that
            continue
        for target, anchor in LINK.findall(FENCE.sub("", page.read_text())):
            yield str(page.relative_to(ROOT)), target, anchor


@pytest.mark.parametrize(("page", "target", "anchor"), sorted(set(links())))
def test_a_link_leads_to_a_file_and_its_heading(page: str, target: str, anchor: str) -> None:
    there = (ROOT / page).parent / target if target else ROOT / page
    assert there.exists()
    assert not anchor or anchor in anchors(there)


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= README_BYTES


def test_the_reference_of_the_command_is_what_its_help_says() -> None:
    assert reference.PAGE.read_text() == reference.reference(), "run `make docs`"


def written(value: Any) -> str:
    """A default as the page writes it."""
    number = str(value)
    if number.isdigit():
        return f"{int(number):,}"
    return ", ".join(f"`{each}`" for each in number.split(",")) if number else "empty"


@pytest.mark.parametrize("name", template()["Parameters"])
def test_a_parameter_is_explained_with_its_default(name: str) -> None:
    (row,) = (line for line in CONFIGURATION.splitlines() if line.startswith(f"| `{name}` |"))
    _, _, default, unit, description, _ = (cell.strip() for cell in row.split("|"))
    assert default == written(template()["Parameters"][name]["Default"])
    assert unit
    assert len(description) > 20


def test_no_parameter_is_explained_that_the_template_does_not_have() -> None:
    parameters = CONFIGURATION.split("\n## Parameters\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", parameters, re.MULTILINE)) == set(template()["Parameters"])


def test_each_output_is_explained() -> None:
    outputs = CONFIGURATION.split("\n## Outputs\n")[1].split("\n## ")[0]
    listed = {
        name for line in outputs.splitlines() if "|" in line for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert listed == set(template()["Outputs"])


def test_each_secret_is_on_its_providers_page() -> None:
    for secret in resources("AWS::SecretsManager::Secret").values():
        name = secret["Name"]["Fn::Sub"].partition("/")[2]
        assert f"`{name}`" in (ROOT / f"docs/providers/{name.partition('/')[0]}.md").read_text()
