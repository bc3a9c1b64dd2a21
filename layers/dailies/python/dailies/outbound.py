"""The only place that opens a connection to a media host. It decides where one may go.

https only, port 443, no credentials in the URL; the name resolved once, each of its addresses public, the connection
made to that very address with the name kept for TLS; the same again for each redirect. `private` hosts are the owner's
own exception: any address, any port, http too.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer
from typing import Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import urllib3
from botocore.httpsession import DEFAULT_CA_BUNDLE
from urllib3.connection import HTTPConnection, HTTPSConnection

from dailies.errors import HostFailed, LinkDead, MediumRefused

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 20.0  # without a byte; a media host that is that slow is not going to make it
HEADER_SECONDS = 15.0  # for the whole head of an answer, however it drips
MOST_REDIRECTS = 5
COME_AGAIN = frozenset({408, 425, 429})  # of the 4xx, those that are not about the link
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SAFE = "!#$%&'()*+,/:;=?@[]~"  # what stands in a path and query as it is; the rest is encoded
HEADERS = {"User-Agent": "Dailies", "Accept": "*/*", "Accept-Encoding": "identity"}

type Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name; OSError where it has none."""


def system_addresses(name: str, port: int) -> Sequence[str]:
    """What the system's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Ways:
    """Where connections may go. `only`: if set, no other hosts than these and their subdomains."""

    private: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    resolve: Resolve = system_addresses
    ca_file: str = field(default_factory=lambda: str(DEFAULT_CA_BUNDLE))


@dataclass(frozen=True, slots=True)
class Answer:
    """A media host's answer of 200: `length` is what it promised, None where it did not; `host` served it."""

    host: str
    length: int | None
    _response: urllib3.BaseHTTPResponse
    _limit: "_TimeLimit"

    def read_into(self, buffer: memoryview) -> int:
        """The next bytes, at most as many as fit, 0 at the end. HostFailed where the connection ends before the
        promised length, nothing comes for SILENCE_SECONDS, or the time given to the whole answer is over."""
        with self._limit.kept(), _host_failures():
            piece = self._response.read(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)


