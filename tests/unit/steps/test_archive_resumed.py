"""The upload of an earlier attempt is in an event row, and S3 has its parts: the next attempt resumes it, unless
another run may still use it.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import time
from typing import Any

import pytest

from dailies import timestamps
from dailies.jobs.models import Event, Upload
from dailies.steps.archive_item import ArchiveItem, upload_event
from dailies.transfer import parallel, transfer
from resilience.transfers.long_media import MIB, long_medium
from simulators.s3 import BUCKET, S3Simulator
from testkit.fixtures.archiver import PROVIDERS, TRIES, Archive
from testkit.fixtures.transfers import time_is_over
from testkit.support.wait import wait_for

PART = 6 * MIB  # so that the host's cut, after 20 MiB, is within the fourth
LONG = long_medium(30 * MIB)
PARTS = 5


@pytest.fixture(autouse=True)
def small_parts(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PART_BYTES", PART)
    monkeypatch.setattr(parallel, "PAUSE_SECONDS", 0.02)
    archive_at_work.apis.host.media["long.mp4"] = LONG.medium


def test_an_attempt_that_ran_out_of_time_is_resumed_by_the_next(
    archive_at_work: Archive, s3: S3Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "MAX_CONNECTIONS", 1)
    event = archive_at_work.generation("long.mp4")
    with time_is_over(s3, after=2):
        assert not archive_at_work.try_medium(event, "output")
    (begun,) = [one.upload for one in archive_at_work.events(event, "archive") if one.upload]
    (upload_id, upload) = next(iter(s3.objects.uploads.items()))
    there = len(upload.parts)
    assert (begun.upload_id, begun.key) == (upload_id, upload.key)
    receipt = archive_at_work.receipt(event)
    assert receipt.state == "pending"
    assert receipt.reason == f"stopped with {there} parts when the time was over; goes on from there"
    assert archive_at_work.job(event).stage == "archiving"

    s3.count_anew()
    archive_at_work.apis.sync.links.die("g-1")  # by now
    archive_at_work.set_keys()
    archive_at_work.apis.sync.job("g-1").output = "/quick/long.mp4"
    assert archive_at_work.try_medium(event, "output", tries=2)
    assert s3.object(begun.key).content == LONG.content
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (0, PARTS - there)
    assert archive_at_work.job(event).stage == "settled"
    assert s3.open_uploads == []


def test_that_it_was_begun_is_recorded_before_its_first_part_is_sent(archive_at_work: Archive, s3: S3Simulator) -> None:
    """So that a function killed at any time leaves what the next one needs."""
    calls: list[tuple[int, int]] = []
    archive_at_work.cloud.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.PutItem",
        lambda **_: calls.append((s3.calls["CreateMultipartUpload"], s3.calls["UploadPart"])),
    )
    event = archive_at_work.generation("long.mp4")
    calls.clear()
    archive_at_work.try_medium(event, "output")
    assert calls[0] == (1, 0)


def begun_by_another(archive: Archive, s3: S3Simulator, event: Event, *, ago: float, sent: int) -> str:
    """Another run began an upload of the output `ago` seconds ago, and has sent parts: the upload's id."""
    (output,) = event.media
    item = ArchiveItem(PROVIDERS["sync"], "generation", "g-1", "output", output.media_id)
    where: dict[str, Any] = {"Bucket": BUCKET, "Key": item.key("mp4")}
    checked: dict[str, Any] = {"ChecksumAlgorithm": "CRC64NVME"}
    upload_id = s3.client().create_multipart_upload(**where, **checked, ChecksumType="FULL_OBJECT")["UploadId"]
    for number in range(1, sent + 1):
        body = LONG.content[(number - 1) * PART : number * PART]
        s3.client().upload_part(**where, **checked, UploadId=upload_id, PartNumber=number, Body=body)
    upload = Upload(item.key("mp4"), upload_id, PART, len(LONG.content), f'"{LONG.medium.sha256[:32]}"')
    archive.record(replace(upload_event(item, upload), received_at=timestamps.at(time() - ago)))
    s3.count_anew()
    return upload_id


