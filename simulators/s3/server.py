"""The S3 simulator's connections: reads requests, sends responses, applies faults."""

import ssl
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from simulators.loopback_server import LoopbackServer
from simulators.s3.answers import ANSWERS, Answer, Call, error_answer, operation
from simulators.s3.body import PIECE_BYTES, Body, Chunked, Sized, Sums, read
from simulators.s3.errors import Refusal
from simulators.s3.objects import DEFAULT, check, named_algorithm
from simulators.s3.signature import verify

if TYPE_CHECKING:
    from simulators.s3 import S3Simulator

CONTROL = "/-/calls"  # no valid bucket name
VIRTUAL = ".s3.localhost"  # after a bucket's name, if the host contains it


@dataclass
class Fault:
    """A fault for calls of an operation: `skip` calls pass first, then it affects `times` calls. A `late` fault lets
    the call take effect first; a cut follows that many bytes of the body."""

    operation: str
    kind: Literal["fail", "hang", "cut"]
    times: int
    skip: int
    late: bool = False
    status: int = 0
    code: str = ""
    cut_after: int = 0


class _Hung(Exception):
    """Close the connection without a response."""


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads a request and sends the response."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together
    rbufsize = 16 * 1024  # a TLS record: larger pieces are read directly into the buffer
    server: "Server"
    rfile: BufferedReader

    def setup(self) -> None:
        super().setup()
        self._buffer = memoryview(bytearray(PIECE_BYTES))

    def handle_one_request(self) -> None:
        self._asked_to_continue = False
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        self._asked_to_continue = True  # sent once the headers are valid, as S3 does
        return True

    def do_PUT(self) -> None:
        if self.path == CONTROL:
            self._control()
            return
        call = self._call()
        fault = self.server.s3_simulator.came(call)
        self._body_read = False
        try:
            answer = self._answer(call, fault)
        except Refusal as refusal:
            answer = error_answer(refusal, call)
            self.close_connection |= not self._body_read  # the rest of the body cannot be separated from a next request
        except _Hung:
            self.close_connection = True
            return
        self._send(answer)
        self.server.s3_simulator.last = time.time()

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT  # noqa: N815  the names that http.server looks for

    def _call(self) -> Call:
        url = urlsplit(self.path)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
        host = headers.get("host", "").rpartition(":")[0]
        path = url.path
        if host.endswith(VIRTUAL):
            path = f"/{host.removesuffix(VIRTUAL)}{path}"
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        return Call(operation(self.command, key, query), self.command, url.path, bucket, key, query, headers)

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        payload = verify(call.method, call.path, call.query, call.headers)
        if fault and fault.kind == "cut" and not fault.late:
            self.rfile.read(fault.cut_after)
            raise _Hung
        if call.method in {"PUT", "POST"}:
            call.body = self._body(call, payload)
        self._body_read = True
        if fault and not fault.late:
            self._suffer(fault)
        answer = ANSWERS[call.operation](self.server.s3_simulator.objects, call)
        self.server.s3_simulator.took_effect(call)
        if fault:
            self._suffer(fault)
        return answer

    def _suffer(self, fault: Fault) -> None:
        if fault.kind == "fail":
            raise Refusal(fault.status, fault.code, "As the test asked for.")
        if fault.kind == "hang":
            self.server.stopping.wait()
        raise _Hung

    def _body(self, call: Call, payload: str) -> Body:
        """The body, compared with its headers."""
        headers = call.headers
        framed = self._framed(headers)
        decoded = headers.get("x-amz-decoded-content-length")
        chunked = payload.startswith("STREAMING-")
        if chunked and decoded is None:
            raise Refusal(411, "MissingContentLength", "You must provide x-amz-decoded-content-length.")
        if self._asked_to_continue:
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        inner = Chunked(BufferedReader(framed)) if chunked else framed
        kept = self.server.s3_simulator.objects.keep or self.command == "POST"
        body = read(inner, self._sums(call, payload), self._buffer, keep=kept)
        if framed.readinto(memoryview(bytearray(1))):  # HTTP's own end follows that of the inner chunks
            raise Refusal(400, "IncompleteBody", "The body goes on after its end.")
        self._body_read = True
        if chunked and decoded != str(body.size):
            raise Refusal(400, "IncompleteBody", "The decoded length is not the one that was promised.")
        if _is_digest(payload) and payload != body.sums.hex("sha256"):
            raise Refusal(400, "XAmzContentSHA256Mismatch", "The x-amz-content-sha256 does not match what we received.")
        if call.operation in {"PutObject", "UploadPart"}:
            check(body, headers, inner.trailers if isinstance(inner, Chunked) else {})
        return body

    def _framed(self, headers: dict[str, str]) -> Sized | Chunked:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Chunked(self.rfile)
        if "content-length" in headers:
            return Sized(self.rfile, int(headers["content-length"]))
        raise Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")

    def _sums(self, call: Call, payload: str) -> Sums:
        """The checksums to verify, and those to keep."""
        objects = self.server.s3_simulator.objects
        wanted = {DEFAULT, named_algorithm(call.headers)}
        if upload := objects.uploads.get(call.query.get("uploadId", "")):
            wanted.add(upload.algorithm)
        if objects.keep or "content-md5" in call.headers:
            wanted.add("md5")
        if _is_digest(payload):
            wanted.add("sha256")
        return Sums(wanted)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in {204, 304} and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _control(self) -> None:
        if self.command == "DELETE":
            self.server.s3_simulator.forget()
        self._send(Answer(200, {"Content-Type": "application/json"}, self.server.s3_simulator.told()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Logs nothing: `S3Simulator.requests` keeps the calls."""


def _is_digest(payload: str) -> bool:
    return len(payload) == 64  # a SHA-256 in hex; anything else is a constant


class Server(LoopbackServer):
    """The sockets, and the simulator behind them."""

    s3_simulator: "S3Simulator"

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(port, _Handler, tls)
