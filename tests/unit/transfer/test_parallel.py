"""A large medium is fetched over as many connections as help; a failed part or connection affects no other.

Parts are of 5 MiB here, S3's minimum: the medium has six.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from awscrt import checksums

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, StorageFailed, TransferError
from dailies.jobs.models import Upload
from dailies.transfer import parallel, transfer
from dailies.transfer.parallel import MAX_PEEKS
from dailies.transfer.transfer import MAX_PARTS
from dailies.transfer.upload import PIECE_BYTES, crc_text
from resilience.transfers.long_media import long_medium
from resilience.transfers.orders import KEY, MIB, kept, order, stored
from simulators.media_host.links import HOUR
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import BUCKET, S3Simulator
from tests.unit.transfer.test_formats import FTYP, box

PART = 5 * MIB
LONG, SHORTER = long_medium(28 * MIB), long_medium(10 * MIB)  # whose halves end within a part
PARTS = 6
NEVER = 600  # seconds: longer than any test may take

connections: list[object] = []
sys.addaudithook(lambda event, args: connections.append(args[1]) if event == "socket.connect" else None)


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
        running.media |= {"long.mp4": LONG.medium, "shorter.mp4": SHORTER.medium}
        yield running


def starts(host: MediaHost, path: str) -> list[int]:
    """The starts of the requested ranges."""
    asked = [request.header("range") or "" for request in host.requests_for(path)]
    return [int(span.removeprefix("bytes=").partition("-")[0]) for span in asked]


def failure(url: str, bucket: Bucket, s3: S3Simulator) -> TransferError:
    with pytest.raises(TransferError) as failed:
        transfer.transfer(order(url), bucket)
    assert s3.keys == []
    assert all(upload.parts for upload in s3.objects.uploads.values())  # else there is nothing to resume
    return failed.value


class TestConnections:
    def test_a_host_that_limits_each_connection_gets_more_of_them(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        stored(order(host.url("/capped/long.mp4", fault="slow")), bucket)
        kept(s3, LONG.content)
        first, *others = starts(host, "/capped/long.mp4")
        assert first == 0
        assert len(others) >= 3
        assert set(others) <= {number * PART for number in range(PARTS)}
        assert s3.calls["UploadPart"] == PARTS  # no part was sent twice

    def test_with_the_last_byte_it_ends(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It does not wait to see whether more connections would pay off."""
        monkeypatch.setattr(parallel, "SAMPLE_SECONDS", NEVER)
        began = time.monotonic()
        stored(order(host.url("/free/long.mp4")), bucket)
        assert time.monotonic() - began < NEVER
        assert starts(host, "/free/long.mp4") == [0]
        assert s3.calls["UploadPart"] == PARTS

    @pytest.mark.parametrize("then", ["busy", "forbidden", "wrong-content-range"])
    def test_one_that_takes_no_more_is_streamed_by_the_first(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, then: str
    ) -> None:
        """Some hosts allow a client only one connection, or a link only one use."""
        stored(order(host.url(f"/alone/{then}/shorter.mp4", fault=f"slow-then-{then}")), bucket)
        kept(s3, SHORTER.content)
        assert len(starts(host, f"/alone/{then}/shorter.mp4")) > 1

    def test_a_part_that_no_range_brings_is_not_made_of_other_bytes(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """The stream has to bring it, if it gets there; its position is not the missing part."""
        with suppress(HostFailed):
            stored(order(host.url("/end/long.mp4", fault="slow-then-end-unavailable")), bucket)
        if s3.keys:
            kept(s3, LONG.content)

    def test_ranges_follow_each_other_by_the_same_one(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, one_by_one: None
    ) -> None:
        begun = begin(s3, last=LONG.content[(PARTS - 1) * PART :])
        before = len(connections)
        stored(replace(order(host.url("/same/long.mp4")), resume=begun), bucket)
        kept(s3, LONG.content)
        port = urlsplit(host.base_url).port
        assert starts(host, "/same/long.mp4") == [0, *(number * PART for number in reversed(range(PARTS - 1)))]
        assert connections[before:].count(("127.0.0.1", port)) == 2  # the first response was cut halfway

    def test_lines_are_read_in_their_order_and_so_by_one(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        line = b'{"generationId":"g-1","outputUrl":"https://h.example/%b"}\n' % (b"x" * 5000)
        lines = line * (2 * PART // len(line) + 1)
        host.add("/result.jsonl", lines, "application/jsonl")
        request = replace(order(host.url("/result.jsonl", fault="slow")), kinds=frozenset({"jsonl"}))
        assert stored(request, bucket).bytes == len(lines)
        assert starts(host, "/result.jsonl") == [0]

    @pytest.mark.parametrize("fault", ["cut-with-weak-etag", "plain-cut-with-length", "plain-cut-at-part"])
    def test_without_truthful_ranges_there_is_one_and_its_cut_is_the_end(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str
    ) -> None:
        path = f"/{fault}/long.mp4"
        failed = failure(host.url(path, fault=fault), bucket, s3)
        assert isinstance(failed, HostFailed)
        assert failed.reason.startswith("cut short: ")
        assert starts(host, path) == [0]


class TestOnePart:
    @pytest.mark.usefixtures("one_by_one")
    def test_a_cut_stream_is_gone_on_with_by_ranges(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        stored(order(host.url("/once/long.mp4", fault="cut-once")), bucket)
        kept(s3, LONG.content)
        assert s3.done["UploadPart"] == PARTS  # without the one that was cut

    def test_a_part_that_s3_rejects_is_requested_again_alone(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        s3.fail("UploadPart", skip=2, status=500, code="InternalError")
        s3.cut("UploadPart", skip=4, after=PIECE_BYTES)
        stored(order(host.url("/refused/long.mp4")), bucket)
        kept(s3, LONG.content)
        assert s3.calls["UploadPart"] == PARTS + 2

    def test_an_s3_that_takes_no_part_ends_it(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        s3.fail("UploadPart", skip=2, status=403, code="AccessDenied", times=1000)
        failed = failure(host.url("/denied/long.mp4"), bucket, s3)
        assert isinstance(failed, StorageFailed)
        assert failed.reason == "S3 answered AccessDenied"

    @pytest.mark.usefixtures("one_by_one")
    def test_a_hosts_retry_after_of_a_second_is_respected(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        stored(order(host.url("/busy/long.mp4", fault="cut-then-busy-once")), bucket)
        kept(s3, LONG.content)
        _, refused, again, *_ = (request.at for request in host.requests_for("/busy/long.mp4"))
        assert again - refused >= 1

    @pytest.mark.usefixtures("one_by_one")
    def test_a_retry_after_of_minutes_ends_the_attempt(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        failed = failure(host.url("/busier/long.mp4", fault="cut-then-busy-two-minutes"), bucket, s3)
        assert isinstance(failed, HostFailed)
        assert failed.retry_after == 120
        assert len(starts(host, "/busier/long.mp4")) == 2

    @pytest.mark.usefixtures("one_by_one")
    def test_where_a_redirect_led_is_dead_and_the_link_leads_elsewhere_now(
        self, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """An API's link may redirect to a link that is signed for minutes."""
        with media_host(now=lambda: time.time() + (2 * HOUR if len(dying.requests) > 3 else 0)) as dying:
            dying.media["long.mp4"] = LONG.medium
            dying.redirect("/v2/result", to=dying.url("/r/long.mp4", fault="cut-once"))
            fresh = dying.url("/r/long.mp4", fault="cut-once", issued=time.time() + 2 * HOUR)
            request = order(dying.url("/v2/result", lifetime=None))
            stored(replace(request, on_upload=lambda _: dying.redirect("/v2/result", to=fresh)), bucket)
            kept(s3, LONG.content)
            assert len(dying.requests_for("/v2/result")) == 2


class TestOrder:
    def test_an_end_mark_across_two_parts_is_found_in_any_order(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        data = bytes(2 * PART + 5 - 8 - 12 - 12)
        chunk = len(data).to_bytes(4, "big") + b"IDAT" + data + bytes(4)
        picture = b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IEND\xaeB`\x82"
        host.add("/large.png", picture, "image/png")
        request = replace(order(host.url("/large.png", fault="cut-once")), kinds=frozenset({"image"}))
        assert stored(request, bucket).bytes == len(picture)
        assert starts(host, "/large.png")[1] == 2 * PART  # the last five bytes arrive before the others

    def test_an_mp4_of_very_many_boxes_is_checked_by_its_length(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        """The walk over the boxes passes none of its parts, and each has thousands."""
        fragment = box(b"moof", bytes(92)) + box(b"mdat", bytes(3992))
        content = (
            FTYP
            + box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", bytes(84)))
            + fragment * (30 * MIB // len(fragment))
        )
        host.add("/fragments.mp4", content, "video/mp4")
        stored(order(host.url("/fragments.mp4", fault="cut-once")), bucket)
        kept(s3, content)
        assert len(starts(host, "/fragments.mp4")) > MAX_PEEKS


class TestSize:
    def test_parts_grow_with_the_medium_so_that_there_are_never_too_many(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        begun: list[Upload] = []
        url = host.url("/huge/long.mp4", fault="plain-length-huge")  # 100 TiB are promised
        with pytest.raises(HostFailed, match="cut short"):
            transfer.transfer(replace(order(url), max_bytes=2**60, on_upload=begun.append), bucket)
        (upload,) = begun
        assert upload.part_bytes * (MAX_PARTS - 1) < upload.total <= upload.part_bytes * MAX_PARTS
        assert upload.part_bytes % PIECE_BYTES == 0
        assert (s3.keys, s3.open_uploads) == ([], [])


def begin(s3: S3Simulator, *, last: bytes) -> Upload:
    """An upload of the medium that has its last part."""
    client = s3.client()
    begun = client.create_multipart_upload(
        Bucket=BUCKET, Key=KEY, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
    )
    client.upload_part(
        Bucket=BUCKET,
        Key=KEY,
        UploadId=begun["UploadId"],
        PartNumber=PARTS,
        Body=last,
        ChecksumCRC64NVME=crc_text(checksums.crc64nvme(last)),
    )
    return Upload(KEY, begun["UploadId"], PART, len(LONG.content), f'"{LONG.medium.sha256[:32]}"')
