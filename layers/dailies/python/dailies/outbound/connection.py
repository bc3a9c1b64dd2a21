"""One connection to one address: timeouts, TLS, and every failure as a HostFailed with a reason.

HTTP and TLS are the standard library's.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Timer

from botocore.httpsession import get_cert_path

from dailies.errors import HostFailed
from dailies.outbound.address_guard import PinnedUrl, Resolve

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 20.0  # without a byte; a media host that is that slow is not going to make it
HEADER_SECONDS = 15.0  # for the whole head of an answer, however it drips
HEADERS = {"User-Agent": "Dailies", "Accept": "*/*", "Accept-Encoding": "identity"}


def system_addresses(name: str, port: int) -> list[str]:
    """What the system's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Network:
    """How connections are made: by whose word names resolve, and whose certificates hold."""

    resolve: Resolve = system_addresses
    ca_file: str = field(default_factory=lambda: str(get_cert_path(verify=True)))


@cache
def tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


class Connection(http.client.HTTPConnection):
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
            self.sock = tls_context(self._ca_file).wrap_socket(
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

    def ask(self, where: PinnedUrl, headers: Mapping[str, str]) -> http.client.HTTPResponse:
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
