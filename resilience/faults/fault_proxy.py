"""The proxy between the functions and AWS: records every call, and makes the chosen one fail.

A slot is a port that the functions of one case at a time call. Their signatures include its address, so that identities
and permissions stay real. microburst renders errors in each service's own protocol.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from microburst.detection import detect
from microburst.protocols import render_error
from multidict import CIMultiDict

from resilience.faults.calls import Call, about

type FaultKind = Literal["throttled", "broken", "denied", "reset", "silent", "lost", "killed before", "killed after"]

HOLD_SECONDS = 5.5  # longer than all of our client timeouts, except the archive's S3 client: that one is disconnected
SERVICES = ("dynamodb", "s3", "sqs", "events", "secretsmanager")
HEAD_LIMIT = 64 * 1024
UNNAMED = "unnamed-"  # a request without the id of a call, which the SDK reuses for its retries
MAX_READ = 1024 * 1024  # max bytes of a body to read for its target; larger ones are parts of a medium
OF_AN_UPLOAD = {
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "GET": "ListParts",
    "DELETE": "AbortMultipartUpload",
}
CODES: dict[str, dict[str, tuple[str, int]]] = {
    "throttled": {
        "dynamodb": ("ProvisionedThroughputExceededException", 400),
        "s3": ("SlowDown", 503),
        "": ("ThrottlingException", 400),
    },
    "broken": {"s3": ("InternalError", 500), "": ("InternalServerError", 500)},
    "denied": {"s3": ("AccessDenied", 403), "": ("AccessDeniedException", 400)},
}


@dataclass(frozen=True)
class Fault:
    """One way to fail: at the first attempt of a call, or at all attempts of the SDK."""

    kind: FaultKind
    every_try: bool = False

    def __str__(self) -> str:
        return f"{self.kind}, every try" if self.every_try else self.kind


RETRIED_KINDS: tuple[FaultKind, ...] = ("throttled", "broken", "reset", "silent", "lost")
FAULTS = (
    *(Fault(kind, every_try) for kind in RETRIED_KINDS for every_try in (False, True)),
    *(Fault(kind) for kind in ("denied", "killed before", "killed after")),
)
UNMENDED = tuple(fault for fault in FAULTS if fault.every_try or fault.kind not in RETRIED_KINDS)
"""Those that the SDK's next try does not mend."""


@dataclass
class Slot:
    """One case's connection to AWS. `kill` ends the running invocation. `target` is the failing call, `fault` its
    fault; `fired` counts its failures. `calls` are the calls made, `once` those without an SDK retry."""

    port: int = 0
    function: str = ""
    kill: Callable[[], None] = lambda: None
    target: Call | None = None
    fault: Fault | None = None
    fired: int = 0
    calls: list[Call] = field(default_factory=list)
    once: set[Call] = field(default_factory=set)
    _seen: Counter[Call] = field(default_factory=Counter)
    _tries: dict[str, Call] = field(default_factory=dict)
    _failing: set[str] = field(default_factory=set)

    def begin(self, target: Call | None, fault: Fault | None) -> None:
        """Start a new case."""
        self.target, self.fault, self.fired, self.calls, self.once = target, fault, 0, [], set()
        self.invoked("")

    def invoked(self, function: str) -> None:
        """Start a new invocation."""
        self.function = function
        self._seen.clear()
        self._tries.clear()
        self._failing.clear()

    def fault_for(self, service: str, operation: str, subject: str, try_of: str) -> Fault | None:
        """The fault for this request, if any. `try_of` is the same for all of the SDK's attempts of one call."""
        if try_of in self._tries:
            again = self.fault and self.fault.every_try and try_of in self._failing
            self.fired += bool(again)
            return self.fault if again else None
        plain = Call(self.function, service, operation, subject)
        self._seen[plain] += 1
        nth = (
            self._seen[plain] if operation == "GetSecretValue" else 1
        )  # otherwise it depends on the contents of one batch
        call = Call(self.function, service, operation, subject, nth)
        self._tries[try_of] = call
        self.calls.append(call)
        if try_of.startswith(UNNAMED):
            self.once.add(call)
        if call != self.target or self.fired:
            return None
        self.fired += 1
        self._failing.add(try_of)
        return self.fault


