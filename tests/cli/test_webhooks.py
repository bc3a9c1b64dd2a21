"""`dailies webhooks captions` on a stack on AWS (moto's): which API key it uses."""

import json

import boto3
import pytest

from testkit.fixtures.archiver import Archive
from testkit.fixtures.cli import dailies
from testkit.fixtures.deployed_stack import deploy


@pytest.fixture
def archive(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.delenv("AWS_REGION", raising=False)
    return archive_at_work


def test_without_a_key_it_says_what_to_do(archive: Archive) -> None:
    deploy(archive, {}, {})
    done = dailies("webhooks", "captions", "list", "--stack", "dailies")
    assert (done.code, "Set it with `dailies secrets set captions/api`" in done.err) == (1, True)


def test_an_invalid_key_is_reported(archive: Archive) -> None:
    archive.set_keys()
    archive.apis.captions.api_key = "another by now"
    deploy(archive, {}, {})
    done = dailies("webhooks", "captions", "list", "--stack", "dailies")
    assert (done.code, "Set a valid key" in done.err) == (1, True)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_created_webhook_is_stored_with_its_secret(archive: Archive, status: int) -> None:
    archive.set_keys()
    archive.apis.captions.webhooks.registered.clear()
    archive.apis.captions.webhooks.made_status = status
    archive.cloud.secretsmanager.create_secret(Name="dailies/captions/signing", SecretString="not-set")
    deploy(archive, {}, {})
    done = dailies("webhooks", "captions", "register", "--json", "--stack", "dailies")
    (made,) = archive.apis.captions.registrations
    assert (done.json["id"], done.json["is_new"]) == (made.id, True)
    stored = archive.cloud.secretsmanager.get_secret_value(SecretId="dailies/captions/signing")
    assert stored["SecretString"] == made.secret


def test_an_unexpected_response_is_reported_by_its_status_without_its_body(archive: Archive) -> None:
    """It may hold a secret, as the response to a registration does."""
    archive.set_keys()
    archive.apis.captions.webhooks.registered.clear()
    archive.apis.captions.webhooks.made_status = 207
    deploy(archive, {}, {})
    done = dailies("webhooks", "captions", "register", "--stack", "dailies")
    (made,) = archive.apis.captions.registrations
    assert (done.code, "Captions answered 207" in done.err) == (1, True)
    assert made.secret not in done.out + done.err
    assert made.id not in done.out + done.err


def test_the_key_that_the_stack_registers_by_is_used(archive: Archive) -> None:
    credentials = json.dumps(archive.apis.captions.credentials)
    own = boto3.client("secretsmanager").create_secret(Name="of-the-owners", SecretString=credentials)
    deploy(archive, {"CaptionsApiSecretArn": own["ARN"]}, {})
    assert dailies("webhooks", "captions", "list", "--stack", "dailies").code == 0


def test_a_captions_that_cannot_be_reached_is_no_rate_limit(archive: Archive) -> None:
    archive.set_keys()
    deploy(archive, {"CaptionsApiUrl": "https://127.0.0.1:1"}, {})
    done = dailies("webhooks", "captions", "list", "--stack", "dailies")
    assert (done.code, done.err.count("\n"), "five requests a minute" in done.err) == (1, 1, False)
    assert done.err.endswith(". Try again later; check with `dailies webhooks captions list`.\n")


def test_an_exhausted_rate_limit_is_reported_with_the_time_to_retry(archive: Archive) -> None:
    archive.set_keys()
    deploy(archive, {}, {})
    listed = (
        dailies("webhooks", "captions", "list", "--stack", "dailies") for _ in range(11)
    )  # a minute may end meanwhile
    refused = next(done for done in listed if done.code)
    assert refused.err.endswith(". Captions allows five requests a minute; try again in a minute.\n")


def test_the_old_name_works_and_is_not_in_the_help(archive: Archive) -> None:
    archive.set_keys()
    deploy(archive, {}, {})
    assert dailies("hooks", "captions", "list", "--stack", "dailies").code == 0
    assert "hooks " not in dailies("--help").out.replace("webhooks", "")
