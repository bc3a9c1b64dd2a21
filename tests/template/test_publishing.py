"""The template's metadata for the Serverless Application Repository: its API accepts them, and they are true here."""

import re

import pytest

from local.stack import ROOT
from testkit.support.template import template

# From the reference of CreateApplication: maximum length, and characters.
LIMITS = {
    "Author": (127, r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?"),
    "Description": (256, r"[^\n]+"),
    "Name": (140, r"[a-zA-Z0-9\-]+"),
    "SemanticVersion": (140, r"\d+\.\d+\.\d+"),
    "SpdxLicenseId": (127, r"[a-zA-Z0-9.+-]+"),
}
LABEL = re.compile(r"[a-zA-Z0-9+\-_:\/@]{1,127}")
MAX_LABELS = 10
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", re.MULTILINE)

METADATA = template()["Metadata"]["AWS::ServerlessRepo::Application"]


@pytest.mark.parametrize("key", LIMITS)
def test_each_word_is_one_that_the_repository_takes(key: str) -> None:
    longest, characters = LIMITS[key]
    assert re.fullmatch(characters, METADATA[key])
    assert len(METADATA[key]) <= longest


def test_all_is_known_to_the_repository() -> None:
    assert METADATA.keys() == LIMITS.keys() | {"Labels", "LicenseUrl", "ReadmeUrl"}
    assert len(METADATA["Labels"]) <= MAX_LABELS
    assert all(LABEL.fullmatch(label) for label in METADATA["Labels"])


def test_the_version_is_the_changelogs_newest() -> None:
    assert METADATA["SemanticVersion"] == RELEASE.findall((ROOT / "CHANGELOG.md").read_text())[0]


def test_the_readme_and_the_named_license_exist() -> None:
    assert (ROOT / METADATA["ReadmeUrl"]).is_file()
    text = (ROOT / METADATA["LicenseUrl"]).read_text()
    assert METADATA["SpdxLicenseId"] == "Apache-2.0"
    assert re.match(r"\s+Apache License\s+Version 2\.0, ", text)
