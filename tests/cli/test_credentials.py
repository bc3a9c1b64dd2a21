"""Credentials on this machine that do not work: the cause and the command that fixes it, in one line."""

from pathlib import Path

import pytest

from testkit.fixtures.cli import dailies

CONFIG = """
[profile signed-out]
sso_session = work
sso_account_id = 123456789012
sso_role_name = Reader
[sso-session work]
sso_region = us-east-1
sso_start_url = https://company.example/start
[profile signed-out-of-the-old-kind]
sso_start_url = https://company.example/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Reader
[profile without-session]
sso_session = gone
[profile without-source]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = gone
[profile half]
aws_access_key_id = AKIAEXAMPLE
[profile failing-process]
credential_process = /bin/false
[profile without-token]
role_arn = arn:aws:iam::123456789012:role/reader
web_identity_token_file = /nonexistent/token
[profile logged-out]
login_session = arn:aws:iam::123456789012:user/reader
"""


@pytest.fixture(autouse=True)
def a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "config"
    config.write_text(CONFIG)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))  # no SSO token is stored here
    return config


@pytest.mark.parametrize(
    ("profile", "cause", "next_step"),
    [
        ("signed-out", "Token for work does not exist", "`aws sso login`"),
        ("signed-out-of-the-old-kind", "SSO Token", "`aws sso login`"),
        ("without-session", 'the "gone" sso_session configuration does not exist', "Fix the profile"),
        ("without-source", 'The source_profile "gone"', "Fix the profile"),
        ("half", "missing: aws_secret_access_key", "Fix the profile"),
        ("failing-process", "custom-process", "credential_process by hand"),
        ("without-token", "/nonexistent/token: No such file", "Fix its path"),
        ("logged-out", "login session", "`aws login`"),
    ],
)
def test_a_profile_that_does_not_work(profile: str, cause: str, next_step: str) -> None:
    done = dailies("jobs", "--stack", "dailies", "--region", "us-east-1", "--profile", profile)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert cause in done.err
    assert next_step in done.err


def test_a_configuration_that_cannot_be_read(a_configuration: Path) -> None:
    a_configuration.write_text("[profile x\nregion")
    done = dailies("jobs", "--stack", "dailies", "--region", "us-east-1")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert f"Unable to parse config file: {a_configuration}" in done.err