class FaultProxy:
    """The slots, in front of AWS."""

    def __init__(self, aws_port: int) -> None:
        self._aws_port = aws_port
        self._loop = asyncio.new_event_loop()
        self._unnamed = 0
        self._taken: dict[bytes, bytes] = {}
        for service in SERVICES:  # microburst reads AWS's descriptions at first use, for seconds
            render_error(service, "InternalError")
            scope = f"AWS4-HMAC-SHA256 Credential=A/20260115/us-east-1/{service}/aws4_request"
            detect(CIMultiDict({"Authorization": scope}), "GET", "/bucket/key", {}, b"{}")

    def slot(self) -> Slot:
        """Add a slot."""
        slot = Slot()
        opened = asyncio.run_coroutine_threadsafe(self._open(slot), self._loop)
        slot.port = opened.result()
        return slot

    async def _open(self, slot: Slot) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._one_request(slot, reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=HEAD_LIMIT, backlog=128)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _one_request(self, slot: Slot, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request per connection: the responses close it."""
        request = await _read(reader, writer)
        self._unnamed += 1
        fault = slot.fault_for(
            request.known.service or "unknown",
            request.operation,
            request.about,
            request.headers.get("amz-sdk-invocation-id") or f"{UNNAMED}{self._unnamed}",
        )
        match fault.kind if fault else "":
            case "throttled" | "broken" | "denied" as way:
                writer.write(_refusal(request, way))
            case "killed before":
                slot.kill()
            case "killed after":
                await self._ask(request)
                slot.kill()
            case "reset":
                writer.transport.abort()
            case "silent":
                await _hold(reader, writer)
            case "lost":
                await self._ask(request)
                await _hold(reader, writer)
            case _:
                writer.write(await self._ask(request))
        await writer.drain()

    async def _ask(self, request: "Request") -> bytes:
        """AWS's response. AWS accepts a secret's version once, by the token that the SDK reuses for its retries. The
        emulator would make it current again, and so the previous one too."""
        if (taken := self._taken.get(request.body)) and request.operation == "PutSecretValue":
            return taken
        reader, writer = await asyncio.open_connection("127.0.0.1", self._aws_port)
        try:
            headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            head = f"{request.method} {request.target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
            writer.write(head.encode("latin-1") + request.body)
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        if request.operation == "PutSecretValue" and b" 200 " in answer.partition(b"\r\n")[0]:
            self._taken[request.body] = answer
        return answer

    @contextmanager
    def open(self) -> Iterator["FaultProxy"]:
        """Listen while the context is open."""
        thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()


@dataclass(frozen=True)
class Request:
    """A received request, without the connection's headers, with microburst's view of it."""

    method: str
    target: str
    headers: CIMultiDict[str]
    body: bytes
    known: Any

    @property
    def operation(self) -> str:
        """AWS's name for it; S3 operations that microburst confuses are distinguished."""
        if self.known.service == "s3" and "uploadId" in self.query:
            return OF_AN_UPLOAD[self.method]
        return str(self.known.operation or self.method)

    @property
    def about(self) -> str:
        """The target of the request."""
        path = unquote(urlsplit(self.target).path)
        return about(self.known.service or "", path, self.query, self.headers, self.body)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return _query(self.target)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = request_line.split(" ", 2)
    headers = CIMultiDict((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    headers.popall("Connection", None)
    if headers.popall("Expect", None):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(headers.get("Content-Length", 0)))
    known = detect(headers, method, urlsplit(target).path, _query(target), body if len(body) < MAX_READ else b"")
    return Request(method, target, headers, body, known)


def _query(target: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))


def _refusal(request: Request, way: str) -> bytes:
    """An AWS error, in the service's own protocol."""
    code, status = CODES[way].get(request.known.service) or CODES[way][""]
    status, told, content = render_error(
        request.known.service,
        code,
        "made by the proof",
        status,
        protocol=request.known.protocol,
        query_compat=request.known.query_compat,
        request_ct=request.headers.get("Content-Type"),
        resource=urlsplit(request.target).path,
    )
    content = b"" if request.method == "HEAD" else content
    headers = {**told, "Content-Length": str(len(content)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send nothing until the client disconnects, or HOLD_SECONDS have passed; then hang up."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(HOLD_SECONDS):
            await reader.read(1)
    writer.transport.abort()
