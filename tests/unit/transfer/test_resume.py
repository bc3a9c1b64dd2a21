"""A transfer that was killed, or stopped because its time was over, is resumed by the next one.

S3's parts are not sent again, but only if the medium is still the same. Parts are of 5 MiB here, S3's minimum: the
medium has six.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, StorageFailed, TransferError
from dailies.jobs.models import Upload
from dailies.transfer import parallel, transfer
from dailies.transfer.transfer import PartialTransfer, TransferRequest
from resilience.transfers.long_media import LongMedium, long_medium
from resilience.transfers.orders import KEY, MIB, kept, order, stored
from simulators.media_host.samples import SampleMedia
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import BUCKET, S3Simulator
from testkit.fixtures.transfers import time_is_over

PART = 5 * MIB
LONG, OTHER = long_medium(26 * MIB), long_medium(26 * MIB + 1)
CHANGED = LongMedium((*LONG.pieces[:-1], LONG.pieces[-1][:-1] + b"\1"))
PARTS = 6


@pytest.fixture(autouse=True)
def small_parts_and_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PART_BYTES", PART)
    monkeypatch.setattr(parallel, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection at a time, so that the order is certain."""
    monkeypatch.setattr(parallel, "MAX_CONNECTIONS", 1)


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        running.media["long.mp4"] = LONG.medium
        yield running


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[MediaHost]:
    """Another host with the same medium."""
    with media_host() as running:
        running.media["long.mp4"] = LONG.medium
        yield running


def stopped(request: TransferRequest, bucket: Bucket, s3: S3Simulator) -> Upload:
    """An upload with three of its parts, whose run ran out of time."""
    begun: list[Upload] = []
    done = transfer.transfer(replace(request, seconds=0, on_upload=begun.append), bucket)
    assert done == PartialTransfer(begun[0], 0)
    s3.count_anew()
    put(s3, begun[0], {number: LONG.content[(number - 1) * PART : number * PART] for number in (1, 2, 4)})
    return begun[0]


def put(s3: S3Simulator, upload: Upload, contents: dict[int, bytes]) -> None:
    for number, content in contents.items():
        s3.client().upload_part(
            Bucket=BUCKET,
            Key=upload.key,
            UploadId=upload.upload_id,
            PartNumber=number,
            Body=content,
            ChecksumAlgorithm="CRC64NVME",
        )
    s3.count_anew()


