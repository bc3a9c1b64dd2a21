"""The SSRF guard: decides where a connection to a media host may go, for each link and each redirect.

https only, port 443, no credentials in the URL. The name is resolved once, and each of its addresses must be public.
The connection goes to one of the checked addresses, with the name kept for TLS. `private` hosts are the owner's
exception: any address, any port, http too.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from dailies.errors import HostFailed, MediumRefused
from dailies.jobs.links import BLANKS

SAFE = "!#$%&'()*+,/:;=?@[]~"  # not encoded in a path and query; everything else is
NAME = re.compile(r"[\w.:%-]+", re.ASCII)  # of a host, or an address with its zone
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # bytes of a header that are not UTF-8, as surrogates
PORTS = {"https": 443, "http": 80}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")

type Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name; OSError if it has none."""


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """What the owner allows. `only`: if set, no other hosts than these and their subdomains. An entry `host/path`
    allows only that host, and only URLs below the path."""

    private: frozenset[str] = frozenset()
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PinnedUrl:
    """A link whose host was checked: what to connect to, and what to request. `others` are the host's addresses after
    `address`, checked too."""

    url: str
    name: str
    address: str
    port: int
    tls: bool
    host: str
    target: str
    others: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, in the order in which they are tried."""
        return (self.address, *self.others)


def allowed_hosts(text: str) -> frozenset[str]:
    """The entries of a comma-separated list of hosts, each with a path or without. Names in lower case."""
    entries = (entry.strip().rstrip("/") for entry in text.split(","))
    split = (entry.partition("/") for entry in entries if entry)
    return frozenset(f"{name.lower()}{slash}{path}" for name, slash, path in split)


def resolve(url: str, ways: FetchPolicy, resolve: Resolve) -> PinnedUrl:
    """Check where a link leads. MediumRefused if the rules forbid it, HostFailed if its name does not resolve."""
    parts, explicit_port = _parsed(url.strip(BLANKS))
    name = _name(parts)
    private = name in ways.private
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise MediumRefused(f"not https: {parts.scheme or 'no scheme'}")
    if parts.username is not None or parts.password is not None:
        raise MediumRefused("credentials in the link")
    if explicit_port not in (None, 443) and not private:
        raise MediumRefused(f"port {explicit_port} is not fetched from")
    if ways.only is not None and not private and not _within(name, parts.path, ways.only):
        raise MediumRefused(f"{name} is not among the hosts that this provider's media are fetched from")
    port = explicit_port or PORTS[parts.scheme]
    address, *others = _addresses(name, port, resolve, private=private)
    return PinnedUrl(
        url=url,
        name=name,
        address=address,
        port=port,
        tls=parts.scheme == "https",
        host=_in_brackets(name) + (f":{explicit_port}" if explicit_port else ""),
        target=_target(parts),
        others=tuple(others),
    )


def redirect_url(url: str, location: str) -> str:
    """The link that a redirect leads to. `location`: the header, whose bytes were decoded as Latin-1, or text."""
    try:
        link = urljoin(url.strip(BLANKS), _text(location).strip(BLANKS))
    except ValueError as error:
        raise MediumRefused("redirected to a malformed link") from error
    if urlsplit(url.strip(BLANKS)).scheme == "https" and not link.startswith("https:"):
        raise MediumRefused("redirected from https to something else")
    return link


def is_public(address: str) -> bool:
    """Whether an address is public. If it wraps an IPv4 address in an IPv6 one, that one decides."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64_LOCAL or ip.teredo or ip.is_site_local:
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)
        if wrapped:
            return is_public(str(wrapped))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _text(location: str) -> str:
    """The text of a header's bytes: UTF-8, else the bytes percent-encoded, as browsers send them."""
    try:
        text = location.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # not from a header
        return location
    return NOT_UTF8.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", text)


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


def _within(name: str, path: str, allowed: frozenset[str]) -> bool:
    for entry in allowed:
        host, slash, below = entry.partition("/")
        if not slash and (name == host or name.endswith(f".{host}")):
            return True
        if slash and name == host and path.startswith(f"/{below}/") and _stays_below(path):
            return True
    return False


def _stays_below(path: str) -> bool:
    """Whether a path has no segment that leads up, however often it is percent-encoded."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return not {".", ".."} & set(re.split(r"[/\\;]", path))


def _addresses(name: str, port: int, resolve: Resolve, *, private: bool) -> list[str]:
    """The addresses of a name, each once, all of them checked."""
    try:
        addresses = list(dict.fromkeys(resolve(name, port)))
    except (OSError, UnicodeError) as error:
        raise HostFailed(f"{name} does not resolve") from error
    if not addresses:
        raise HostFailed(f"{name} does not resolve")
    if not private and not all(map(is_public, addresses)):
        raise MediumRefused(f"{name} has an address that is not public")
    return addresses
