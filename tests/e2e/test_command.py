"""The operator's command on the stack: received events, their results, and repairs."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import urllib3

from local.stack import Stack
from testkit.fixtures.account_reader import Owner, medium
from testkit.fixtures.cli import Done, MediaSite, dailies
from testkit.fixtures.provider_client import WEBHOOKS, Providers
from testkit.support.wait import STALL, wait_for

COMMAND = Path(sys.executable).parent / "dailies"
USUAL = {"sync": "output", "creatify": "video", "captions": "output"}  # the role of the usual case


def real(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as its users run it."""
    return subprocess.run([str(COMMAND), *arguments], env=environment, capture_output=True, text=True, check=False)


def triggered(site: MediaSite, webhook: str, job_id: str, *more: str) -> Done:
    done = dailies("trigger", webhook, "--job", job_id, *more)
    assert done.code == 0, done.err or done.out
    return done


@pytest.fixture(scope="module")
def archived(site: MediaSite, providers: Providers, owner: Owner) -> str:
    """A settled Captions job: its id."""
    job_id = providers.job("settled-by-command")
    triggered(site, "captions/creator", job_id)
    owner.resting("captions", job_id)
    return job_id


# ---- As its users run it ---------------------------------------------------------------------------------------------


def test_the_help_fits_eighty_columns_and_names_every_command() -> None:
    done = real("--help", COLUMNS="80", PATH="", HOME="/nowhere")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name in ("jobs", "job", "media", "events", "quarantine", "queues", "redrive", "replay", "trigger", "secrets"):
        assert f"│ {name} " in done.stdout


def test_as_a_program_it_reads_the_stack_and_refuses_in_one_line(archived: str, stack_folder: Path) -> None:
    where = {"DAILIES_LOCAL": str(stack_folder), "HOME": "/nowhere", "PATH": ""}
    read = real("job", archived, "--json", **where)
    assert json.loads(read.stdout)["job"]["stage"] == "settled"
    refused = real("job", "nobody-knows-it", **where)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "dailies: No job nobody-knows-it. List the jobs with `dailies jobs`.\n"
    misunderstood = real("jobs", "--stage", "nowhere", **where)
    assert (misunderstood.returncode, misunderstood.stdout) == (2, "")


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAILIES_LOCAL", str(tmp_path))
    done = dailies("jobs")
    assert done.code == 1
    assert "Start one with `make up`, or name a deployed one with --stack." in done.err


# ---- Received events -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("webhook", WEBHOOKS)
def test_a_triggered_delivery_of_each_webhook_is_accepted_and_its_media_arrive(
    webhook: str, site: MediaSite, providers: Providers, owner: Owner
) -> None:
    provider = webhook.partition("/")[0]
    job_id = providers.job(f"triggered {webhook.replace('/', '-')} #1?%2F")  # a character that ids may have
    assert "200 recorded" in triggered(site, webhook, job_id).out
    row = owner.resting(provider, job_id)
    role = "result" if webhook == "sync/batch" else USUAL[provider]
    assert medium(row, role)["state"] == "archived"
    if webhook == "sync/batch":  # its generations are separate jobs
        assert owner.resting("sync", f"{job_id}-1")["parent"] == job_id
        assert owner.resting("sync", f"{job_id}-3")["status"] == "failed"


def test_jobs_are_listed_newest_first_in_pages_and_filtered(
    site: MediaSite, providers: Providers, owner: Owner
) -> None:
    ids = [providers.job(f"listed-{number}") for number in range(3)]
    for job_id in ids:
        triggered(site, "captions/creator", job_id, "--case", "failure")
        owner.resting("captions", job_id)
    options = ("jobs", "--provider", "captions", "--status", "failed", "--limit", "2", "--json")

    def first_pages() -> list[Any]:
        first = dailies(*options).json
        second = dailies(*options, "--cursor", first["cursor"]).json if first["cursor"] else {"jobs": []}
        return [row["job_id"] for row in first["jobs"] + second["jobs"]][:3]

    wait_for("the index follows the table", first_pages, lambda found: found == ids[::-1])
    assert {row["stage"] for row in dailies("jobs", "--stage", "settled", "--json").json["jobs"]} == {"settled"}
    listed = dailies("jobs", "--provider", "captions", "--since", "1h").out
    assert f"captions/{ids[2]}" in listed


def test_a_jobs_timeline_has_its_deliveries_its_receipt_and_its_announcements(archived: str) -> None:
    shown = dailies("job", archived).out
    assert "verified by bearer (current)" in shown
    assert "→ queued for the archive: output" in shown
    assert "→ announced: Job Completed" in shown
    assert "archived: crc64nvme:" in shown
    assert "→ announced: Media Archived, Job Settled" in shown
    timeline = dailies("job", f"captions/{archived}", "--json").json
    assert [step["origin"] for step in timeline["steps"]] == ["webhook", "archive"]
    assert "X-Amz-Signature" not in json.dumps(timeline)
    payload = dailies("job", archived, "--payload", timeline["steps"][0]["event_id"][:8]).out
    assert json.loads(payload)["operationId"] == archived