class TestTimeOver:
    def test_a_run_that_was_killed_again_is_resumed_again(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, one_by_one: None
    ) -> None:
        begun = stopped(order(host.url("/again/long.mp4")), bucket, s3)
        for number in (3, 6):
            put(s3, begun, {number: LONG.content[(number - 1) * PART : number * PART]})
            again = transfer.transfer(replace(order(host.url("/again/long.mp4")), seconds=0, resume=begun), bucket)
            assert again == PartialTransfer(begun, 4 if number == 3 else 5)
        stored(replace(order(host.url("/again/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS - 5

    def test_it_stops_where_a_part_ends_and_the_next_run_finishes(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, one_by_one: None
    ) -> None:
        begun: list[Upload] = []
        request = replace(order(host.url("/first/long.mp4")), on_upload=begun.append)
        with time_is_over(s3, after=2):
            done = transfer.transfer(request, bucket)
        assert isinstance(done, PartialTransfer)
        assert done.upload == begun[0]
        there = s3.objects.uploads[begun[0].upload_id].parts
        assert 0 < len(there) == done.parts < PARTS
        assert {part.size for part in there.values()} == {PART}
        s3.count_anew()
        stored(replace(order(host.url("/quick/long.mp4")), resume=begun[0]), bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS - done.parts

    def test_where_all_parts_are_there_only_the_end_is_left_to_do(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        begun = stopped(order(host.url("/all/long.mp4")), bucket, s3)
        put(s3, begun, {number + 1: LONG.content[number * PART : (number + 1) * PART] for number in range(PARTS)})
        stored(replace(order(host.url("/all/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert dict(s3.calls) == {"ListParts": 1, "CompleteMultipartUpload": 1}


class TestFailed:
    """The parts of a failed run are kept if another run can resume it."""

    def left(self, request: TransferRequest, bucket: Bucket, s3: S3Simulator) -> list[Upload]:
        """The upload that the run has begun, if it is still open after the failure."""
        begun: list[Upload] = []
        with pytest.raises(TransferError):
            transfer.transfer(replace(request, on_upload=begun.append), bucket)
        assert s3.keys == []
        s3.count_anew()
        return [upload for upload in begun if upload.upload_id in s3.objects.uploads]

    def test_the_next_run_resumes(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        """The host sends four parts and is busy then."""
        (begun,) = self.left(order(host.url("/failed/long.mp4", fault="cut-then-busy-two-minutes")), bucket, s3)
        assert len(s3.objects.uploads[begun.upload_id].parts) == 4
        stored(replace(order(host.url("/works/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert (s3.calls["CreateMultipartUpload"], s3.done["UploadPart"]) == (0, PARTS - 4)

    def test_where_only_the_end_failed_only_that_is_done(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        s3.fail("CompleteMultipartUpload", times=2)
        (begun,) = self.left(order(host.url("/end/long.mp4")), bucket, s3)
        stored(replace(order(host.url("/end/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert dict(s3.calls) == {"ListParts": 1, "CompleteMultipartUpload": 1}

    @pytest.mark.parametrize("fault", ["plain-cut-with-length", "cut-with-weak-etag"])
    def test_from_a_host_without_ranges_nothing_is_kept(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str
    ) -> None:
        assert self.left(order(host.url(f"/{fault}/long.mp4", fault=fault)), bucket, s3) == []
        assert s3.open_uploads == []

    def test_of_an_incomplete_medium_nothing_is_kept(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        host.add("/cut.mp4", LONG.content[:-1000], "video/mp4")
        assert self.left(order(host.url("/cut.mp4")), bucket, s3) == []
        assert s3.open_uploads == []

    def test_if_the_rest_is_not_available_alone_the_run_after_next_starts_over(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """This host sends the whole for each range, and claims that it is the range."""
        request = order(host.url("/lies/long.mp4", fault="cut-then-whole-as-range"))
        (begun,) = self.left(request, bucket, s3)
        assert self.left(replace(request, resume=begun), bucket, s3) == []
        assert s3.open_uploads == []
        stored(replace(request, resume=begun), bucket)
        kept(s3, LONG.content)

    def test_an_upload_without_parts_is_not_kept(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        s3.fail("UploadPart", times=1000)
        assert self.left(order(host.url("/denied/long.mp4")), bucket, s3) == []
        assert s3.open_uploads == []

    def test_a_medium_rejected_for_its_content_is_not_kept(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """No run follows."""
        assert self.left(order(host.url("/loop/long.mp4", fault="cut-then-redirect-to-itself")), bucket, s3) == []
        assert s3.open_uploads == []


class TestTheSameMedium:
    def test_a_fresh_link_leads_to_it_as_well(
        self, host: MediaHost, elsewhere: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """Another host, path and query; the ETag and the length identify it."""
        begun = stopped(order(host.url("/first/long.mp4")), bucket, s3)
        host.revoke("/first/long.mp4")
        stored(replace(order(elsewhere.url("/renewed/9/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS - 3

    @pytest.mark.parametrize(
        ("now", "fault"),
        [
            (CHANGED.medium, None),  # another ETag
            (OTHER.medium, None),  # and another length
            (LONG.medium, "range-ignored"),  # the same, but no longer in ranges
            (long_medium(4 * MIB).medium, None),  # one that is sent as one object
            (LONG.medium, "plain-no-length"),  # one that no longer promises a length
        ],
        ids=["changed", "longer", "without ranges", "small", "without length"],
    )
    def test_if_not_the_old_upload_is_aborted_and_the_transfer_starts_over(
        self, s3: S3Simulator, bucket: Bucket, now: SampleMedia, fault: str | None
    ) -> None:
        with media_host() as host:
            host.media["long.mp4"] = LONG.medium
            begun = stopped(order(host.url("/changing/long.mp4")), bucket, s3)
            host.media["long.mp4"] = now
            stored(replace(order(host.url("/changing/long.mp4", fault=fault)), resume=begun), bucket)
        kept(s3, now.content)
        assert s3.calls["AbortMultipartUpload"] == 1
        assert begun.upload_id not in s3.objects.uploads

    def test_also_if_it_is_of_another_kind_now(self, s3: S3Simulator, bucket: Bucket) -> None:
        """Then it has another key too."""
        with media_host() as host:
            host.media["long.mp4"] = LONG.medium
            begun = stopped(order(host.url("/kind/long.mp4")), bucket, s3)
            host.media["long.mp4"] = host.media["product.png"]
            request = replace(order(host.url("/kind/long.mp4")), resume=begun, kinds=frozenset({"image"}))
            assert stored(request, bucket).content_type == "image/png"
        assert s3.open_uploads == []

    def test_a_host_that_fails_for_a_while_costs_nothing_that_is_there(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        begun = stopped(order(host.url("/busy/long.mp4")), bucket, s3)
        request = replace(order(host.url("/busy/long.mp4", fault="busy-once")), resume=begun)
        with pytest.raises(HostFailed, match="429"):
            transfer.transfer(request, bucket)
        stored(request, bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS - 3


class TestTheUpload:
    @pytest.mark.parametrize("status", [403, 404])
    def test_an_upload_that_s3_no_longer_has_starts_over(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, status: int
    ) -> None:
        """S3 answers 403 for a missing object to a role that may not list the bucket."""
        begun = stopped(order(host.url("/gone/long.mp4")), bucket, s3)
        s3.objects.uploads.clear()  # as the bucket's rule does after a day
        s3.fail("HeadObject", status=status, code="AccessDenied")
        stored(replace(order(host.url("/gone/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS

    def test_one_that_was_completed_is_the_object(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        """Its run was killed between S3's response and ours: nothing is fetched a second time."""
        begun: list[Upload] = []
        request = replace(order(host.url("/done/long.mp4")), on_upload=begun.append)
        first = stored(request, bucket)
        s3.count_anew()
        again = stored(replace(request, resume=begun[0]), bucket)
        assert (again.version_id, again.checksum) == (first.version_id, first.checksum)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == 0

    def test_two_runs_at_once_do_not_spoil_it(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        """A part that is sent twice has the same bytes. The later run finds the object, or has to retry."""
        begun = stopped(order(host.url("/both/long.mp4")), bucket, s3)
        request = replace(order(host.url("/both/long.mp4")), resume=begun)
        with ThreadPoolExecutor(2) as both:
            runs = [both.submit(stored, request, bucket) for _ in range(2)]
        failures = [run.exception() for run in runs if run.exception()]
        assert len(failures) < 2
        assert {type(failure) for failure in failures} <= {StorageFailed}
        kept(s3, LONG.content)
        assert stored(request, bucket).version_id == s3.object(KEY).version_id

    def test_if_s3_cannot_list_the_parts_it_is_retried_later(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        begun = stopped(order(host.url("/mute/long.mp4")), bucket, s3)
        s3.fail("ListParts", status=503, code="SlowDown", times=100)
        with pytest.raises(StorageFailed, match="SlowDown"):
            transfer.transfer(replace(order(host.url("/mute/long.mp4")), resume=begun), bucket)
        assert s3.open_uploads == [KEY]  # with its parts
