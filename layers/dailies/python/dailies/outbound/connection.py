"""One connection to a host: its addresses in turn, timeouts, TLS, and every failure as a HostFailed with a reason.

HTTP and TLS are the standard library's.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Timer

from botocore.httpsession import get_cert_path

from dailies.errors import HostFailed
from dailies.outbound.address_guard import PinnedUrl, Resolve
from dailies.outbound.http_response import Response

CONNECT_SECONDS = 5.0
NEXT_ADDRESS_SECONDS = 2.0  # until the next address is tried: a lost packet is sent again after 1 s
MAX_ADDRESSES = 4  # tried of a host: together they take less than HEADER_SECONDS
SILENCE_SECONDS = 20.0  # without a byte; a slower media host will not finish
HEADER_SECONDS = 15.0  # for connecting and the whole head of a response
API_USER_AGENT = "Dailies"
# Some CDNs reject a client that does not begin as browsers do. The parameter MediaUserAgent replaces it.
MEDIA_USER_AGENT = "Mozilla/5.0 (compatible; Dailies)"


def system_addresses(name: str, port: int) -> list[str]:
    """The addresses from the system's resolver, in its order of preference."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Network:
    """How connections are made: the resolver of names, the trusted certificate authorities, and the `User-Agent` that
    media hosts receive."""

    resolve: Resolve = system_addresses
    ca_file: str = field(default_factory=lambda: str(get_cert_path(verify=True)))
    user_agent: str = MEDIA_USER_AGENT


@cache
def tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


class Connection(http.client.HTTPConnection):
    """A connection to the first of the `addresses` that answers. `name` is the name in its certificate; empty: without
    TLS."""

    response_class = Response

    def __init__(
        self, addresses: Sequence[str], port: int, name: str, ca_file: str, *, user_agent: str = API_USER_AGENT
    ) -> None:
        super().__init__(addresses[0], port, timeout=CONNECT_SECONDS)
        self._addresses = tuple(addresses)
        self._name = name
        self._ca_file = ca_file
        self.headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._cut_for = ""
        self._wire: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None

    @property
    def address(self) -> str:
        """The connected address."""
        return self._addresses[0]

    def connect(self) -> None:
        """Connect to one address after the other, the TLS handshake included. The one that answers stays: a later
        connect uses no other."""
        *earlier, last = self._addresses[:MAX_ADDRESSES]
        for address in earlier:
            with suppress(OSError):
                self._connect_to(address, NEXT_ADDRESS_SECONDS)
                return
            if self._cut_for:
                raise TimeoutError
        self._connect_to(last, CONNECT_SECONDS)

    def _connect_to(self, address: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        wire = socket.create_connection((address, self.port), seconds)
        try:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._name:
                # Without TLS's own end, anyone may have cut the connection: the standard library would not notice.
                wire = tls_context(self._ca_file).wrap_socket(
                    wire,
                    server_hostname=self._name,
                    suppress_ragged_eofs=False,
                    do_handshake_on_connect=False,  # but below, where `cut` can end it
                )
            self._wire = wire  # http.client forgets it if the host closes the connection after its response
            if self._cut_for:
                raise TimeoutError
            if isinstance(wire, ssl.SSLSocket):
                wire.settimeout(max(0.1, until - time.monotonic()))
                wire.do_handshake()
        except BaseException:
            wire.close()
            raise
        wire.settimeout(SILENCE_SECONDS)
        self.sock = wire
        self._addresses = (address,)

    def get(self, where: PinnedUrl, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Request a URL. HostFailed if the head of the response is not complete within HEADER_SECONDS."""
        with self.within(HEADER_SECONDS, "head"):
            self.request("GET", where.target, headers={"Host": where.host, **self.headers, **headers})
            self._response = self.getresponse()
            return self._response

    @contextmanager
    def within(self, seconds: float, what: str) -> Iterator[None]:
        """Limit the seconds for what is done on the connection, connecting included. HostFailed as in `failures`."""
        late = Timer(seconds, self.cut, [f"no whole {what} within {seconds:g} s"])
        late.daemon = True
        late.start()
        try:
            with self.failures():
                yield
        finally:
            late.cancel()

    def close(self) -> None:
        """Close the connection and the last response, which would keep the socket open."""
        super().close()
        if self._response:
            self._response.close()

    def cut(self, reason: str) -> None:
        """Close the connection from another thread than its reader's: HostFailed with this reason there."""
        self._cut_for = reason
        if self._wire:
            with suppress(OSError):  # the plain socket's method: the reader is inside TLS's
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raise every failure as HostFailed. Its reason names the kind."""
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