def test_a_medium_is_linked_to_and_downloaded_with_its_checksum_verified(
    archived: str, site: MediaSite, tmp_path: Path, providers: Providers
) -> None:
    content = providers.host.media["operation.mp4"].content
    (linked,) = dailies("media", archived, "--json").json
    assert urllib3.request("GET", linked["url"]).data == content
    done = dailies("media", archived, "--role", "output", "--download", "--to", str(tmp_path))
    assert "verified: size and checksum match the receipt" in done.out
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == content
    again = dailies("media", archived, "--download", "--to", str(tmp_path))
    assert (again.code, "already exists" in again.err) == (1, True)
    missing = dailies("media", archived, "--role", "photo")
    assert (missing.code, "It has: output." in missing.err) == (1, True)


def test_two_media_are_not_downloaded_into_one_file(
    site: MediaSite, providers: Providers, owner: Owner, tmp_path: Path
) -> None:
    job_id = providers.job("two-media")
    triggered(site, "sync/generation", job_id)
    owner.resting("sync", job_id)
    done = dailies("media", job_id, "--download", "--to", str(tmp_path / "clip.mp4"))
    assert (done.code, "has 2 media. Name a folder with --to, or choose one with --role." in done.err) == (1, True)
    assert list(tmp_path.iterdir()) == []
    one = dailies("media", job_id, "--role", "output", "--download", "--to", str(tmp_path / "clip.mp4"))
    assert (one.code, (tmp_path / "clip.mp4").exists()) == (0, True)


def test_what_comes_in_is_followed_live(site: MediaSite, providers: Providers, stack_folder: Path) -> None:
    job_id = providers.job("followed")
    follower = subprocess.Popen(
        [str(COMMAND), "events", "--follow", "--since", "1m", "--json"],  # it takes a second to start
        env={"DAILIES_LOCAL": str(stack_folder), "HOME": "/nowhere", "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    late = threading.Timer(STALL, follower.kill)
    late.start()
    with follower:
        try:
            triggered(site, "captions/creator", job_id)
            triggered(site, "captions/creator", job_id, "--case", "unreadable")
            assert follower.stdout
            seen: list[Any] = []
            while not {"webhook", "archive", "quarantined"} <= {kind for kind, _ in seen}:
                line = json.loads(follower.stdout.readline())
                if "quarantined" in line:
                    seen.append(("quarantined", line["event_id"]))
                elif line["job_id"] == job_id:
                    seen.append((line["origin"], line["event_id"]))
        finally:
            late.cancel()
            follower.terminate()
    assert len(seen) == len(set(seen))
    recent = dailies("events", "--since", "10m", "--provider", "captions").out
    assert f"{job_id}  completed (creator.success)" in recent
    assert "quarantined" in recent


# ---- Trying it out ---------------------------------------------------------------------------------------------------


def test_a_printed_event_is_what_the_function_takes_and_a_printed_curl_line_calls(
    site: MediaSite, providers: Providers, stack: Stack, owner: Owner
) -> None:
    event = dailies("trigger", "sync/generation", "--job", providers.job("printed"), "--print", "event").out
    answer = stack.aws.functions.invoke(FunctionName=stack.functions["SyncGeneration"], Payload=event)
    assert json.loads(answer["Payload"].read())["statusCode"] == 200
    owner.resting("sync", providers.job("printed"))
    line = dailies("trigger", "creatify/product_to_videos", "--job", providers.job("curl"), "--print", "curl").out
    called = subprocess.run(["sh", "-c", line], capture_output=True, check=True)
    assert json.loads(called.stdout)["result"] == "recorded"


def test_a_forged_call_is_refused_and_ends_with_one(site: MediaSite) -> None:
    for webhook in WEBHOOKS:
        done = dailies("trigger", webhook, "--case", "forged")
        assert (done.code, "401 unverified" in done.out) == (1, True)


def test_any_url_can_be_called_with_any_secret(site: MediaSite, stack: Stack, providers: Providers) -> None:
    url = f"{stack.webhook_base_url}/webhooks/captions/creator"
    more = ("--url", url, "--media-url", "https://media.example.com/a.mp4", "--case", "failure", "--json")
    assert dailies("trigger", "captions/creator", "--secret", providers.captions, *more).json["status"] == 200
    wrong = dailies("trigger", "captions/creator", "--secret", "another", *more)
    assert (wrong.code, json.loads(wrong.out)["status"]) == (1, 401)
    unregistered = dailies(
        "trigger", "captions/creator", "--secret", "x", "--case", "failure", "--url", "http://127.0.0.1:1/"
    )
    assert (unregistered.code, "does not answer" in unregistered.err) == (1, True)
    assert dailies("trigger", "captions/creator", "--case", "nothing").code == 2
