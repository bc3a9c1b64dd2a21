"""The S3 stand-in: what it takes, what it refuses, and how it lets things go wrong, as S3 does.

Requests come from boto3 or are signed by botocore and sent by urllib3 or over a bare socket; checksums are the
published check values of their algorithms or computed by hashlib and zlib.
"""

import json
import os
import socket
import subprocess
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import ProtocolError

from local.sink import BUCKET, Sink, sink
from local.sink.signature import ACCESS_KEY, SECRET_KEY

MIB = 1024 * 1024
PART = os.urandom(5 * MIB)  # the least a part may have
END = os.urandom(1000)
DIGITS = b"123456789"  # what the check values of CRCs are given for
CHECKSUMS = {
    "crc64nvme": b64encode(0xAE8B14860A799888.to_bytes(8)).decode(),
    "crc32": b64encode(0xCBF43926.to_bytes(4)).decode(),
    "crc32c": b64encode(0xE3069283.to_bytes(4)).decode(),
    "sha256": b64encode(sha256(DIGITS).digest()).decode(),
    "sha1": b64encode(sha1(DIGITS).digest()).decode(),
}
ONCE = {"retries": {"total_max_attempts": 1}, "read_timeout": 1}  # faults are to be seen, not retried away
HTTP_CLIENT = urllib3.PoolManager(retries=False, timeout=5)


@pytest.fixture
def s3() -> Iterator[Sink]:
    with sink(keep=True) as running:
        yield running


@pytest.fixture(scope="module")
def tls() -> Iterator[Sink]:
    with sink(tls=True, keep=True) as running:
        yield running


class Signer(S3SigV4Auth):
    """botocore's, saying of the body what it is told to."""

    def __init__(self, payload: str) -> None:
        super().__init__(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1")
        self._payload = payload

    def payload(self, request: AWSRequest) -> str:
        return self._payload


def signed(s3: Sink, method: str, path: str, headers: Mapping[str, str], payload: str) -> dict[str, str]:
    """The headers with what a signature adds to them."""
    request = AWSRequest(method, f"{s3.endpoint_url}/{BUCKET}/{path}", headers=dict(headers))
    Signer(payload).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def send(
    s3: Sink,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] | None = None,
    payload: str = "UNSIGNED-PAYLOAD",
    unsigned: Mapping[str, str] | None = None,
) -> tuple[int, str, Mapping[str, str]]:
    """Status, S3's error code (empty where there is none) and headers of the answer."""
    sent = {**signed(s3, method, path, headers or {}, payload), **(unsigned or {})}
    answer = HTTP_CLIENT.request(method, f"{s3.endpoint_url}/{BUCKET}/{path}", headers=sent, body=body)
    return answer.status, code_in(answer.data), answer.headers


def code_in(page: bytes) -> str:
    return page.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


