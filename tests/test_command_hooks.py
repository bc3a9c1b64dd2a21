"""`dailies hooks captions` at a stack on AWS (moto's): by which key."""

import json

import boto3
import pytest

from tests.command import dailies
from tests.deployed import deploy
from tests.desk import Archive


@pytest.fixture
def desk(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.delenv("AWS_REGION", raising=False)
    return archive_at_work


def test_without_a_key_it_says_what_to_do(desk: Archive) -> None:
    deploy(desk, {}, {})
    done = dailies("hooks", "captions", "list", "--stack", "dailies")
    assert (done.code, "`dailies secrets set captions/api` does it" in done.err) == (1, True)


def test_a_key_that_does_not_hold_is_told_so(desk: Archive) -> None:
    desk.set_keys()
    desk.apis.captions.api_key = "another by now"
    deploy(desk, {}, {})
    done = dailies("hooks", "captions", "list", "--stack", "dailies")
    assert (done.code, "set a key that holds" in done.err) == (1, True)


def test_the_key_that_the_stack_registers_by_is_used(desk: Archive) -> None:
    credentials = json.dumps(desk.apis.captions.credentials)
    own = boto3.client("secretsmanager").create_secret(Name="of-the-owners", SecretString=credentials)
    deploy(desk, {"CaptionsApiSecretArn": own["ARN"]}, {})
    assert dailies("hooks", "captions", "list", "--stack", "dailies").code == 0
