"""Bytes go to S3 piece by piece under one signature, followed by their checksum; a rejection has S3's reason.

The S3 is the simulator with S3's rules: it checks the signature, the framing, the lengths and the checksum against the
received bytes.
"""

import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from random import Random
from urllib.parse import urlsplit

import pytest
from awscrt import checksums
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dailies.aws.bucket import Bucket, UploadEndpoint
from dailies.errors import ObjectExists, StorageFailed
from dailies.jobs.object_keys import media_key
from dailies.outbound import storage
from dailies.transfer.multipart import MultipartObject
from dailies.transfer.upload import PIECE_BYTES, TRAILER, ChunkBuffer, PutStream, UploadedPart, crc_of, crc_text
from resilience.transfers.long_media import MIB, crc64nvme, long_medium
from resilience.transfers.orders import KEY
from simulators.loopback_server import LoopbackServer
from simulators.s3 import BUCKET, S3Simulator, s3_simulator
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY

NOISE = Random(0).randbytes(MIB)

connections: list[object] = []
sys.addaudithook(lambda event, args: connections.append(args[1]) if event == "socket.connect" else None)


def target(bucket: Bucket, key: str = KEY) -> MultipartObject:
    return MultipartObject(bucket, key, "video/mp4", {"role": "output"})


def sent(stream: PutStream, content: bytes) -> UploadedPart:
    """The begun body, sent as a transfer sends it."""
    buffer = ChunkBuffer()
    for offset in range(0, len(content), PIECE_BYTES):
        piece = content[offset : offset + PIECE_BYTES]
        buffer.piece[: len(piece)] = piece
        stream.send(buffer, len(piece))
    return stream.finish()


def put(bucket: Bucket, content: bytes, key: str = KEY) -> UploadedPart:
    """An object put at once."""
    made = target(bucket, key)
    with made.stream() as stream:
        made.put(stream, len(content))
        return sent(stream, content)


