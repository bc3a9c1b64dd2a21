"""The only place that opens connections: to media hosts, where `addresses` lets them go, and to S3 for the bytes.

HTTP and TLS are the standard library's. A medium's bytes are read straight into the caller's buffer.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Timer
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

from dailies import addresses, answers, pauses
from dailies.addresses import Place, Resolve, Ways
from dailies.errors import CredentialsRefused, HostFailed, MediumRefused, StorageFailed
from dailies.provider import Request

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 20.0  # without a byte; a media host that is that slow is not going to make it
HEADER_SECONDS = 15.0  # for the whole head of an answer, however it drips
STORAGE_SECONDS = 30.0  # for S3 to take or answer
API_SECONDS = 15.0  # for the whole of a provider's answer, however it drips
MOST_API_BYTES = 4 * 1024 * 1024  # of one: a hundred jobs, each with its prompts
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "Dailies", "Accept": "*/*", "Accept-Encoding": "identity"}


def system_addresses(name: str, port: int) -> list[str]:
    """What the system's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Network:
    """How connections are made: by whose word names resolve, and whose certificates hold."""

    resolve: Resolve = system_addresses
    ca_file: str = field(default_factory=lambda: str(get_cert_path(verify=True)))


@dataclass(slots=True, eq=False)
class Medium:
    """A media host's answer: the bytes from `start` on.

    `total` is the whole medium's size as the host promises it, None where it does not. `length` is this answer's.
    `validator` tells one state of the medium from another, empty where the host gives nothing that does; `ranges`: it
    answered a range truthfully.
    """

    place: Place
    start: int
    length: int | None
    total: int | None
    ranges: bool
    validator: str
    content_type: str
    _connection: "_Connection"
    _response: http.client.HTTPResponse
    _taken: int = 0
    progressed_at: float = field(default_factory=time.monotonic)

    def read_into(self, buffer: memoryview) -> int:
        """Fill the buffer, less of it at the end only; 0 then. HostFailed where the answer ends before its promised
        length, or nothing comes for SILENCE_SECONDS."""
        filled = 0
        with self._connection.failures():
            while filled < len(buffer) and (read := self._response.readinto(buffer[filled:])):
                filled += read
        self._taken += filled
        self.progressed_at = time.monotonic()
        if filled < len(buffer) and self.length is not None and self._taken < self.length:
            raise HostFailed(f"cut short: {self.start + self._taken} of {self.total} bytes")
        return filled

    def again(self, start: int, end: int) -> "Medium":
        """Another range of the same state of the medium, by the same connection. HostFailed where that is over."""
        if not self._response.isclosed():
            raise HostFailed("the answer before was not read to its end")
        headers = {"Range": f"bytes={start}-{end - 1}", "If-Range": self.validator}
        response = self._connection.ask(self.place, headers)
        return _medium(self.place, self._connection, response, start, end, validator=self.validator)

    def cut(self, reason: str) -> None:
        """End the connection under its reader, from another thread: HostFailed with this reason there."""
        self._connection.cut(reason)

    def close(self) -> None:
        """Done with it, read to the end or not."""
        with suppress(OSError):  # TLS may have much to say when it is left early
            self._response.close()
        self._connection.close()


def get(
    url: str, ways: Ways, network: Network, *, start: int = 0, end: int | None = None, validator: str = ""
) -> Medium:
    """Follow a link to its medium and ask for the bytes from `start` to before `end`, of the state of it that
    `validator` names.

    MediumRefused where it leads where we do not go, LinkDead where the host refuses it, HostFailed for all that
    another try may mend, and where the host answers something else than what it was asked for.
    """
    wanted = {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
    if validator:
        wanted["If-Range"] = validator
    for _ in range(MOST_REDIRECTS + 1):
        where = addresses.place(url, ways, network.resolve)
        connection = _Connection(where.address, where.port, where.name if where.tls else "", network.ca_file)
        try:
            response = connection.ask(where, wanted)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return _medium(where, connection, response, start, end, validator=validator)
            url = addresses.onward(url, location)
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise MediumRefused(f"more than {MOST_REDIRECTS} redirects")


def _medium(
    where: Place,
    connection: "_Connection",
    response: http.client.HTTPResponse,
    start: int,
    end: int | None,
    *,
    validator: str,
) -> Medium:
    answers.accept(response.status, response.headers)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediumRefused("the host compressed what was asked for as it is")
    found = answers.validator(response.headers)
    if validator and found != validator:
        raise HostFailed("the medium changed while it was fetched")
    length = response.length
    total = length
    if response.status == http.client.PARTIAL_CONTENT:
        total = answers.promised_range(response.headers, length, start, end)
    elif start:
        raise HostFailed("the host answered a range with the whole")
    return Medium(
        place=where,
        start=start,
        length=length,
        total=total,
        ranges=response.status == http.client.PARTIAL_CONTENT,
        validator=found,
        content_type=response.headers.get("content-type", ""),
        _connection=connection,
        _response=response,
    )


class Answer(NamedTuple):
    """What a provider's API answered. `retry_after`: seconds that it asks us to wait, 0 where it does not say."""

    status: int
    body: bytes
    retry_after: float = 0.0


def call(request: Request, network: Network, *, seconds: float = API_SECONDS) -> Answer:
    """Call a provider's API at the address that the owner set: no redirect is followed, so the key goes nowhere else.
    HostFailed where there is no whole answer in so many seconds, CredentialsRefused where nothing was sent."""
    if not all(value.isascii() and value.isprintable() for value in request.headers.values()):
        raise CredentialsRefused("the API key cannot be sent: it has more than printable ASCII characters")
    parts = urlsplit(request.url)
    tls = parts.scheme == "https"
    name = parts.hostname or ""
    connection = _Connection(name, parts.port or (443 if tls else 80), name if tls else "", network.ca_file)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, **HEADERS, **request.headers}
    try:
        with connection.within(seconds, "answer"):
            connection.request(request.method, target, body=request.body or None, headers=headers)
            with connection.getresponse() as response:
                body = response.read(MOST_API_BYTES + 1)
    except HostFailed as error:
        raise HostFailed(f"the provider's API: {error.reason}") from error
    finally:
        connection.close()
    if len(body) > MOST_API_BYTES:
        raise HostFailed("the provider's API answered too much")
    return Answer(response.status, body, pauses.asked_for(response.headers.get("retry-after", "")))


