"""The S3 simulator rejects what S3 rejects of the archive's requests, and fails as a test demands.

Requests come from boto3, or are signed by botocore and sent by urllib3 or a bare socket. Checksums are the published
check values of their algorithms, or computed by hashlib. The benchmark tries the requests that only its competitors
send.
"""

import os
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from hashlib import md5, sha1, sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import ProtocolError

from simulators.s3 import BUCKET, S3Simulator, s3_simulator
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY
from testkit.support.wait import wait_for

MIB = 1024 * 1024
PART = os.urandom(5 * MIB)  # the minimum size of a part
END = os.urandom(1000)
DIGITS = b"123456789"  # the input of the published check values of CRCs
CHECKSUMS = {
    "crc64nvme": b64encode(0xAE8B14860A799888.to_bytes(8)).decode(),
    "crc32": b64encode(0xCBF43926.to_bytes(4)).decode(),
    "crc32c": b64encode(0xE3069283.to_bytes(4)).decode(),
    "sha256": b64encode(sha256(DIGITS).digest()).decode(),
    "sha1": b64encode(sha1(DIGITS).digest()).decode(),
}
ONCE = {"retries": {"total_max_attempts": 1}}  # faults are seen, not retried
HTTP_CLIENT = urllib3.PoolManager(retries=False, timeout=5)


@pytest.fixture
def s3() -> Iterator[S3Simulator]:
    with s3_simulator(keep=True) as running:
        yield running


class Signer(S3SigV4Auth):
    """botocore's request, with the given statement about its body."""

    def __init__(self, payload: str) -> None:
        super().__init__(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1")
        self._payload = payload

    def payload(self, request: AWSRequest) -> str:
        return self._payload


def signed(s3: S3Simulator, method: str, path: str, headers: Mapping[str, str], payload: str) -> dict[str, str]:
    """The headers plus those of a signature."""
    request = AWSRequest(method, f"{s3.endpoint_url}/{BUCKET}/{path}", headers=dict(headers))
    Signer(payload).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


def send(
    s3: S3Simulator,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] | None = None,
    payload: str = "UNSIGNED-PAYLOAD",
    unsigned: Mapping[str, str] | None = None,
) -> tuple[int, str, Mapping[str, str]]:
    """Status, S3's error code (empty if there is none) and headers of the response."""
    sent = {**signed(s3, method, path, headers or {}, payload), **(unsigned or {})}
    answer = HTTP_CLIENT.request(method, f"{s3.endpoint_url}/{BUCKET}/{path}", headers=sent, body=body)
    return answer.status, code_in(answer.data), answer.headers


def code_in(page: bytes) -> str:
    return page.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


def chunked(content: bytes, size: int, trailers: Mapping[str, str]) -> bytes:
    """`aws-chunked`, in chunks of `size`."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    ends = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
    return body + f"0\r\n{ends}\r\n".encode()


def begun(s3: S3Simulator, key: str = "video.mp4", **more: Any) -> dict[str, Any]:
    """A new upload, as arguments of its calls."""
    created = s3.client().create_multipart_upload(Bucket=BUCKET, Key=key, **more)
    return {"Bucket": BUCKET, "Key": key, "UploadId": created["UploadId"]}


def with_parts(s3: S3Simulator, upload: Mapping[str, Any], *parts: bytes) -> list[dict[str, Any]]:
    """The parts put, as Complete lists them."""
    client, listed = s3.client(), []
    for number, part in enumerate(parts, start=1):
        done = client.upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm="CRC64NVME")
        listed.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumCRC64NVME": done["ChecksumCRC64NVME"]})
    return listed


def refused(call: Callable[..., object], **arguments: Any) -> str:
    """The error code with which S3 rejects the call."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


