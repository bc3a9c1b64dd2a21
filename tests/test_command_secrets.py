"""`dailies secrets set` at a stack on AWS (moto's): what is taken for a secret, and what is told of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cloud import Cloud
from tests.command import Done, dailies
from tests.deployed import deploy
from tests.desk import Archive

type Set = Callable[..., Done]


@pytest.fixture
def cloud_with_stack(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """An account with a stack whose secrets are not set."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    cloud = archive_at_work.cloud
    for name in ("sync/signing", "creatify/token", "captions/signing"):
        cloud.secretsmanager.create_secret(Name=f"dailies/{name}", SecretString="not-set")
    deploy(archive_at_work, {"RotationGraceHours": "24"}, {})
    return cloud


@pytest.fixture
def secrets_set(cloud_with_stack: Cloud, tmp_path: Path) -> Set:
    """`dailies secrets set`, the value from a file."""

    def run(name: str, value: str, *options: str) -> Done:
        file = tmp_path / "secret.txt"
        file.write_text(value)
        return dailies("secrets", "set", name, "--file", str(file), *options, "--stack", "dailies")

    return run


def value(cloud: Cloud, name: str) -> str:
    return cloud.secretsmanager.get_secret_value(SecretId=f"dailies/{name}")["SecretString"]


def test_what_leaked_is_not_left_current_by_a_value_that_is_only_pending(
    cloud_with_stack: Cloud, secrets_set: Set
) -> None:
    """A pending value stands beside the current one, so the leaked one would verify on."""
    done = secrets_set("sync/signing", "whsec_0123456789abcdef", "--leaked", "--pending")
    assert (done.code, "leave out --pending" in done.err) == (2, True)
    assert value(cloud_with_stack, "sync/signing") == "not-set"
