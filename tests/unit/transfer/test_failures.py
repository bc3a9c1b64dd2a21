"""A failed transfer leaves no object and no open upload, and one line with the reason.

Failures in the parts of a large medium, and all failures of S3: test_parallel.py, test_resume.py and
test_fault_matrix.py.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, LinkDead, MediumRefused, TransferError
from dailies.jobs.models import MediaKind
from dailies.transfer.transfer import TransferRequest, transfer
from resilience.transfers.orders import MIB, order
from simulators.media_host.samples import padded
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import S3Simulator

CLIP = "generation.mp4"
LARGE = "large.mp4"  # 40 MiB here: three parts


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        content = padded(running.media[LARGE].content, 40 * MIB)
        running.media[LARGE] = replace(running.media[LARGE], content=content)
        yield running


class TestFailures:
    def refused(self, request: TransferRequest, bucket: Bucket, s3: S3Simulator) -> TransferError:
        with pytest.raises(TransferError) as failure:
            transfer(request, bucket)
        assert s3.keys == []
        assert s3.open_uploads == []
        assert not any(secret in failure.value.reason for secret in ("X-Amz", "http:", "\n"))
        return failure.value

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            ("cut-with-length", (HostFailed, "cut short: ")),
            ("cut-chunked", (HostFailed, "cut short: ")),
            ("cut-without-length", (HostFailed, "cut short: ")),
            ("reset-at-half", (HostFailed, "the host hung up")),
            ("length-too-long", (HostFailed, "the host answered another range")),
            ("length-too-short", (HostFailed, "the host answered another range")),
            ("length-huge", (HostFailed, "the host answered another range")),
            ("wrong-content-range", (HostFailed, "the host answered another range")),
            ("empty", (MediumRefused, "not video: nothing")),
            ("html-page", (MediumRefused, "not video: an HTML page")),
            ("html-page-as-mp4", (MediumRefused, "not video: an HTML page")),
            ("redirect-to-metadata", (MediumRefused, "not https: http")),
            ("redirect-to-itself", (MediumRefused, "more than 5 redirects")),
            ("gzip-unasked", (MediumRefused, "the host compressed what was asked for as it is")),
            ("forbidden", (LinkDead, "the host answered 403")),
            ("expired", (LinkDead, "the host answered 400")),
            ("missing", (LinkDead, "the host answered 404")),
            ("gone", (LinkDead, "the host answered 410")),
            ("broken", (HostFailed, "the host answered 500")),
            ("unavailable-twice", (HostFailed, "the host answered 503")),
            ("hang-up", (HostFailed, "the host hung up")),
            ("headers-flood", (HostFailed, "the host's head is malformed or too long")),
        ],
    )
    def test_a_bad_host(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str, expected: tuple[type[TransferError], str]
    ) -> None:
        failure = self.refused(order(host.url(f"/bad/{CLIP}", fault=fault)), bucket, s3)
        assert isinstance(failure, expected[0])
        assert failure.reason.startswith(expected[1])

    @pytest.mark.parametrize("fault", [None, "range-ignored", "no-length"])
    def test_a_large_one_that_its_host_has_cut_itself(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str | None
    ) -> None:
        """All promised bytes arrive; only the container shows that some are missing."""
        for name, content in self.cut_files(host).items():
            host.add("/cut.mp4", content, "video/mp4")
            failure = self.refused(order(host.url("/cut.mp4", fault=fault)), bucket, s3)
            assert isinstance(failure, HostFailed), name
            assert failure.reason.startswith("cut short: the MP4"), name

    def cut_files(self, host: MediaHost) -> dict[str, bytes]:
        clip = host.media[CLIP].content
        moov = clip[clip.index(b"moov") - 4 :]
        moov = moov[: int.from_bytes(moov[:4], "big")]
        mdat = (21 * MIB).to_bytes(4) + b"mdat" + bytes(21 * MIB - 8)  # more than one part
        return {
            "within the pictures": host.media[LARGE].content[: 30 * MIB],
            "within the index behind them": clip[:32] + mdat + moov[:-1],
            "before the index": clip[:32] + mdat,
            "with something else behind": clip[:32] + moov + mdat + (3).to_bytes(4) + b"junk" * 100,
        }

    def test_a_medium_of_another_kind(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        def reason(name: str, *kinds: MediaKind) -> str:
            request = replace(order(host.url(f"/{name}")), kinds=frozenset(kinds))
            failure = self.refused(request, bucket, s3)
            assert isinstance(failure, MediumRefused)
            return failure.reason

        assert reason("product.png", "video") == "not video: image/png"
        assert reason("product.png", "video", "audio") == "not audio or video: image/png"
        assert reason(CLIP, "image") == "not image: video/mp4"
        assert reason(CLIP, "jsonl") == "not jsonl: video/mp4"

    @pytest.mark.parametrize("fault", [None, "chunked"])
    def test_one_that_is_too_large_with_or_without_a_length(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str | None
    ) -> None:
        for name, most in ((CLIP, 1000), (LARGE, 20 * MIB)):
            request = replace(order(host.url(f"/big/{name}", fault=fault)), max_bytes=most)
            failure = self.refused(request, bucket, s3)
            assert isinstance(failure, MediumRefused)
            assert failure.reason == f"larger than the limit of {most} bytes"

    def test_an_s3_that_refuses_a_small_one(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        s3.fail("PutObject", status=403, code="AccessDenied", times=100)
        failure = self.refused(order(host.url(f"/{CLIP}")), bucket, s3)
        assert failure.reason == "S3 answered AccessDenied"