@pytest.mark.parametrize("sent", [0, 2])
def test_what_a_run_beside_it_may_be_at_is_left_alone(archive_at_work: Archive, s3: S3Simulator, sent: int) -> None:
    """A queue may deliver a message twice. The run that completes the object first has stored it."""
    event = archive_at_work.generation("long.mp4")
    theirs = begun_by_another(archive_at_work, s3, event, ago=60, sent=sent)
    assert archive_at_work.try_medium(event, "output")
    assert s3.object(s3.keys[0]).content == LONG.content
    assert list(s3.objects.uploads) == [theirs]
    assert len(s3.objects.uploads[theirs].parts) == sent
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (1, PARTS)


@pytest.mark.parametrize(("sent", "anew"), [(0, 1), (2, 0)])
def test_what_a_run_has_left_that_was_killed_is_gone_on_with_or_dropped(
    archive_at_work: Archive, s3: S3Simulator, sent: int, anew: int
) -> None:
    event = archive_at_work.generation("long.mp4")
    begun_by_another(archive_at_work, s3, event, ago=960, sent=sent)
    assert archive_at_work.try_medium(event, "output")
    assert s3.object(s3.keys[0]).content == LONG.content
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (anew, PARTS - sent)
    assert s3.open_uploads == []


def test_parts_from_a_host_that_failed_midway_are_not_requested_again(
    archive_at_work: Archive, s3: S3Simulator
) -> None:
    """It sends three parts and a bit, and is busy then."""
    event = archive_at_work.generation("/fault/cut-then-busy-two-minutes/long.mp4")
    assert not archive_at_work.try_medium(event, "output")
    assert archive_at_work.receipt(event).reason == "the host answered 429"
    (upload,) = s3.objects.uploads.values()
    assert len(upload.parts) == 3

    s3.count_anew()
    archive_at_work.apis.sync.links.die("g-1")  # by now
    archive_at_work.set_keys()
    archive_at_work.apis.sync.job("g-1").output = "/quick/long.mp4"
    assert archive_at_work.try_medium(event, "output", tries=2)
    assert s3.object(s3.keys[0]).content == LONG.content
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (0, PARTS - 3)
    assert s3.open_uploads == []


def test_also_where_it_was_given_up_and_is_brought_back(archive_at_work: Archive, s3: S3Simulator) -> None:
    """Only within a day: then the bucket's lifecycle rule aborts the upload."""
    event = archive_at_work.generation("/fault/cut-then-busy-two-minutes/long.mp4")
    assert archive_at_work.try_medium(event, "output", tries=TRIES)
    assert archive_at_work.receipt(event).state == "failed"
    assert [len(upload.parts) for upload in s3.objects.uploads.values()] == [3]
    archive_at_work.apis.sync.links.die("g-1")
    archive_at_work.set_keys()
    archive_at_work.apis.sync.job("g-1").output = "/quick/long.mp4"
    assert archive_at_work.try_medium(event, "output")
    assert s3.calls["CreateMultipartUpload"] == 1
    assert s3.open_uploads == []


def test_a_link_that_dies_in_the_middle_is_followed_by_the_fresh_one_from_there(
    archive_at_work: Archive, s3: S3Simulator
) -> None:
    """In the same attempt."""
    archive_at_work.set_keys()
    event = archive_at_work.generation("/fault/cut-then-forbidden/long.mp4")
    archive_at_work.apis.sync.job("g-1").output = "/quick/long.mp4"
    assert archive_at_work.try_medium(event, "output")
    assert s3.object(s3.keys[0]).content == LONG.content
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (1, PARTS)
    assert (s3.open_uploads, s3.calls["AbortMultipartUpload"]) == ([], 0)


def test_also_if_the_attempt_resumes_an_earlier_one(
    archive_at_work: Archive, s3: S3Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "MAX_CONNECTIONS", 1)
    archive_at_work.set_keys()
    event = archive_at_work.generation("/fault/slow/long.mp4")
    upload_id = begun_by_another(archive_at_work, s3, event, ago=960, sent=2)
    archive_at_work.apis.sync.job("g-1").output = "/quick/long.mp4"
    upload = s3.objects.uploads[upload_id]
    with ThreadPoolExecutor(1) as beside:
        tried = beside.submit(archive_at_work.try_medium, event, "output")
        wait_for("a part more", lambda: len(upload.parts), lambda there: there > 2)
        archive_at_work.apis.sync.links.die("g-1")
        assert tried.result()
    assert s3.object(s3.keys[0]).content == LONG.content
    assert (s3.done["CreateMultipartUpload"], s3.done["UploadPart"]) == (0, PARTS - 2)
    assert len(archive_at_work.events(event, "poll")) == 1