def chunked(content: bytes, size: int, trailers: Mapping[str, str], extension: str = "") -> bytes:
    """`aws-chunked`, in chunks of `size`."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)] + [b""]
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension.encode(), piece) for piece in pieces[:-1])
    ends = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
    return body + f"0{extension}\r\n{ends}\r\n".encode()


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def begun(s3: Sink, key: str = "video.mp4", **more: Any) -> dict[str, Any]:
    """A new upload, as arguments of the calls that belong to it."""
    created = s3.client().create_multipart_upload(Bucket=BUCKET, Key=key, **more)
    return {"Bucket": BUCKET, "Key": key, "UploadId": created["UploadId"]}


def with_parts(
    s3: Sink, upload: Mapping[str, Any], *parts: bytes, algorithm: str = "CRC64NVME"
) -> list[dict[str, Any]]:
    """The parts put, as Complete lists them."""
    listed = []
    for number, part in enumerate(parts, start=1):
        name, chosen = f"Checksum{algorithm}", cast("Any", algorithm)
        done: Any = s3.client().upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm=chosen)
        listed.append({"PartNumber": number, "ETag": done["ETag"], name: done[name]})
    return listed


class TestPutObject:
    @pytest.mark.parametrize("where", ["s3", "tls"])
    def test_what_boto3_puts_is_what_it_gets(self, where: str, request: pytest.FixtureRequest) -> None:
        client = request.getfixturevalue(where).client()
        put = client.put_object(
            Bucket=BUCKET, Key="a b/ü+.mp4", Body=END, ContentType="video/mp4", Metadata={"job": "1"}
        )
        got = client.get_object(Bucket=BUCKET, Key="a b/ü+.mp4", VersionId=put["VersionId"])
        assert got["Body"].read() == END
        assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("video/mp4", {"job": "1"}, put["ETag"])
        assert put["ETag"] == f'"{md5(END).hexdigest()}"'
        assert put["ChecksumCRC32"] == b64encode(zlib.crc32(END).to_bytes(4)).decode()

    def test_a_medium_with_no_checksum_gets_s3s_own(self, s3: Sink) -> None:
        assert send(s3, "PUT", "digits", DIGITS)[0] == 200
        head = s3.client().head_object(Bucket=BUCKET, Key="digits", ChecksumMode="ENABLED")
        assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (CHECKSUMS["crc64nvme"], "FULL_OBJECT")
        assert "ChecksumCRC64NVME" not in s3.client().head_object(Bucket=BUCKET, Key="digits")

    @pytest.mark.parametrize("name", CHECKSUMS)
    def test_a_checksum_is_taken_where_it_is_right_and_refused_where_not(self, s3: Sink, name: str) -> None:
        header = f"x-amz-checksum-{name}"
        status, _, headers = send(s3, "PUT", "right", DIGITS, headers={header: CHECKSUMS[name]})
        assert (status, headers[header]) == (200, CHECKSUMS[name])
        assert send(s3, "PUT", "wrong", DIGITS + b"0", headers={header: CHECKSUMS[name]})[:2] == (400, "BadDigest")
        assert s3.keys == ["right"]

    @pytest.mark.parametrize("name", CHECKSUMS)
    @pytest.mark.parametrize("size", [1, 4, 100])
    @pytest.mark.parametrize("signature", ["", ";chunk-signature=" + "0" * 64])
    def test_a_trailing_one_too_whatever_the_chunks(self, s3: Sink, name: str, size: int, signature: str) -> None:
        header = f"x-amz-checksum-{name}"
        payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" if signature else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        said = {"x-amz-trailer": header, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "9"}
        right = chunked(DIGITS, size, {header: CHECKSUMS[name]}, signature)
        assert send(s3, "PUT", "right", right, headers=said, payload=payload)[0] == 200
        assert s3.object("right").content == DIGITS
        assert (s3.object("right").algorithm, s3.object("right").checksum) == (name, CHECKSUMS[name])
        wrong = chunked(DIGITS[::-1], size, {header: CHECKSUMS[name]}, signature)
        assert send(s3, "PUT", "wrong", wrong, headers=said, payload=payload)[:2] == (400, "BadDigest")
        none = chunked(DIGITS, size, {}, signature)
        assert send(s3, "PUT", "none", none, headers=said, payload=payload)[:2] == (400, "MalformedTrailerError")
        short = chunked(DIGITS[1:], size, {header: CHECKSUMS[name]}, signature)
        assert send(s3, "PUT", "short", short, headers=said, payload=payload)[:2] == (400, "IncompleteBody")
        assert s3.keys == ["right"]

    def test_what_md5_or_sha256_say_of_the_body_is_checked(self, s3: Sink) -> None:
        right = b64encode(md5(DIGITS).digest()).decode()
        assert send(s3, "PUT", "right", DIGITS, headers={"content-md5": right})[0] == 200
        assert send(s3, "PUT", "wrong", END, headers={"content-md5": right})[:2] == (400, "BadDigest")
        assert send(s3, "PUT", "none", END, headers={"content-md5": "?"})[:2] == (400, "InvalidDigest")
        assert send(s3, "PUT", "also-right", DIGITS, payload=sha256(DIGITS).hexdigest())[0] == 200
        mismatch = (400, "XAmzContentSHA256Mismatch")
        assert send(s3, "PUT", "wrong", END, payload=sha256(DIGITS).hexdigest())[:2] == mismatch
        assert s3.keys == ["also-right", "right"]

    def test_two_checksums_are_one_too_many(self, s3: Sink) -> None:
        both = {f"x-amz-checksum-{name}": CHECKSUMS[name] for name in ("crc32", "sha256")}
        assert send(s3, "PUT", "two", DIGITS, headers=both)[:2] == (400, "InvalidRequest")

    def test_a_body_needs_a_length(self, s3: Sink) -> None:
        assert exchange(s3, signed(s3, "PUT", "none", {}, "UNSIGNED-PAYLOAD"), b"") == (411, "MissingContentLength")
        said = {"x-amz-trailer": "x-amz-checksum-crc32", "content-encoding": "aws-chunked"}
        payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert send(s3, "PUT", "none", b"0\r\n\r\n", headers=said, payload=payload)[:2] == (411, "MissingContentLength")

    def test_a_cut_body_makes_no_object(self, s3: Sink) -> None:
        sent = signed(s3, "PUT", "none", {}, "UNSIGNED-PAYLOAD")
        assert exchange(s3, {**sent, "Content-Length": "1001"}, END) == (400, "IncompleteBody")
        assert exchange(s3, {**sent, "Transfer-Encoding": "chunked"}, b"3e8\r\n" + END) == (400, "IncompleteBody")
        assert s3.keys == []

    def test_if_none_match_keeps_the_first(self, s3: Sink) -> None:
        s3.client().put_object(Bucket=BUCKET, Key="one", Body=b"first", IfNoneMatch="*")
        with pytest.raises(ClientError) as error:
            s3.client().put_object(Bucket=BUCKET, Key="one", Body=b"second", IfNoneMatch="*")
        assert code(error) == "PreconditionFailed"
        s3.client().put_object(Bucket="another", Key="one", Body=b"second", IfNoneMatch="*")
        assert s3.object("one").content == b"first"

    def test_the_bucket_may_be_part_of_the_hosts_name(self, s3: Sink) -> None:
        host = f"films.s3.localhost:{urlsplit(s3.endpoint_url).port}"
        request = AWSRequest("PUT", f"http://{host}/a/b", headers={})
        Signer("UNSIGNED-PAYLOAD").add_auth(request)
        headers = {**dict(request.headers.items()), "Host": host}
        assert HTTP_CLIENT.request("PUT", f"{s3.endpoint_url}/a/b", headers=headers, body=END).status == 200
        assert s3.object("a/b", bucket="films").content == END

    def test_one_connection_serves_many_requests(self, s3: Sink) -> None:
        with urllib3.HTTPConnectionPool("127.0.0.1", urlsplit(s3.endpoint_url).port or 0, maxsize=1) as pool:
            for key in ("a", "b", "c"):
                headers = signed(s3, "PUT", key, {}, "UNSIGNED-PAYLOAD")
                assert pool.request("PUT", f"/{BUCKET}/{key}", headers=headers, body=END).status == 200
            assert pool.num_connections == 1


def exchange(s3: Sink, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """A PUT to the key `none` as it stands here, its sender's side closed after it: status and error code."""
    url = urlsplit(s3.endpoint_url)
    lines = [
        f"PUT /{BUCKET}/none HTTP/1.1",
        f"Host: {url.netloc}",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    with closing(socket.create_connection((url.hostname or "", url.port or 0), timeout=5)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), code_in(answer)


class TestSignature:
    def test_an_x_amz_header_must_be_signed(self, s3: Sink) -> None:
        late = {"x-amz-meta-late": "1"}
        assert send(s3, "PUT", "one", END, unsigned=late)[:2] == (403, "AccessDenied")
        assert send(s3, "PUT", "one", END, headers=late)[0] == 200

    def test_what_was_signed_must_not_change(self, s3: Sink) -> None:
        sent = signed(s3, "PUT", "one", {"content-type": "video/mp4"}, "UNSIGNED-PAYLOAD")
        for method, path, changed in [("PUT", "two", {}), ("POST", "one", {}), ("PUT", "one", {"Content-Type": "a/b"})]:
            headers = {name: value for name, value in sent.items() if name.lower() not in {k.lower() for k in changed}}
            url = f"{s3.endpoint_url}/{BUCKET}/{path}"
            answer = HTTP_CLIENT.request(method, url, headers={**headers, **changed}, body=END)
            assert code_in(answer.data) == "SignatureDoesNotMatch"
        assert s3.keys == []

    def test_without_one_or_with_another_key_nothing_goes(self, s3: Sink) -> None:
        assert HTTP_CLIENT.request("GET", f"{s3.endpoint_url}/{BUCKET}/one").status == 403
        foreign = s3.client()
        foreign._request_signer._credentials = Credentials("AKIDOTHER", SECRET_KEY)  # type: ignore[attr-defined]
        with pytest.raises(ClientError) as error:
            foreign.put_object(Bucket=BUCKET, Key="one", Body=END)
        assert code(error) == "InvalidAccessKeyId"

    def test_a_link_holds_until_it_expires(self, s3: Sink) -> None:
        client = s3.client(signature_version="s3v4")
        client.put_object(Bucket=BUCKET, Key="a b/ü", Body=END)
        params = {"Bucket": BUCKET, "Key": "a b/ü", "ResponseContentType": "a/b; c=d"}
        link = client.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
        assert HTTP_CLIENT.request("GET", link).data == END
        assert HTTP_CLIENT.request("GET", link.replace("Expires=60", "Expires=600")).status == 403
        for seconds, refused in [(10, ""), (-1, "AccessDenied")]:
            request = AWSRequest("GET", f"{s3.endpoint_url}/{BUCKET}/a%20b/%C3%BC", headers={})
            S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", seconds).add_auth(request)
            assert code_in(HTTP_CLIENT.request("GET", str(request.url)).data) == refused


class TestMultipartUpload:
    def test_the_checksum_of_the_whole_is_combined_from_the_parts(self, s3: Sink) -> None:
        client, upload = s3.client(), begun(s3, ChecksumAlgorithm="CRC64NVME", Metadata={"job": "1"})
        parts: Any = with_parts(s3, upload, PART, PART[::-1], END)
        size = 2 * len(PART) + len(END)
        done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, MpuObjectSize=size)
        whole = client.put_object(
            Bucket=BUCKET, Key="whole", Body=PART + PART[::-1] + END, ChecksumAlgorithm="CRC64NVME"
        )
        assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (whole["ChecksumCRC64NVME"], "FULL_OBJECT")
        head = client.head_object(Bucket=BUCKET, Key="video.mp4", ChecksumMode="ENABLED")
        assert (head["ChecksumCRC64NVME"], head["ContentLength"], head["Metadata"]) == (
            whole["ChecksumCRC64NVME"],
            size,
            {"job": "1"},
        )
        assert s3.object("video.mp4").content == PART + PART[::-1] + END
        assert s3.open_uploads == []

    def test_a_composite_one_is_that_of_the_parts(self, s3: Sink) -> None:
        upload = begun(s3, ChecksumAlgorithm="SHA256")
        parts: Any = with_parts(s3, upload, PART, END, algorithm="SHA256")
        done = s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        digest = sha256(sha256(PART).digest() + sha256(END).digest()).digest()
        assert (done["ChecksumSHA256"], done["ChecksumType"]) == (f"{b64encode(digest).decode()}-2", "COMPOSITE")
        assert done["ETag"] == f'"{md5(md5(PART).digest() + md5(END).digest()).hexdigest()}-2"'

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"MpuObjectSize": len(PART)}, "InvalidRequest"),
            ({"ChecksumCRC64NVME": CHECKSUMS["crc64nvme"]}, "BadDigest"),
            ({"ChecksumType": "COMPOSITE"}, "BadDigest"),
            ({"UploadId": "another"}, "NoSuchUpload"),
            ({"Key": "another"}, "NoSuchUpload"),
        ],
    )
    def test_what_complete_says_of_the_whole_must_be_true(self, s3: Sink, change: dict[str, Any], refused: str) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        call: dict[str, Any] = {**upload, "MultipartUpload": {"Parts": with_parts(s3, upload, PART, END)}}
        with pytest.raises(ClientError) as error:
            s3.client(**ONCE).complete_multipart_upload(**cast("Any", call | change))
        assert code(error) == refused
        assert s3.keys == []
        assert s3.open_uploads == ["video.mp4"]
        s3.client().complete_multipart_upload(**call)

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"ETag": '"0123"'}, "InvalidPart"),
            ({"ChecksumCRC64NVME": CHECKSUMS["crc64nvme"]}, "InvalidPart"),
            ({"PartNumber": 3}, "InvalidPart"),
            ({"PartNumber": 1}, "InvalidPartOrder"),
        ],
    )
    def test_and_of_each_part(self, s3: Sink, change: dict[str, Any], refused: str) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts: Any = with_parts(s3, upload, PART, END)
        parts[1] |= change
        with pytest.raises(ClientError) as error:
            s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert code(error) == refused

    def test_only_the_last_part_may_be_small(self, s3: Sink) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts: Any = with_parts(s3, upload, PART[1:], END)
        with pytest.raises(ClientError) as error:
            s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert code(error) == "EntityTooSmall"
        s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts[1:]})
        assert s3.object("video.mp4").content == END

    def test_parts_carry_the_checksum_their_upload_was_created_with(self, s3: Sink) -> None:
        path = "video.mp4?partNumber=1&uploadId="
        composite = path + begun(s3, ChecksumAlgorithm="SHA256")["UploadId"]
        assert send(s3, "PUT", composite, DIGITS)[:2] == (400, "InvalidRequest")
        other = {"x-amz-checksum-crc32": CHECKSUMS["crc32"]}
        assert send(s3, "PUT", composite, DIGITS, headers=other)[:2] == (400, "InvalidRequest")
        right = {"x-amz-checksum-sha256": CHECKSUMS["sha256"]}
        assert send(s3, "PUT", composite, DIGITS, headers=right)[0] == 200
        full = path + begun(s3, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
        assert send(s3, "PUT", full, DIGITS)[2]["x-amz-checksum-crc32"] == CHECKSUMS["crc32"]

    def test_where_none_was_named_any_does_and_the_whole_has_s3s_own(self, s3: Sink) -> None:
        """What boto3 does for who calls it by hand: CRC32 with each part, none with the upload."""
        upload = begun(s3)
        parts: Any = with_parts(s3, upload, PART, END, algorithm="CRC32")
        assert parts[1]["ChecksumCRC32"] == b64encode(zlib.crc32(END).to_bytes(4)).decode()
        listed: Any = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
        s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
        assert (s3.object("video.mp4").algorithm, s3.object("video.mp4").checksum_type) == ("crc64nvme", "FULL_OBJECT")

    @pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")])
    def test_not_every_algorithm_makes_every_kind(
        self, s3: Sink, algorithm: Literal["SHA256", "CRC64NVME"], kind: Literal["FULL_OBJECT", "COMPOSITE"]
    ) -> None:
        with pytest.raises(ClientError) as error:
            begun(s3, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        assert code(error) == "InvalidRequest"

    def test_part_numbers_end_at_10_000(self, s3: Sink) -> None:
        upload = begun(s3)["UploadId"]
        for number in ("0", "10001", "x"):
            refused = send(s3, "PUT", f"video.mp4?partNumber={number}&uploadId={upload}", END)
            assert refused[:2] == (400, "InvalidArgument")
        assert send(s3, "PUT", f"video.mp4?partNumber=10000&uploadId={upload}", END)[0] == 200

    def test_an_aborted_upload_is_gone(self, s3: Sink) -> None:
        upload = begun(s3)
        assert s3.client().list_multipart_uploads(Bucket=BUCKET)["Uploads"][0]["UploadId"] == upload["UploadId"]
        s3.client().abort_multipart_upload(**upload)
        for call in (s3.client().abort_multipart_upload, s3.client().list_parts):
            with pytest.raises(ClientError) as error:
                call(**upload)
            assert code(error) == "NoSuchUpload"
        assert "Uploads" not in s3.client().list_multipart_uploads(Bucket=BUCKET)

    def test_its_parts_are_listed_in_pages(self, s3: Sink) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts = with_parts(s3, upload, DIGITS, END, PART)
        pages = list(s3.client().get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2}))
        assert [len(page["Parts"]) for page in pages] == [2, 1]
        listed = [part for page in pages for part in page["Parts"]]
        assert [part["Size"] for part in listed] == [len(DIGITS), len(END), len(PART)]
        assert [{name: dict(part)[name] for name in parts[0]} for part in listed] == parts

    def test_completing_keeps_an_object_that_is_there(self, s3: Sink) -> None:
        upload = begun(s3)
        parts: Any = with_parts(s3, upload, END)
        s3.client().put_object(Bucket=BUCKET, Key="video.mp4", Body=DIGITS)
        with pytest.raises(ClientError) as error:
            s3.client().complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        assert code(error) == "PreconditionFailed"
        assert s3.object("video.mp4").content == DIGITS


