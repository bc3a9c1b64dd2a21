"""The operator sets secrets: which versions verify afterwards, and where a secret is shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cli.commands import trigger
from cli.errors import CliError
from cli.stack import Stack as DeployedStack
from local.stack import Stack
from testkit.fixtures.cli import Done, MediaSite, dailies
from testkit.fixtures.provider_client import NOT_SET

NAME = "creatify/api"  # no receiver verifies with it
STAGES = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")


class Secret:
    """Set the secret by the command from a file."""

    def __init__(self, stack: Stack, file: Path) -> None:
        self._client, self._id, self._file = stack.aws.secretsmanager, f"{stack.stack_name}/{NAME}", file

    def set(self, key: str, *options: str) -> Done:
        self._file.write_text(json.dumps({"api_id": "id", "api_key": key}))
        return dailies("secrets", "set", NAME, "--file", str(self._file), *options)

    def keys(self) -> dict[str, str]:
        """The value of each stage."""
        versions = self._client.describe_secret(SecretId=self._id)["VersionIdsToStages"]
        return {
            stage: json.loads(self._client.get_secret_value(SecretId=self._id, VersionId=id_)["SecretString"])[
                "api_key"
            ]
            for id_, stages in versions.items()
            for stage in stages
            if stage in STAGES
        }

    def reset(self) -> None:
        self._client.put_secret_value(SecretId=self._id, SecretString=NOT_SET)


@pytest.fixture
def secret(site: MediaSite, stack: Stack, tmp_path: Path) -> Iterator[Secret]:
    made = Secret(stack, tmp_path / "secret.json")
    assert made.set("first").code == 0
    assert made.set("second").code == 0
    yield made
    made.reset()


def test_the_same_value_again_does_not_end_the_one_before(secret: Secret) -> None:
    assert "set to this value already" in secret.set("second").out
    assert secret.keys() == {"AWSCURRENT": "second", "AWSPREVIOUS": "first"}


def test_a_pending_value_verifies_beside_the_current_one_until_a_value_is_set(secret: Secret) -> None:
    secret.set("third", "--pending")
    assert secret.keys() == {"AWSCURRENT": "second", "AWSPREVIOUS": "first", "AWSPENDING": "third"}
    secret.set("fourth", "--pending")
    assert secret.keys()["AWSPENDING"] == "fourth"
    secret.set("fourth")
    assert secret.keys() == {"AWSCURRENT": "fourth", "AWSPREVIOUS": "second"}


def test_after_a_leak_nothing_but_the_new_value_verifies(secret: Secret) -> None:
    secret.set("third", "--pending")
    done = secret.set("fourth", "--leaked")
    assert secret.keys() == {"AWSCURRENT": "fourth", "AWSPREVIOUS": "fourth"}
    assert "All previous values are invalid within a minute" in done.out
    secret.set("fourth", "--leaked")  # set again, to its current value
    assert secret.keys() == {"AWSCURRENT": "fourth", "AWSPREVIOUS": "fourth"}


def test_a_new_token_is_made_after_a_question(site: MediaSite, stack: Stack) -> None:
    asked = dailies("secrets", "rotate")
    assert (asked.code, "Make a new token for Creatify's URL on the local stack?" in asked.err) == (1, True)


class TestADeployedStacksSecret:
    """It is for that stack alone."""

    STACK = DeployedStack(
        name="dailies",
        region="eu-west-1",
        webhook_base_url="https://dailies.example.com",
        outputs={},
        parameters={},
        session=boto3.Session(region_name="eu-west-1"),
    )

    def test_is_not_sent_to_another_host(self) -> None:
        for url in (
            "https://echo.example/",
            "https://dailies.example.com.evil.example/",
            "http://dailies.example.com/",
        ):
            with pytest.raises(CliError, match="is not a URL of dailies in eu-west-1"):
                trigger.keep_to_itself(self.STACK, "captions/creator", url, reveal=False, printed=False)

    def test_is_printed_only_on_request(self) -> None:
        for webhook in ("captions/creator", "creatify/product_to_videos"):
            with pytest.raises(CliError, match="Print it with --reveal"):
                trigger.keep_to_itself(self.STACK, webhook, "", reveal=False, printed=True)
            trigger.keep_to_itself(self.STACK, webhook, "", reveal=True, printed=True)
        trigger.keep_to_itself(self.STACK, "sync/generation", "", reveal=False, printed=True)  # signed by it
        url = f"{self.STACK.webhook_base_url}/webhooks/captions/creator"
        trigger.keep_to_itself(self.STACK, "captions/creator", url, reveal=False, printed=False)