class StorageConnection:
    """A connection to the bucket that is kept for several requests."""

    def __init__(self, url: str, ca_file: str) -> None:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        name = parts.hostname or ""
        kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
        options = {"context": _tls(ca_file)} if tls else {}
        self._connection = kind(name, parts.port, timeout=STORAGE_SECONDS, **options)  # type: ignore[arg-type]

    def begin(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Send a request's head. StorageFailed where S3 cannot be reached."""
        try:
            self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                self._connection.putheader(name, value)
            self._connection.endheaders()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise StorageFailed(f"S3 could not be reached: {type(error).__name__}") from error

    def send(self, piece: memoryview | bytes) -> None:
        """Send the next bytes of its body. OSError where S3 takes no more: it may have answered already."""
        self._connection.send(piece)

    def answer(self) -> tuple[int, http.client.HTTPMessage, bytes]:
        """S3's answer: status, headers, body. StorageFailed where there is none."""
        try:
            with self._connection.getresponse() as response:
                return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise StorageFailed(f"S3 did not answer: {type(error).__name__}") from error

    def close(self) -> None:
        """End the connection; a request whose body is not all sent yet does nothing at S3. The next one opens anew."""
        self._connection.close()


@cache
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


class _Connection(http.client.HTTPConnection):
    """A connection to one address. `name` is what its certificate must say; empty: without TLS."""

    def __init__(self, address: str, port: int, name: str, ca_file: str) -> None:
        super().__init__(address, port, timeout=CONNECT_SECONDS)
        self._name = name
        self._ca_file = ca_file
        self._cut_for = ""
        self._wire: socket.socket | None = None
        self._answer: http.client.HTTPResponse | None = None

    def connect(self) -> None:
        self.sock = socket.create_connection((self.host, self.port), self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._name:
            # An end without TLS's own end may be anyone's: the standard library would take it for the medium's.
            self.sock = _tls(self._ca_file).wrap_socket(
                self.sock,
                server_hostname=self._name,
                suppress_ragged_eofs=False,
                do_handshake_on_connect=False,  # but when it can be cut, as it may drip too
            )
        self._wire = self.sock  # which http.client forgets where the host ends the connection after its answer
        if self._cut_for:
            raise TimeoutError
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()
        self.sock.settimeout(SILENCE_SECONDS)

    def ask(self, where: Place, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Ask for what stands at a place; the head of the answer must be there within HEADER_SECONDS."""
        with self.within(HEADER_SECONDS, "head"):
            self.request("GET", where.target, headers={"Host": where.host, **HEADERS, **headers})
            self._answer = self.getresponse()
            return self._answer

    @contextmanager
    def within(self, seconds: float, what: str) -> Iterator[None]:
        """The time for what is done on it, connecting among it, however the host drips. HostFailed as of `failures`."""
        late = Timer(seconds, self.cut, [f"no whole {what} within {seconds:g} s"])
        late.daemon = True
        late.start()
        try:
            with self.failures():
                yield
        finally:
            late.cancel()

    def close(self) -> None:
        """End it, and with it the last answer, which else keeps the socket open until it is forgotten."""
        super().close()
        if self._answer:
            self._answer.close()

    def cut(self, reason: str) -> None:
        """End it under its reader. The plain socket's own method: TLS is in use there."""
        self._cut_for = reason
        if self._wire:
            with suppress(OSError):
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """What goes wrong on it, as HostFailed with a reason that tells the cases apart."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise HostFailed(self._cut_for or _reason(error)) from error
        if self._cut_for:
            raise HostFailed(self._cut_for)


def _reason(error: Exception) -> str:
    return next(reason for kind, reason in REASONS if isinstance(error, kind))


REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "the host's certificate does not hold"),
    (TimeoutError, "the host was silent for too long"),
    (http.client.IncompleteRead, "cut short: the host ended the answer before its end"),
    (ConnectionRefusedError, "the host takes no connections"),
    (ConnectionError, "the host hung up"),
    (ssl.SSLEOFError, "the host hung up"),
    (http.client.HTTPException, "the host's head is malformed or too long"),
    (Exception, "the connection failed"),
)
