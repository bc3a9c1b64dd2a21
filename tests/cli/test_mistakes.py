"""An operator's typing mistakes are rejected in one line that says what to do."""

from pathlib import Path

import pytest
import typer
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from cli import media, times
from cli.errors import CliError, of_aws
from cli.stack import Stack
from dailies.jobs.models import MediaItem, MediaLink
from testkit.fixtures.aws import Cloud
from testkit.fixtures.cli import dailies
from testkit.fixtures.console import archived

CONTENT = b"a medium"


@pytest.fixture
def stored(cloud: Cloud, fast_stack: Stack) -> MediaItem:
    """A medium that is in the bucket."""
    found = MediaLink("output", "https://h.example/one.mp4")
    receipt = archived(found, version_id="", bytes=len(CONTENT), checksum="")
    cloud.s3.put_object(Bucket=fast_stack.bucket_name, Key=receipt.key, Body=CONTENT)
    return MediaItem(role=found.role, media_id=found.media_id, receipt=receipt)


@pytest.mark.parametrize("text", ["999999d", "999999w", "2026-13-01", "yesterday", ""])
def test_a_time_that_is_none_or_before_all_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"(such as 30m, 2h or 7d|a span \(30m, 2h, 7d\))"):
        times.parse_since(text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["jobs", "--since", "yesterday"], "'--since': 'yesterday' is not a time"),
        (["events", "--since", "yesterday"], "'--since': 'yesterday' is not a time"),
        (["quarantine", "list", "--since", "yesterday"], "'--since': 'yesterday' is not a time"),
        (["replay", "--since", "yesterday"], "'--since': 'yesterday' is not a time"),
        (["jobs", "--cursor", "zzz"], "'--cursor': This is not a cursor that a page printed"),
    ],
)
def test_a_time_or_a_cursor_that_is_none_is_not_understood(arguments: list[str], says: str) -> None:
    done = dailies(*arguments)
    assert (done.code, says in done.err) == (2, True)


@pytest.mark.parametrize(
    ("since", "says"), [("2026-11-01", "since 2026-11-01"), ("30d", "in the last 30d"), (" 2h ", "in the last 2h")]
)
def test_where_nothing_is_found_it_says_since_when(since: str, says: str, deployed: None) -> None:
    listed = dailies("quarantine", "list", "--since", since, "--stack", "dailies")
    assert listed.out == f"No quarantined deliveries {says}. Look further back with --since.\n"
    read = dailies("quarantine", "reparse", "--since", since, "--stack", "dailies")
    assert read.err == f"dailies: No quarantined deliveries {says}. Look further back with --since.\n"


@pytest.mark.parametrize("name", ["missing/x.mp4", "file/x.mp4"])
def test_a_place_where_no_file_can_be(fast_stack: Stack, stored: MediaItem, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CliError, match=r"^Cannot write .*\. Name another place with --to\.$"):
        media.download(fast_stack, stored, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_is_full(fast_stack: Stack, stored: MediaItem, tmp_path: Path) -> None:
    (tmp_path / ".x.mp4.unfinished").symlink_to("/dev/full")
    with pytest.raises(CliError, match=r"Cannot write .*x\.mp4: No space left on device"):
        media.download(fast_stack, stored, tmp_path / "x.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["g-1", "--since", "2h"], "Job ids select the jobs already"),
        (["g-1", "--stage", "attention"], "Job ids select the jobs already"),
        (["g-1", "--provider", "sync"], "Job ids select the jobs already"),
        (["g-1", "--from-rows"], "Job ids select the jobs already"),
        (["--from-rows", "--stage", "attention"], "finds jobs without a stage"),
    ],
)
def test_two_ways_to_say_which_jobs_are_replayed(arguments: list[str], says: str) -> None:
    done = dailies("replay", *arguments, "--yes")
    assert (done.code, says in done.err) == (2, True)


@pytest.mark.parametrize("option", ["--stack", "--profile", "--region"])
@pytest.mark.parametrize("behind", [[], ["--json"]])
def test_a_stack_that_is_not_named(option: str, behind: list[str]) -> None:
    done = dailies("jobs", option, *behind)
    assert (done.code, f"Option '{option}' requires an argument." in done.err) == (2, True)


def test_a_region_that_is_none() -> None:
    done = dailies("jobs", "--region", "us east")
    assert done.code == 1
    assert (
        done.err == "dailies: 'us east' is not a region. Name one such as us-east-1 with --region, or set AWS_REGION.\n"
    )


AWAY = "https://dynamodb.eu-nowhere-1.amazonaws.com/"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=AWAY),
        ConnectTimeoutError(endpoint_url=AWAY),
        ProxyConnectionError(proxy_url="http://127.0.0.1:9"),
    ],
)
def test_aws_that_cannot_be_reached(error: BotoCoreError) -> None:
    said = str(of_aws(error))
    assert said.endswith(". Check the network, the proxy (HTTPS_PROXY) and the region (--region).")
    assert "local" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_local_stack_that_cannot_be_reached(host: str) -> None:
    said = str(of_aws(EndpointConnectionError(endpoint_url=f"http://{host}:8000/")))
    assert said.endswith(". Start the local stack with `make up`.")