class TestBodies:
    @pytest.mark.parametrize(
        "size", [0, 1, 15, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 4097]
    )
    def test_of_any_length_they_arrive_as_they_are(self, s3: S3Simulator, bucket: Bucket, size: int) -> None:
        content = NOISE[:size]
        done = put(bucket, content)
        made = s3.object(KEY)
        assert made.content == content
        assert done == UploadedPart(f'"{made.etag}"', made.version_id, crc64nvme(content), size)
        assert (made.algorithm, made.checksum, made.checksum_type) == ("crc64nvme", crc_text(done.crc), "FULL_OBJECT")

    def test_the_head_promises_what_comes_and_all_of_it_is_signed(self, s3: S3Simulator, bucket: Bucket) -> None:
        put(bucket, NOISE[:9])
        headers = s3.requests[0].headers
        assert headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        assert (headers["content-encoding"], headers["x-amz-decoded-content-length"]) == ("aws-chunked", "9")
        assert (headers["x-amz-trailer"], headers["if-none-match"]) == (TRAILER, "*")
        signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        promised = {name for name in headers if name.startswith("x-amz-")} | {"host", "content-type", "if-none-match"}
        assert promised <= {*signed}

    def test_a_functions_session_token_goes_along_signed(self, s3: S3Simulator, bucket: Bucket) -> None:
        endpoint = replace(
            bucket.upload_endpoint(KEY), credentials=Credentials(ACCESS_KEY, SECRET_KEY, "a session's token")
        )
        with PutStream(endpoint) as stream:
            stream.begin(3)
            sent(stream, b"abc")
        headers = s3.requests[0].headers
        assert headers["x-amz-security-token"] == "a session's token"
        assert ";x-amz-security-token" in headers["authorization"]

    def test_one_stream_sends_several_bodies_over_one_connection(self, s3: S3Simulator, bucket: Bucket) -> None:
        made = target(bucket)
        upload = made.begin(5 * MIB, 11 * MIB, '"etag"')
        content = long_medium(11 * MIB).content
        before = len(connections)
        with made.stream() as stream:
            parts = {}
            for number in (3, 1, 2):
                part = content[(number - 1) * 5 * MIB : number * 5 * MIB]
                stream.begin(len(part), {"partNumber": str(number), "uploadId": upload.upload_id})
                parts[number] = sent(stream, part)
        assert connections[before:] == [("127.0.0.1", urlsplit(s3.endpoint_url).port)]
        done = made.complete(upload, parts)
        assert s3.object(KEY).content == content
        assert done == UploadedPart(
            f'"{s3.object(KEY).etag}"', s3.object(KEY).version_id, long_medium(11 * MIB).crc64nvme, 11 * MIB
        )

    def test_it_is_over_when_all_of_it_was_sent_and_not_before(self, s3: S3Simulator, bucket: Bucket) -> None:
        with target(bucket).stream() as stream:
            stream.begin(10)
            with pytest.raises(ValueError, match="3 bytes of the body were not sent"):
                sent(stream, NOISE[:7])
        assert s3.keys == []

    @pytest.mark.parametrize("job_id", ["a/b", "..", "%2F", "+ &?#=", "Zürich ~ 東京", "x" * 256, "東" * 256])
    def test_whatever_the_jobs_id_the_object_is_where_the_client_finds_it(
        self, s3: S3Simulator, bucket: Bucket, job_id: str
    ) -> None:
        key = media_key("sync", job_id, "output", "0123abcd", "mp4")
        put(bucket, NOISE[:9], key)
        assert s3.keys == [key]
        assert s3.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == NOISE[:9]

    def test_over_tls_only_the_authority_that_was_named_vouches_for_s3(self) -> None:
        with s3_simulator(tls=True, keep=True) as secure:
            client = secure.client()
            credentials = Credentials(ACCESS_KEY, SECRET_KEY)
            put(Bucket(lambda: client, BUCKET, credentials=credentials, ca_file=str(secure.ca_file)), NOISE)
            assert secure.object(KEY).content == NOISE
            with pytest.raises(StorageFailed, match="could not be reached: SSLCertVerificationError"):
                put(Bucket(lambda: client, BUCKET, credentials=credentials), NOISE, "other")