class _TimeLimit:
    """Ends a connection when its time is over, however busy it drips; what then fails, or seems to end, is told so."""

    def __init__(self, sock: socket.socket, seconds: float, reason: str) -> None:
        self._sock = sock
        self._reason = reason
        self._over = False
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self._over = True
        with suppress(OSError):
            # the plain socket's own method: TLS is in use by the reader
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Do what must be done within the limit."""
        try:
            yield
        except HostFailed as error:
            if self._over:
                raise HostFailed(self._reason) from error
            raise
        if self._over:
            raise HostFailed(self._reason)


@contextmanager
def get(url: str, ways: Ways, *, seconds: float) -> Iterator[Answer]:
    """Follow a link to its medium, which must have come within `seconds`. MediumRefused where it leads where we do not
    go, LinkDead where the host refuses it, HostFailed for all that another try may mend."""
    for _ in range(MOST_REDIRECTS + 1):
        with closing(_connect(url, ways)) as connection:
            response = _ask(connection, url)
            onward = _onward(url, response)
            if onward is None:
                _accept(response)
                with _TimeLimit(connection.sock, seconds, f"not finished within {seconds:.0f} s") as limit:
                    yield Answer(urlsplit(url).hostname or "", response.length_remaining, response, limit)
                return
            url = onward
    raise MediumRefused(f"more than {MOST_REDIRECTS} redirects")


def _connect(url: str, ways: Ways) -> HTTPConnection:
    """A connection to the one address that was checked."""
    parts, port = _target(url)
    name = _name(parts)
    private = name in ways.private
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise MediumRefused(f"not https: {parts.scheme or 'no scheme'}")
    if parts.username is not None or parts.password is not None:
        raise MediumRefused("credentials in the link")
    if port not in (None, 443) and not private:
        raise MediumRefused(f"port {port} is not fetched from")
    if ways.only is not None and not private and not _within(name, ways.only):
        raise MediumRefused(f"{name} is not among the hosts that this provider's media are fetched from")
    port = port or (443 if parts.scheme == "https" else 80)
    address = _address(name, port, ways, private=private)
    if parts.scheme == "http":
        connection = HTTPConnection(address, port, timeout=CONNECT_SECONDS)
    else:
        tls = ssl.create_default_context(cafile=ways.ca_file)
        connection = HTTPSConnection(
            address, port, timeout=CONNECT_SECONDS, ssl_context=tls, server_hostname=name, assert_hostname=name
        )
    with _host_failures():
        connection.connect()
        connection.timeout = SILENCE_SECONDS  # urllib3 gives it to the socket anew when it sends and when it waits
    return connection


def _target(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise MediumRefused("the link is malformed") from error


def _name(parts: SplitResult) -> str:
    try:
        name = (parts.hostname or "").rstrip(".").encode("idna").decode()
    except UnicodeError as error:
        raise MediumRefused("the link's host is malformed") from error
    if not name:
        raise MediumRefused("the link has no host")
    return name.lower()


def _within(name: str, hosts: frozenset[str]) -> bool:
    return any(name == host or name.endswith(f".{host}") for host in hosts)


def _address(name: str, port: int, ways: Ways, *, private: bool) -> str:
    try:
        addresses = ways.resolve(name, port)
    except (OSError, UnicodeError) as error:
        raise HostFailed(f"{name} does not resolve") from error
    if not addresses:
        raise HostFailed(f"{name} does not resolve")
    if not private and not all(map(is_public, addresses)):
        raise MediumRefused(f"{name} has an address that is not public")
    return addresses[0]


NAT64 = ipaddress.ip_network("64:ff9b::/96")
NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also where it wraps an IPv4 address in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64_LOCAL or ip.teredo:
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)
        if wrapped:
            return is_public(str(wrapped))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _ask(connection: HTTPConnection, url: str) -> urllib3.BaseHTTPResponse:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = _name(parts) + (f":{parts.port}" if parts.port else "")
    late = f"no whole head within {HEADER_SECONDS:.0f} s"
    with _TimeLimit(connection.sock, HEADER_SECONDS, late) as limit, limit.kept(), _host_failures():
        headers = {**HEADERS, "Host": host}
        connection.request("GET", quote(target, safe=SAFE), headers=headers, preload_content=False)
        return connection.getresponse()


def _onward(url: str, response: urllib3.BaseHTTPResponse) -> str | None:
    """Where an answer redirects to, None where it does not."""
    location = response.headers.get("location")
    if response.status not in REDIRECTS or not location:
        return None
    try:
        onward = urljoin(url, location)
    except ValueError as error:
        raise MediumRefused("redirected to a malformed link") from error
    if urlsplit(url).scheme == "https" and not onward.startswith("https:"):
        raise MediumRefused("redirected from https to something else")
    return onward


def _accept(response: urllib3.BaseHTTPResponse) -> None:
    status = response.status
    if status != 200:
        if 400 <= status < 500 and status not in COME_AGAIN:
            raise LinkDead(f"the host answered {status}")
        raise HostFailed(f"the host answered {status}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediumRefused("the host compressed what was asked for as it is")


@contextmanager
def _host_failures() -> Iterator[None]:
    """What goes wrong on a connection, as HostFailed with a reason that tells the cases apart."""
    try:
        yield
    except TimeoutError as error:
        raise HostFailed("the host was silent for too long") from error
    except ssl.SSLCertVerificationError as error:
        raise HostFailed(f"the host's certificate does not hold: {error.verify_message}") from error
    except urllib3.exceptions.TimeoutError as error:
        raise HostFailed("the host was silent for too long") from error
    except (urllib3.exceptions.IncompleteRead, urllib3.exceptions.ProtocolError, http.client.IncompleteRead) as error:
        raise HostFailed("the host ended the answer before its promised end") from error
    except ConnectionError as error:
        raise HostFailed("the host hung up") from error
    except http.client.HTTPException as error:
        raise HostFailed("the host's head is malformed or too long") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise HostFailed(f"the connection failed: {type(error).__name__}") from error