class TestFaults:
    def test_fail_refuses_as_often_as_told_and_without_effect(self, s3: Sink) -> None:
        s3.fail("PutObject", status=503, times=2)
        s3.client().put_object(Bucket=BUCKET, Key="one", Body=END)  # boto3 tries three times
        assert [(call.operation, call.headers["amz-sdk-request"][:9]) for call in s3.requests] == [
            ("PutObject", "attempt=1"),
            ("PutObject", "attempt=2"),
            ("PutObject", "attempt=3"),
        ]
        s3.fail("PutObject", status=409, code="ConditionalRequestConflict", skip=1)
        once = s3.client(**ONCE)
        once.put_object(Bucket=BUCKET, Key="two", Body=END)
        with pytest.raises(ClientError) as error:
            once.put_object(Bucket=BUCKET, Key="three", Body=END)
        assert code(error) == "ConditionalRequestConflict"
        assert s3.keys == ["one", "two"]

    def test_complete_may_be_answered_200_with_an_error_inside(self, s3: Sink) -> None:
        upload = begun(s3)
        parts: Any = with_parts(s3, upload, END)
        s3.fail("CompleteMultipartUpload", status=200, code="InternalError")
        with pytest.raises(ClientError) as error:
            s3.client(**ONCE).complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        assert code(error) == "InternalError"
        assert s3.open_uploads == ["video.mp4"]
        assert s3.keys == []

    def test_hang_never_answers_with_or_without_effect(self, s3: Sink) -> None:
        s3.hang("PutObject")
        s3.hang("PutObject", late=True)
        for key in ("before", "after"):
            with pytest.raises(BotoCoreError):
                s3.client(**ONCE).put_object(Bucket=BUCKET, Key=key, Body=END)
        assert s3.keys == ["after"]

    def test_cut_closes_in_the_middle_of_the_body(self, s3: Sink) -> None:
        s3.cut("PutObject", after=100)
        with pytest.raises((ProtocolError, OSError)):
            send(s3, "PUT", "one", PART)
        assert s3.keys == []
        assert send(s3, "PUT", "one", PART)[0] == 200

    def test_lose_closes_after_the_effect(self, s3: Sink) -> None:
        s3.lose("PutObject")
        with pytest.raises(ProtocolError):
            send(s3, "PUT", "one", END)
        assert s3.object("one").content == END

    def test_a_misspelt_operation_is_told(self, s3: Sink) -> None:
        with pytest.raises(ValueError, match="PutPart"):
            s3.fail("PutPart")


