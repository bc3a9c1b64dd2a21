"""`dailies secrets set` on a stack on AWS (moto's): which values it accepts, and what it reports."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli import doctor
from cli import stack as stacks
from testkit.fixtures.archiver import Archive
from testkit.fixtures.aws import Cloud
from testkit.fixtures.cli import Done, dailies
from testkit.fixtures.deployed_stack import deploy

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
    """A pending value exists beside the current one, so the leaked value would still verify."""
    done = secrets_set("sync/signing", "whsec_0123456789abcdef", "--leaked", "--pending")
    assert (done.code, "omit --pending" in done.err) == (2, True)
    assert value(cloud_with_stack, "sync/signing") == "not-set"


@pytest.mark.parametrize(
    ("name", "text", "shape"),
    [
        ("creatify/token", "x", "8 or more of A-Z, a-z, 0-9, - and _"),
        ("creatify/token", "letters", "8 or more of A-Z, a-z, 0-9, - and _"),
        ("creatify/token", "a/b?c-0123", "8 or more of A-Z, a-z, 0-9, - and _"),
        ("creatify/token", "schlüssel-0123456789", "8 or more of A-Z, a-z, 0-9, - and _"),
        ("sync/signing", "whsec_", "8 or more printable ASCII characters"),
        ("captions/signing", "letters", "8 or more printable ASCII characters"),
        ("captions/signing", "ключ-0123456789abcdef", "8 or more printable ASCII characters"),
    ],
)
def test_a_secret_of_another_shape_is_refused_in_one_line_that_says_the_shape(
    cloud_with_stack: Cloud, secrets_set: Set, name: str, text: str, shape: str
) -> None:
    done = secrets_set(name, text)
    assert (done.code, done.err.count("\n"), shape in done.err) == (1, 1, True)
    assert value(cloud_with_stack, name) == "not-set"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("creatify/token", "t0k3n-0123456_AZ"),
        ("sync/signing", "whsec_0123456789"),
        ("captions/signing", "~!$&'()*+,;=:@/?"),
    ],
)
def test_the_least_that_is_one_is_taken(cloud_with_stack: Cloud, secrets_set: Set, name: str, text: str) -> None:
    assert secrets_set(name, f"{text}\n").code == 0
    assert value(cloud_with_stack, name) == text


def test_a_value_too_short_to_verify_does_not_count_as_set(cloud_with_stack: Cloud) -> None:
    """As the AWS CLI may set one."""
    cloud_with_stack.secretsmanager.put_secret_value(SecretId="dailies/creatify/token", SecretString="x")
    listed = dailies("secrets", "list", "--json", "--stack", "dailies").json
    assert [one["is_set"] for one in listed if one["name"] == "creatify/token"] == [False]
    done = dailies("secrets", "show-urls", "--reveal", "--stack", "dailies")
    assert (done.code, "creatify/token is not set, or too short" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ('{"SYNC_WEBHOOK_SECRET":"whsec_0123456789"}', ""),  # an object with one value is accepted
        ('{"a":"whsec_0123456789","b":"whsec_9876543210"}', "sync/signing is a JSON object that does not say"),
        ("0123456789", "Sync's signing secrets begin with whsec_"),
        ("whsec_01234 56789", "sync/signing has white space inside"),
    ],
)
def test_a_value_that_was_stored_by_other_means_is_checked(cloud_with_stack: Cloud, stored: str, problem: str) -> None:
    cloud_with_stack.secretsmanager.put_secret_value(SecretId="dailies/sync/signing", SecretString=stored)
    listed = {one["name"]: one for one in dailies("secrets", "list", "--json", "--stack", "dailies").json}
    assert (listed["sync/signing"]["problem"] or "").startswith(problem)
    assert bool(listed["sync/signing"]["problem"]) == bool(problem)
    found = next(one for one in doctor._secrets(stacks.deployed("dailies")) if one.about == "sync/signing")
    assert (found.status, problem in found.message) == ("error" if problem else "ok", True)
    assert problem in dailies("secrets", "list", "--stack", "dailies").out


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"api_key": "..."}', "... stands for the api_key"),
        ('{"api_key": "abc\\n"}', "white space in its api_key"),
        ('{"api_key": " k "}', "white space in its api_key"),
        ('{"api_key": "a b"}', "white space in its api_key"),
        ('{"api_key": "ключ-0123"}', "other characters in its api_key"),
        ('{"api_key": "abc\\u0000"}', "other characters in its api_key"),
    ],
)
def test_a_key_that_no_request_can_bear_is_refused_in_one_line(
    cloud_with_stack: Cloud, secrets_set: Set, text: str, problem: str
) -> None:
    done = secrets_set("sync/api", text)
    assert (done.code, done.err.count("\n"), problem in done.err) == (1, 1, True)
    assert "abc" not in done.err
    assert value(cloud_with_stack, "sync/api") == "not-set"


def test_both_of_creatifys_values_are_checked(cloud_with_stack: Cloud, secrets_set: Set) -> None:
    assert "white space in its api_id" in secrets_set("creatify/api", '{"api_id": "i ", "api_key": "k"}').err
    assert "... stands for the api_key" in secrets_set("creatify/api", '{"api_id": "i", "api_key": "..."}').err
    assert secrets_set("creatify/api", '{"api_id": "i", "api_key": "k", "note": "of the team"}').code == 0


@pytest.mark.parametrize("name", ["sync/signing", "sync/api"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "The input was empty; nothing was changed"),
        (" \n", "The input was empty; nothing was changed"),
        ("not-set\n", "not-set is the placeholder"),
    ],
)
def test_what_is_no_value_at_all_is_called_what_it_is(secrets_set: Set, name: str, text: str, problem: str) -> None:
    done = secrets_set(name, text)
    assert (done.code, done.err.count("\n"), problem in done.err) == (1, 1, True)
