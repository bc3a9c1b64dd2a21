"""A link becomes an object, complete and once, with the fewest calls; an attempt finds the result of an earlier one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from awscrt import checksums

from dailies.aws.bucket import Bucket
from dailies.transfer.transfer import PART_BYTES, TransferResult
from dailies.transfer.upload import crc_text
from resilience.transfers.orders import KEY, MIB, kept, order, stored
from simulators.media_host.samples import padded
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import BUCKET, S3Simulator

CLIP = "generation.mp4"
LARGE = "large.mp4"  # 40 MiB here: three parts


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        content = padded(running.media[LARGE].content, 40 * MIB)
        running.media[LARGE] = replace(running.media[LARGE], content=content)
        yield running


class TestWhole:
    def test_a_small_one_is_one_object_by_one_call(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        content = host.media[CLIP].content
        done = stored(order(host.url(f"/{CLIP}")), bucket)
        kept(s3, content)
        assert dict(s3.calls) == {"PutObject": 1}
        assert done == TransferResult(
            key=KEY,
            version_id=s3.object(KEY).version_id,
            bytes=len(content),
            checksum=f"crc64nvme:{crc_text(checksums.crc64nvme(content))}",
            content_type="video/mp4",
            source_host="127.0.0.1",
            media_info=done.media_info,
        )
        assert (done.media_info.width, done.media_info.height) == (320, 180)
        head = s3.client().head_object(Bucket=BUCKET, Key=KEY)
        assert head["ContentType"] == "video/mp4"
        assert head["Metadata"] == {"provider": "sync", "job-id": "g%2F1", "role": "output"}
        assert s3.requests[0].headers["if-none-match"] == "*"

    def test_a_large_one_goes_in_parts_under_one_checksum(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        content = host.media[LARGE].content
        done = stored(order(host.url(f"/{LARGE}")), bucket)
        kept(s3, content)
        assert dict(s3.calls) == {"CreateMultipartUpload": 1, "UploadPart": 2, "CompleteMultipartUpload": 1}
        assert done.checksum == f"crc64nvme:{crc_text(checksums.crc64nvme(content))}"
        assert done.bytes == len(content)
        assert s3.client().head_object(Bucket=BUCKET, Key=KEY)["Metadata"]["role"] == "output"

    @pytest.mark.parametrize("fault", ["chunked", "no-length", "range-ignored", "redirect-to-good"])
    @pytest.mark.parametrize("name", [CLIP, LARGE])
    def test_in_any_framing_of_the_host(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, name: str, fault: str
    ) -> None:
        done = stored(order(host.url(f"/told/{name}", fault=fault)), bucket)
        kept(s3, host.media[name].content)
        assert done.bytes == len(host.media[name].content)

    @pytest.mark.parametrize("size", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1])
    def test_at_the_edge_of_a_part(self, host: MediaHost, s3: S3Simulator, bucket: Bucket, size: int) -> None:
        content = padded(host.media[CLIP].content, size)
        host.add("/edge.mp4", content, "video/mp4")
        assert stored(order(host.url("/edge.mp4")), bucket).bytes == size
        kept(s3, content)

    def test_the_bytes_decide_the_type_and_not_the_header(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket
    ) -> None:
        host.add("/typed/rows", b'{"generationId":"g-1"}\n' * 9, "text/html")
        host.add("/typed/picture", host.media["product.png"].content, "video/mp4")
        for name, content_type, key in (
            ("rows", "application/x-ndjson", KEY.replace("mp4", "jsonl")),
            ("picture", "image/png", KEY.replace("mp4", "png")),
        ):
            request = replace(order(host.url(f"/typed/{name}")), kinds=frozenset({"image", "jsonl"}))
            assert stored(request, bucket).content_type == content_type
            assert s3.object(key).content


class TestAgain:
    """An attempt finds the result of an earlier one."""

    @pytest.mark.parametrize("name", [CLIP, LARGE])
    def test_an_object_that_is_there_is_kept_and_is_the_result(
        self, host: MediaHost, s3: S3Simulator, bucket: Bucket, name: str
    ) -> None:
        first = stored(order(host.url(f"/{name}")), bucket)
        again = stored(order(host.url(f"/{name}")), bucket)
        assert replace(again, media_info=first.media_info) == first
        kept(s3, host.media[name].content)

    def test_another_object_there_is_not_overwritten(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        s3.client().put_object(Bucket=BUCKET, Key=KEY, Body=b"as it was")
        assert stored(order(host.url(f"/{CLIP}")), bucket).bytes == len(b"as it was")
        assert s3.object(KEY).content == b"as it was"

    def test_a_completion_whose_answer_was_lost_is_one(self, host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
        s3.lose("CompleteMultipartUpload")
        assert stored(order(host.url(f"/{LARGE}")), bucket).version_id == s3.object(KEY).version_id
        kept(s3, host.media[LARGE].content)