class TestPutObject:
    def test_what_boto3_puts_is_what_it_gets(self, s3: S3Simulator) -> None:
        client = s3.client()
        put = client.put_object(
            Bucket=BUCKET, Key="a b/ü+.mp4", Body=END, ContentType="video/mp4", Metadata={"job": "1"}
        )
        got = client.get_object(Bucket=BUCKET, Key="a b/ü+.mp4", VersionId=put["VersionId"])
        assert got["Body"].read() == END
        assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("video/mp4", {"job": "1"}, put["ETag"])
        assert put["ETag"] == f'"{md5(END).hexdigest()}"'

    def test_a_medium_with_no_checksum_gets_s3s_own(self, s3: S3Simulator) -> None:
        assert send(s3, "PUT", "digits", DIGITS)[0] == 200
        head = s3.client().head_object(Bucket=BUCKET, Key="digits", ChecksumMode="ENABLED")
        assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (CHECKSUMS["crc64nvme"], "FULL_OBJECT")
        assert "ChecksumCRC64NVME" not in s3.client().head_object(Bucket=BUCKET, Key="digits")

    @pytest.mark.parametrize("name", CHECKSUMS)
    def test_a_right_checksum_is_accepted_and_a_wrong_one_rejected(self, s3: S3Simulator, name: str) -> None:
        header = f"x-amz-checksum-{name}"
        status, _, headers = send(s3, "PUT", "right", DIGITS, headers={header: CHECKSUMS[name]})
        assert (status, headers[header]) == (200, CHECKSUMS[name])
        assert send(s3, "PUT", "wrong", DIGITS + b"0", headers={header: CHECKSUMS[name]})[:2] == (400, "BadDigest")
        assert s3.keys == ["right"]

    @pytest.mark.parametrize("size", [1, 4, 100])
    def test_a_trailing_one_too_whatever_the_chunks(self, s3: S3Simulator, size: int) -> None:
        header, right = "x-amz-checksum-crc64nvme", CHECKSUMS["crc64nvme"]
        said = {"x-amz-trailer": header, "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "9"}
        bodies = {
            "right": chunked(DIGITS, size, {header: right}),
            "BadDigest": chunked(DIGITS[::-1], size, {header: right}),
            "MalformedTrailerError": chunked(DIGITS, size, {}),
            "IncompleteBody": chunked(DIGITS[1:], size, {header: right}),
        }
        payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        answers = {key: send(s3, "PUT", key, body, headers=said, payload=payload)[:2] for key, body in bodies.items()}
        assert answers == {key: (400, key) for key in bodies} | {"right": (200, "")}
        assert s3.keys == ["right"]
        stored = s3.object("right")
        assert (stored.content, stored.algorithm, stored.checksum) == (DIGITS, "crc64nvme", right)

    def test_a_cut_body_makes_no_object(self, s3: S3Simulator) -> None:
        sent = signed(s3, "PUT", "none", {}, "UNSIGNED-PAYLOAD")
        assert exchange(s3, {**sent, "Content-Length": "1001"}, END) == (400, "IncompleteBody")
        assert exchange(s3, {**sent, "Transfer-Encoding": "chunked"}, b"3e8\r\n" + END) == (400, "IncompleteBody")
        assert exchange(s3, sent, b"") == (411, "MissingContentLength")
        assert s3.keys == []

    def test_if_none_match_keeps_the_first(self, s3: S3Simulator) -> None:
        s3.client().put_object(Bucket=BUCKET, Key="one", Body=b"first", IfNoneMatch="*")
        second = {"Bucket": BUCKET, "Key": "one", "Body": b"second", "IfNoneMatch": "*"}
        assert refused(s3.client().put_object, **second) == "PreconditionFailed"
        s3.client().put_object(Bucket="another", Key="one", Body=b"second", IfNoneMatch="*")
        assert s3.object("one").content == b"first"


def exchange(s3: S3Simulator, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """PUT these bytes to the key `none` unchanged, then close the sender's side: status and error code."""
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
    def test_an_x_amz_header_must_be_signed(self, s3: S3Simulator) -> None:
        late = {"x-amz-meta-late": "1"}
        assert send(s3, "PUT", "one", END, unsigned=late)[:2] == (403, "AccessDenied")
        assert send(s3, "PUT", "one", END, headers=late)[0] == 200

    def test_what_was_signed_must_not_change(self, s3: S3Simulator) -> None:
        sent = signed(s3, "PUT", "one", {"content-type": "video/mp4"}, "UNSIGNED-PAYLOAD")
        for method, path, changed in [("PUT", "two", {}), ("POST", "one", {}), ("PUT", "one", {"Content-Type": "a/b"})]:
            headers = {name: value for name, value in sent.items() if name.lower() not in {k.lower() for k in changed}}
            url = f"{s3.endpoint_url}/{BUCKET}/{path}"
            answer = HTTP_CLIENT.request(method, url, headers={**headers, **changed}, body=END)
            assert code_in(answer.data) == "SignatureDoesNotMatch"
        assert s3.keys == []

    def test_without_one_or_with_another_key_nothing_goes(self, s3: S3Simulator) -> None:
        assert HTTP_CLIENT.request("GET", f"{s3.endpoint_url}/{BUCKET}/one").status == 403
        sent = signed(s3, "PUT", "one", {}, "UNSIGNED-PAYLOAD")
        foreign = {**sent, "Authorization": sent["Authorization"].replace(ACCESS_KEY, "AKIDOTHER")}
        answer = HTTP_CLIENT.request("PUT", f"{s3.endpoint_url}/{BUCKET}/one", headers=foreign, body=END)
        assert (answer.status, code_in(answer.data)) == (403, "InvalidAccessKeyId")


class TestMultipartUpload:
    def test_the_checksum_of_the_whole_is_combined_from_the_parts(self, s3: S3Simulator) -> None:
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

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"MpuObjectSize": len(PART)}, "InvalidRequest"),
            ({"ChecksumCRC64NVME": CHECKSUMS["crc64nvme"]}, "BadDigest"),
            ({"ChecksumType": "COMPOSITE"}, "BadDigest"),
            ({"UploadId": "another"}, "NoSuchUpload"),
            ({"Key": "another"}, "NoSuchUpload"),
        ],
    )
    def test_what_complete_says_of_the_whole_must_be_true(
        self, s3: S3Simulator, change: dict[str, Any], code: str
    ) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        call: dict[str, Any] = {**upload, "MultipartUpload": {"Parts": with_parts(s3, upload, PART, END)}}
        assert refused(s3.client(**ONCE).complete_multipart_upload, **call | change) == code
        assert s3.keys == []
        assert s3.open_uploads == ["video.mp4"]
        s3.client().complete_multipart_upload(**call)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"ETag": '"0123"'}, "InvalidPart"),
            ({"ChecksumCRC64NVME": CHECKSUMS["crc64nvme"]}, "InvalidPart"),
            ({"PartNumber": 3}, "InvalidPart"),
            ({"PartNumber": 1}, "InvalidPartOrder"),
        ],
    )
    def test_and_of_each_part(self, s3: S3Simulator, change: dict[str, Any], code: str) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts: Any = with_parts(s3, upload, PART, END)
        parts[1] |= change
        complete = s3.client().complete_multipart_upload
        assert refused(complete, **upload, MultipartUpload={"Parts": parts}) == code

    def test_only_the_last_part_may_be_small(self, s3: S3Simulator) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts: Any = with_parts(s3, upload, PART[1:], END)
        complete = s3.client().complete_multipart_upload
        assert refused(complete, **upload, MultipartUpload={"Parts": parts}) == "EntityTooSmall"
        complete(**upload, MultipartUpload={"Parts": parts[1:]})
        assert s3.object("video.mp4").content == END

    def test_parts_carry_the_checksum_their_upload_was_created_with(self, s3: S3Simulator) -> None:
        path = f"video.mp4?partNumber=1&uploadId={begun(s3, ChecksumAlgorithm='SHA256')['UploadId']}"
        assert send(s3, "PUT", path, DIGITS)[:2] == (400, "InvalidRequest")
        for name, answer in (("crc32", (400, "InvalidRequest")), ("sha256", (200, ""))):
            assert send(s3, "PUT", path, DIGITS, headers={f"x-amz-checksum-{name}": CHECKSUMS[name]})[:2] == answer

    def test_an_aborted_upload_is_gone(self, s3: S3Simulator) -> None:
        upload = begun(s3)
        assert s3.client().list_multipart_uploads(Bucket=BUCKET)["Uploads"][0]["UploadId"] == upload["UploadId"]
        s3.client().abort_multipart_upload(**upload)
        for call in (s3.client().abort_multipart_upload, s3.client().list_parts):
            assert refused(call, **upload) == "NoSuchUpload"
        assert "Uploads" not in s3.client().list_multipart_uploads(Bucket=BUCKET)

    def test_its_parts_are_listed_in_pages(self, s3: S3Simulator) -> None:
        upload = begun(s3, ChecksumAlgorithm="CRC64NVME")
        parts = with_parts(s3, upload, DIGITS, END, PART)
        pages = list(s3.client().get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2}))
        assert [len(page["Parts"]) for page in pages] == [2, 1]
        listed = [part for page in pages for part in page["Parts"]]
        assert [part["Size"] for part in listed] == [len(DIGITS), len(END), len(PART)]
        assert [{name: dict(part)[name] for name in parts[0]} for part in listed] == parts

    def test_completing_keeps_an_object_that_is_there(self, s3: S3Simulator) -> None:
        upload = begun(s3)
        parts: Any = with_parts(s3, upload, END)
        s3.client().put_object(Bucket=BUCKET, Key="video.mp4", Body=DIGITS)
        call = {**upload, "MultipartUpload": {"Parts": parts}, "IfNoneMatch": "*"}
        assert refused(s3.client().complete_multipart_upload, **call) == "PreconditionFailed"
        assert s3.object("video.mp4").content == DIGITS


