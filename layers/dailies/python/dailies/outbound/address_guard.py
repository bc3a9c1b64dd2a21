"""Where a connection to a media host may go: decided here, for each link and each redirect anew.

https only, port 443, no credentials in the URL; the name resolved once, each of its addresses public. The connection
is made to the very address that was checked, with the name kept for TLS. `private` hosts are the owner's own exception:
any address, any port, http too.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from dailies.errors import HostFailed, MediumRefused

SAFE = "!#$%&'()*+,/:;=?@[]~"  # what stands in a path and query as it is; the rest is encoded
NAME = re.compile(r"[\w.:%-]+", re.ASCII)  # of a host, or an address with its zone
PORTS = {"https": 443, "http": 80}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")

type Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name; OSError where it has none."""


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What the owner allows. `only`: if set, no other hosts than these and their subdomains."""

    private: frozenset[str] = frozenset()
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PinnedUrl:
    """A link whose host was checked: what to connect to, and what to ask for there."""

    url: str
    name: str
    address: str
    port: int
    tls: bool
    host: str
    target: str


def resolve(url: str, ways: FetchPolicy, resolve: Resolve) -> PinnedUrl:
    """Where a link leads. MediumRefused where we do not go there, HostFailed where its name does not resolve."""
    parts, explicit_port = _parsed(url)
    name = _name(parts)
    private = name in ways.private
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise MediumRefused(f"not https: {parts.scheme or 'no scheme'}")
    if parts.username is not None or parts.password is not None:
        raise MediumRefused("credentials in the link")
    if explicit_port not in (None, 443) and not private:
        raise MediumRefused(f"port {explicit_port} is not fetched from")
    if ways.only is not None and not private and not _within(name, ways.only):
        raise MediumRefused(f"{name} is not among the hosts that this provider's media are fetched from")
    port = explicit_port or PORTS[parts.scheme]
    return PinnedUrl(
        url=url,
        name=name,
        address=_address(name, port, resolve, private=private),
        port=port,
        tls=parts.scheme == "https",
        host=_in_brackets(name) + (f":{explicit_port}" if explicit_port else ""),
        target=_target(parts),
    )


def redirect_url(url: str, location: str) -> str:
    """The link that a redirect leads to."""
    try:
        link = urljoin(url, location)
    except ValueError as error:
        raise MediumRefused("redirected to a malformed link") from error
    if urlsplit(url).scheme == "https" and not link.startswith("https:"):
        raise MediumRefused("redirected from https to something else")
    return link


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also where it wraps an IPv4 address in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64_LOCAL or ip.teredo or ip.is_site_local:
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)
        if wrapped:
            return is_public(str(wrapped))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _parsed(url: str) -> tuple[SplitResult, int | None]:
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
    if not NAME.fullmatch(name):
        raise MediumRefused("the link's host is malformed")
    return name.lower()


def _target(parts: SplitResult) -> str:
    try:
        return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=SAFE)
    except UnicodeError as error:
        raise MediumRefused("the link is malformed") from error


def _in_brackets(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _within(name: str, hosts: frozenset[str]) -> bool:
    return any(name == host or name.endswith(f".{host}") for host in hosts)


def _address(name: str, port: int, resolve: Resolve, *, private: bool) -> str:
    try:
        addresses = resolve(name, port)
    except (OSError, UnicodeError) as error:
        raise HostFailed(f"{name} does not resolve") from error
    if not addresses:
        raise HostFailed(f"{name} does not resolve")
    if not private and not all(map(is_public, addresses)):
        raise MediumRefused(f"{name} has an address that is not public")
    return addresses[0]