class TestProcess:
    def test_it_counts_and_keeps_no_bytes(self) -> None:
        """As the benchmarks run it."""
        with subprocess.Popen(
            [sys.executable, "-m", "local.sink"], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
        ) as process:
            assert process.stdout
            try:
                started = json.loads(process.stdout.readline())
                s3 = Sink(started["endpoint_url"], None, keep=False)  # only to reach it
                s3.client().put_object(Bucket=BUCKET, Key="digits", Body=DIGITS, ChecksumAlgorithm="CRC64NVME")
                told = json.loads(HTTP_CLIENT.request("GET", f"{s3.endpoint_url}/-/calls").data)
                assert told["calls"] == {"PutObject": 1}
                (stored,) = told["objects"]
                assert (stored["key"], stored["size"], stored["checksum"]) == ("digits", 9, CHECKSUMS["crc64nvme"])
                with pytest.raises(ClientError) as error:
                    s3.client().get_object(Bucket=BUCKET, Key="digits")
                assert code(error) == "NotImplemented"
                HTTP_CLIENT.request("DELETE", f"{s3.endpoint_url}/-/calls")
                assert json.loads(HTTP_CLIENT.request("GET", f"{s3.endpoint_url}/-/calls").data)["calls"] == {}
            finally:
                process.terminate()
