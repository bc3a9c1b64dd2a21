"""`dailies media` on a stack on AWS (moto's): the download, and the link that the browser opens."""

import webbrowser
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import botocore.session
import pytest

from cli import media
from cli import stack as stacks
from dailies import timestamps
from dailies.jobs.models import Event, MediaLink
from dailies.steps.advance import advance
from testkit.fixtures.archiver import Archive
from testkit.fixtures.aws import BUCKET
from testkit.fixtures.cli import dailies
from testkit.fixtures.console import archived
from testkit.fixtures.deployed_stack import deploy

CONTENT = b"a medium"
FOUND = MediaLink("output", "https://h.example/one.mp4")


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine's browser is a script: the file to which it writes its link."""
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    program.chmod(0o700)
    opened.touch()
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr(webbrowser, "_tryorder", None)  # it looks for browsers once
    monkeypatch.setattr(webbrowser, "_browsers", {})
    return opened


@pytest.fixture
def stored(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generation g-1 has one archived medium."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    receipt = archived(FOUND, version_id="", bytes=len(CONTENT), checksum="")
    event = Event(
        event_id="1",
        provider="sync",
        webhook="generation",
        job_id="g-1",
        status="completed",
        provider_status="COMPLETED",
        origin="webhook",
        received_at=timestamps.now(),
        media=(FOUND,),
    )
    advance(archive_at_work.table, event)
    advance(archive_at_work.table, replace(event, event_id="2", origin="archive", media=(), receipt=receipt))
    archive_at_work.cloud.s3.put_object(Bucket=BUCKET, Key=receipt.key, Body=CONTENT)
    deploy(archive_at_work, {}, {"MediaBucketName": BUCKET})


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_download_is_opened_too_if_both_are_requested(
    browser: Path, tmp_path: Path, as_json: tuple[str, ...]
) -> None:
    to = tmp_path / "one.mp4"
    done = dailies("media", "g-1", "--download", "--to", str(to), "--open", *as_json, "--stack", "dailies")
    assert (done.code, to.read_bytes()) == (0, CONTENT)
    (link,) = browser.read_text().splitlines()
    assert "X-Amz-Signature=" in link


@pytest.mark.usefixtures("stored")
def test_nothing_is_opened_unasked(browser: Path, tmp_path: Path) -> None:
    to = tmp_path / "one.mp4"
    assert dailies("media", "g-1", "--download", "--to", str(to), "--stack", "dailies").code == 0
    assert dailies("media", "g-1", "--stack", "dailies").code == 0
    assert browser.read_text() == ""


@pytest.mark.usefixtures("stored")
class TestWorksUntil:
    """A link's lifetime: not longer than that of the credentials that sign it."""

    NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def until(self, monkeypatch: pytest.MonkeyPatch, **credentials: str) -> datetime | None:
        for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **credentials}.items():
            monkeypatch.setenv(name, value)
        session = boto3.Session(botocore_session=botocore.session.Session())
        return media.works_until(replace(stacks.deployed("dailies"), session=session), 3600, now=self.NOW)

    def test_it_is_the_requested_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        assert self.until(monkeypatch) == self.NOW + timedelta(hours=1)

    def test_it_ends_with_temporary_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
        monkeypatch.setattr(type(self), "NOW", soon - timedelta(minutes=20))
        ends = {"AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": soon.isoformat()}
        assert self.until(monkeypatch, **ends) == soon

    def test_it_is_unknown_where_they_do_not_say_when_they_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.until(monkeypatch, AWS_SESSION_TOKEN="t") is None


@pytest.mark.usefixtures("stored")
def test_the_command_says_until_when_its_links_work() -> None:
    said = dailies("media", "g-1", "--stack", "dailies")
    assert (said.code, "Works until " in said.out) == (0, True)
    (listed,) = dailies("media", "g-1", "--json", "--stack", "dailies").json
    assert set(listed) == {"role", "url", "works_until"}