class TestRefusals:
    @pytest.mark.parametrize(("status", "code"), [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")])
    def test_an_existing_object_is_reported(self, s3: S3Simulator, bucket: Bucket, status: int, code: str) -> None:
        s3.fail("PutObject", status=status, code=code)
        with pytest.raises(ObjectExists, match=code):
            put(bucket, NOISE)
        put(bucket, NOISE)
        with pytest.raises(ObjectExists, match="PreconditionFailed"):
            put(bucket, b"another")
        assert s3.object(KEY).content == NOISE

    def test_else_the_reason_is_s3s_own_word_and_the_next_body_is_taken(self, s3: S3Simulator, bucket: Bucket) -> None:
        made = target(bucket)
        with made.stream() as stream:
            for status, code in ((503, "SlowDown"), (403, "AccessDenied"), (500, "InternalError")):
                s3.fail("PutObject", status=status, code=code)
                made.put(stream, len(NOISE))
                with pytest.raises(StorageFailed, match=f"^S3 answered {code}$"):
                    sent(stream, NOISE)
            made.put(stream, len(NOISE))
            sent(stream, NOISE)
        assert s3.keys == [KEY]

    def test_a_rejection_before_the_end_of_the_body_is_noticed(self, s3: S3Simulator, bucket: Bucket) -> None:
        """S3 answers and hangs up while the bytes are still on their way: its response may be lost among them."""
        endpoint = replace(bucket.upload_endpoint(KEY), credentials=Credentials(ACCESS_KEY, "another secret"))
        content = NOISE * 8
        with PutStream(endpoint) as stream:
            stream.begin(len(content))
            with pytest.raises(StorageFailed, match=r"SignatureDoesNotMatch|did not answer"):
                sent(stream, content)
        assert s3.keys == []

    @pytest.mark.parametrize("after", [0, PIECE_BYTES, 3 * PIECE_BYTES])
    def test_a_connection_that_breaks_is_no_object(self, s3: S3Simulator, bucket: Bucket, after: int) -> None:
        s3.cut("PutObject", after=after)
        with pytest.raises(StorageFailed, match=r"^S3 did not answer: "):
            put(bucket, NOISE)
        assert s3.keys == []

    def test_a_body_that_is_left_is_no_object(self, s3: S3Simulator, bucket: Bucket) -> None:
        made, buffer = target(bucket), ChunkBuffer()
        with made.stream() as stream:
            made.put(stream, len(NOISE))
            stream.send(buffer, PIECE_BYTES)
        put(bucket, NOISE, "another")
        assert s3.keys == ["another"]

    def test_an_s3_that_does_not_answer_is_not_waited_for(
        self, s3: S3Simulator, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storage, "STORAGE_SECONDS", 0.5)
        s3.hang("PutObject")
        with pytest.raises(StorageFailed, match=r"^S3 did not answer: TimeoutError$"):
            put(bucket, NOISE)

    def test_an_unreachable_s3_is_reported(self, s3: S3Simulator, bucket: Bucket) -> None:
        endpoint = replace(bucket.upload_endpoint(KEY), url=f"http://127.0.0.1:1/{KEY}")
        with (
            PutStream(endpoint) as stream,
            pytest.raises(StorageFailed, match="could not be reached: ConnectionRefusedError"),
        ):
            stream.begin(3)


class TestAnswers:
    """Responses that S3 should not send, from a scripted server."""

    @pytest.mark.parametrize(
        ("headers", "body", "reason"),
        [
            ({}, b"<Error><Code>InternalError</Code></Error>", "S3 answered InternalError"),
            ({}, b"", "S3 answered 200"),
            ({"ETag": '"e"', TRAILER: crc_text(1)}, b"", "S3's checksum differs from ours"),
        ],
        ids=["an error inside", "nothing", "another checksum"],
    )
    def test_200_alone_is_no_object(self, headers: dict[str, str], body: bytes, reason: str) -> None:
        with saying(headers, body) as endpoint, PutStream(endpoint) as stream:
            stream.begin(len(NOISE))
            with pytest.raises(StorageFailed, match=f"^{reason}$"):
                sent(stream, NOISE)

    def test_200_with_an_etag_is_one(self) -> None:
        for headers in ({"ETag": '"e"'}, {"ETag": '"e"', TRAILER: crc_text(checksums.crc64nvme(NOISE))}):
            with saying(headers, b"") as endpoint, PutStream(endpoint) as stream:
                stream.begin(len(NOISE))
                assert sent(stream, NOISE).etag == '"e"'


class TestChecksums:
    def test_it_is_crc_64_nvme_as_s3_writes_it(self) -> None:
        """The check value of the catalogue of CRC algorithms, and code other than ours."""
        assert crc64nvme(b"123456789") == checksums.crc64nvme(b"123456789") == 0xAE8B14860A799888
        assert crc_text(0xAE8B14860A799888) == b64encode(bytes.fromhex("AE8B14860A799888")).decode()
        assert long_medium(3 * MIB).crc64nvme == checksums.crc64nvme(long_medium(3 * MIB).content)

    @given(crc=st.integers(0, 2**64 - 1))
    def test_what_is_written_is_read(self, crc: int) -> None:
        assert crc_of(crc_text(crc)) == crc

    @given(content=st.binary(max_size=300))
    def test_other_code_agrees(self, content: bytes) -> None:
        assert crc64nvme(content) == checksums.crc64nvme(content)


@contextmanager
def saying(headers: dict[str, str], body: bytes) -> Iterator[UploadEndpoint]:
    """A server that takes a body and answers 200 with this."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response_only(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    server = LoopbackServer(0, Handler)
    with server.serving():
        yield UploadEndpoint(
            f"http://127.0.0.1:{server.server_port}/{KEY}", "us-east-1", Credentials(ACCESS_KEY, SECRET_KEY), ""
        )
