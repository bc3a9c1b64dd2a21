"""What hosts really send, from public reports: complete media in an unusual form, and media that come late."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, LinkDead, MediumRefused, TransferError
from dailies.outbound.connection import Network
from dailies.transfer.transfer import transfer
from resilience.transfers.orders import KEY, kept, order, stored
from simulators.media_host.answers import Answer
from simulators.media_host.odd_answers import ODD
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import S3Simulator

CLIP = "generation.mp4"
LATE = sorted(name for name in ODD if name.endswith("-then-ready"))
RIGHT = sorted(ODD.keys() - set(LATE))


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


def failure(url: str, bucket: Bucket, s3: S3Simulator) -> TransferError:
    with pytest.raises(TransferError) as failed:
        transfer(order(url), bucket)
    assert s3.keys == []
    return failed.value


@pytest.mark.parametrize("fault", RIGHT)
def test_a_complete_medium_in_any_form_is_stored_in_one_attempt(
    host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str
) -> None:
    stored(order(host.url(f"/odd/{CLIP}", fault=fault)), bucket)
    kept(s3, host.media[CLIP].content)


@pytest.mark.parametrize("fault", LATE)
def test_what_is_not_ready_yet_may_be_retried(host: MediaHost, s3: S3Simulator, bucket: Bucket, fault: str) -> None:
    url = host.url(f"/late/{CLIP}", fault=fault)
    for _ in range(2):
        failed = failure(url, bucket, s3)
        assert isinstance(failed, HostFailed | LinkDead) or (isinstance(failed, MediumRefused) and failed.not_ready)
    stored(order(url), bucket)
    kept(s3, host.media[CLIP].content)


@pytest.mark.parametrize(
    ("content", "label"),
    [
        (gzip.compress(b"\0\0\0\x20ftypisom" + bytes(500), mtime=0), "gzip"),
        (gzip.compress(b"\0\0\0\x20ftypisom" + bytes(500), mtime=0), None),
        (b"\x28\xb5\x2f\xfd" + bytes(range(128, 256)), None),
        (zlib.compress(b"\0\0\0\x20ftypisom" + bytes(500)), None),
        (zlib.compress(b"\0\0\0\x20ftypisom" + bytes(500), wbits=-15), "deflate"),
        (b"\x8b\x07\x80\xff" * 50, "br"),
    ],
)
def test_what_is_really_compressed_is_refused(
    host: MediaHost, s3: S3Simulator, bucket: Bucket, content: bytes, label: str | None
) -> None:
    headers = {"Content-Length": str(len(content))} | ({"Content-Encoding": label} if label else {})
    host.answers("/packed.mp4", Answer(200, headers, content))
    failed = failure(host.url("/packed.mp4"), bucket, s3)
    assert failed.reason == "the host compressed what was asked for as it is"
    assert isinstance(failed, MediumRefused)
    assert not failed.not_ready


def test_another_medium_is_final_and_other_bytes_are_not(host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
    for content, not_ready in ((b"\x89PNG\r\n\x1a\n" + bytes(99), False), (bytes(99), True), (bz2.compress(b""), True)):
        host.answers("/other.mp4", Answer(200, {"Content-Length": str(len(content))}, content))
        failed = failure(host.url("/other.mp4"), bucket, s3)
        assert isinstance(failed, MediumRefused)
        assert failed.not_ready == not_ready


def test_a_medium_of_unknown_size_whose_format_has_no_end_is_not_stored(
    host: MediaHost, s3: S3Simulator, bucket: Bucket
) -> None:
    """It may be the first of several ranges."""
    content = b"ID3" + bytes(99)
    said = {"Content-Length": str(len(content)), "Content-Range": f"bytes 0-{len(content) - 1}/*"}
    host.answers("/sound.mp3", Answer(206, said, content))
    with pytest.raises(HostFailed, match="unknown size"):
        transfer(replace(order(host.url("/sound.mp3")), kinds=frozenset({"audio"})), bucket)
    assert s3.keys == []


def test_a_dead_link_and_a_busy_host_get_no_second_request(host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
    for fault in ("forbidden", "expired", "missing", "gone", "busy", "unavailable-twice"):
        failure(host.url(f"/once/{fault}/{CLIP}", fault=fault), bucket, s3)
        assert len(host.requests_for(f"/once/{fault}/{CLIP}")) == 1


def test_the_user_agent_is_the_configured_one(host: MediaHost, s3: S3Simulator, bucket: Bucket) -> None:
    stored(replace(order(host.url(f"/agent/{CLIP}")), network=Network(user_agent="curl/8.5.0")), bucket)
    assert {one.header("user-agent") for one in host.requests_for(f"/agent/{CLIP}")} == {"curl/8.5.0"}
    assert s3.keys == [KEY]