class TestFaults:
    def test_fail_rejects_the_given_number_of_calls_without_effect(self, s3: S3Simulator) -> None:
        s3.fail("PutObject", status=503)
        s3.client().put_object(Bucket=BUCKET, Key="one", Body=END)  # boto3 retries
        assert [(call.operation, call.headers["amz-sdk-request"][:9]) for call in s3.requests] == [
            ("PutObject", "attempt=1"),
            ("PutObject", "attempt=2"),
        ]
        s3.fail("PutObject", status=409, code="ConditionalRequestConflict", skip=1)
        once = s3.client(**ONCE)
        once.put_object(Bucket=BUCKET, Key="two", Body=END)
        assert refused(once.put_object, Bucket=BUCKET, Key="three", Body=END) == "ConditionalRequestConflict"
        assert s3.keys == ["one", "two"]

    def test_complete_may_be_answered_200_with_an_error_inside(self, s3: S3Simulator) -> None:
        upload = begun(s3)
        parts: Any = with_parts(s3, upload, END)
        s3.fail("CompleteMultipartUpload", status=200, code="InternalError")
        complete = s3.client(**ONCE).complete_multipart_upload
        assert refused(complete, **upload, MultipartUpload={"Parts": parts}) == "InternalError"
        assert s3.open_uploads == ["video.mp4"]
        assert s3.keys == []

    def test_hang_never_answers_with_or_without_effect(self, s3: S3Simulator) -> None:
        s3.hang("PutObject")
        s3.hang("PutObject", late=True)
        for key in ("before", "after"):
            with pytest.raises(BotoCoreError):
                s3.client(**ONCE, read_timeout=0.2).put_object(Bucket=BUCKET, Key=key, Body=END)
        wait_for("the effect", lambda: s3.keys, lambda keys: keys == ["after"])

    def test_cut_closes_in_the_middle_of_the_body(self, s3: S3Simulator) -> None:
        s3.cut("PutObject", after=100)
        with pytest.raises((ProtocolError, OSError)):
            send(s3, "PUT", "one", PART)
        assert s3.keys == []
        assert send(s3, "PUT", "one", PART)[0] == 200

    def test_lose_closes_after_the_effect(self, s3: S3Simulator) -> None:
        s3.lose("PutObject")
        with pytest.raises(ProtocolError):
            send(s3, "PUT", "one", END)
        assert s3.object("one").content == END
