"""A media host's response: follows a link, requests a range, reads the bytes straight into the caller's buffer.

Ranges are an optimization. A host that rejects them, caps them or describes them wrongly gets one plain GET.
"""

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from dailies.errors import HostFailed, LinkDead, MediumRefused
from dailies.outbound import address_guard, responses
from dailies.outbound.address_guard import FetchPolicy, PinnedUrl
from dailies.outbound.connection import Connection, Network

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
BODY_BYTES = 1024  # read of an error: where S3's code is
PARTIAL = http.client.PARTIAL_CONTENT


@dataclass(slots=True, eq=False)
class MediaResponse:
    """A media host's response: the bytes from `start` on.

    `total`: the whole medium's size as the host gives it; None if unknown. `length`: this response's. `open_ended`: the
    host sends a range of a medium of unknown size, so that more may follow. `validator` distinguishes one state of the
    medium from another; empty if the host gives none. `ranges`: the host serves any range. `codings`: the compressions
    that Content-Encoding names. `capped`: the host sends less than requested, and the next bytes are the next range.
    `instead_of`: why the request with a range failed, if this is the plain one. `contradicted`: the host described that
    range wrongly.
    """

    place: PinnedUrl
    start: int
    length: int | None
    total: int | None
    ranges: bool
    validator: str
    codings: tuple[str, ...]
    content_type: str
    _connection: Connection
    _response: http.client.HTTPResponse
    open_ended: bool = False
    capped: bool = False
    contradicted: bool = False
    instead_of: str = ""
    _taken: int = 0
    progressed_at: float = field(default_factory=time.monotonic)

    def read_into(self, buffer: memoryview) -> int:
        """Fill the buffer, less of it only at the end; then 0. HostFailed if the response ends before its length, or no
        byte arrives for SILENCE_SECONDS."""
        filled = self._read(buffer)
        while self.capped and filled < len(buffer) and self._taken < (self.total or 0):
            self._next_range()
            if not (read := self._read(buffer[filled:])):
                break
            filled += read
        if filled < len(buffer) and self.length is not None and self._taken < self.length:
            raise HostFailed(f"cut short: {self.start + self._taken} of {self.total or self.length} bytes")
        return filled

    def again(self, start: int, end: int) -> "MediaResponse":
        """Request another range of the same state on the same connection. HostFailed if the connection is closed."""
        if not self._response.isclosed():
            raise HostFailed("the answer before was not read to its end")
        response = self._connection.get(self.place, _range(start, end, self.validator))
        return _exact(
            self.place, self._connection, response, start, end, validator=self.validator, codings=self.codings
        )

    def cut(self, reason: str) -> None:
        """Close the connection from another thread than its reader's: HostFailed with this reason there."""
        self._connection.cut(reason)

    def close(self) -> None:
        """Close the response, read to the end or not, and its connection."""
        with suppress(OSError):  # TLS may have much to say when it is left early
            self._response.close()
        self._connection.close()

    def _read(self, buffer: memoryview) -> int:
        filled = 0
        with self._connection.failures():
            while filled < len(buffer) and (read := self._response.readinto(buffer[filled:])):
                filled += read
        self._taken += filled
        self.progressed_at = time.monotonic()
        return filled

    def _next_range(self) -> None:
        """Continue with the next range of a host that caps each."""
        at = self.start + self._taken
        if not self._response.isclosed():
            self._connection.close()  # the range was cut; the next one begins where it ended
        self._response = self._connection.get(self.place, _range(at, None, self.validator))
        headers = self._response.headers
        responses.accept(self._response.status, headers)
        if self._response.status != PARTIAL:
            raise HostFailed("the host answered a range with the whole")
        if responses.validator(headers) != self.validator or responses.codings(headers) != self.codings:
            raise HostFailed("the medium changed while it was fetched")
        if responses.content_range(headers, self._response.length, at, self.total).total != self.total:
            raise HostFailed("the medium changed while it was fetched")


def get(
    url: str,
    ways: FetchPolicy,
    network: Network,
    *,
    start: int = 0,
    end: int | None = None,
    validator: str = "",
    codings: tuple[str, ...] = (),
    address: str = "",
) -> MediaResponse:
    """Follow a link to its medium and request the bytes from `start` to before `end`, of the state of the medium that
    `validator` names. For a whole medium of any state, without a range if need be.

    `codings`: the labels of that state. `address`: the one to try first. MediumRefused if the rules forbid the way,
    LinkDead if the host rejects the link, HostFailed for everything that a retry may fix, also if the host sends
    something else than requested.
    """
    if not (start or end is not None or validator):
        return _whole(url, ways, network)
    where, connection, response = _follow(url, ways, network, _range(start, end, validator), address)
    try:
        return _exact(where, connection, response, start, end, validator=validator, codings=codings)
    except BaseException:
        connection.close()
        raise


def _range(start: int, end: int | None, validator: str) -> dict[str, str]:
    wanted = {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
    return wanted | ({"If-Range": validator} if validator else {})


def _follow(
    url: str, ways: FetchPolicy, network: Network, headers: Mapping[str, str], address: str = ""
) -> tuple[PinnedUrl, Connection, http.client.HTTPResponse]:
    """The first response that is no redirect, and where it came from."""
    for _ in range(MAX_REDIRECTS + 1):
        where = address_guard.resolve(url, ways, network.resolve)
        addresses = sorted(where.addresses, key=lambda one: one != address)
        name = where.name if where.tls else ""
        connection = Connection(addresses, where.port, name, network.ca_file, user_agent=network.user_agent)
        try:
            response = connection.get(where, headers)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return replace(where, address=connection.address, others=()), connection, response
            url = address_guard.redirect_url(url, location)
        except BaseException:
            connection.close()
            raise
        connection.close()
    raise MediumRefused(f"more than {MAX_REDIRECTS} redirects")


def _whole(url: str, ways: FetchPolicy, network: Network) -> MediaResponse:
    """A medium from its first byte: with ranges if the host serves them truthfully, else by a plain GET."""
    where, connection, response = _follow(url, ways, network, _range(0, None, ""))
    partly: MediaResponse | None = None
    try:
        medium = _first(where, connection, response)
        if not (medium.open_ended or medium.capped):
            return medium
        partly = medium
        problem: HostFailed | LinkDead = HostFailed("the host answered a shorter range, or one of unknown size")
    except (HostFailed, LinkDead) as error:
        if response.status != PARTIAL and not _for_the_range(connection, response):
            connection.close()
            raise
        problem = error
    except BaseException:
        connection.close()
        raise
    if partly is None:
        connection.close()
    try:
        plain = _plain(where.url, ways, network)
    except (HostFailed, LinkDead, MediumRefused) as error:
        if partly is not None:
            return partly
        raise without_range(problem.reason, error) from error
    if partly is not None:
        partly.close()
    plain.instead_of = problem.reason
    plain.contradicted = partly is None and response.status == PARTIAL
    return plain


def _plain(url: str, ways: FetchPolicy, network: Network) -> MediaResponse:
    where, connection, response = _follow(url, ways, network, {})
    try:
        return _first(where, connection, response)
    except BaseException:
        connection.close()
        raise


def without_range[E: HostFailed | LinkDead | MediumRefused](first: str, error: E) -> E | HostFailed:
    """The error of a plain GET, with the reason why it was sent."""
    if not isinstance(error, HostFailed) or error.reason == first:
        return error
    return HostFailed(f"{first}; without a range: {error.reason}", error.retry_after)


def _for_the_range(connection: Connection, response: http.client.HTTPResponse) -> bool:
    body = b""
    with suppress(HostFailed), connection.within(1.0, "error"):
        body = response.read(BODY_BYTES)
    return responses.may_be_for_the_range(response.status, response.headers, body)


def _first(where: PinnedUrl, connection: Connection, response: http.client.HTTPResponse) -> MediaResponse:
    """The response to a request for a whole medium. It may be a part of it: `open_ended`, or the first of ranges that
    are capped."""
    headers = response.headers
    responses.accept(response.status, headers)
    medium = _media_response(where, connection, response)
    if medium.codings:
        with connection.failures():
            if responses.shows_compression(response.peek(4)):
                raise MediumRefused(responses.COMPRESSED)
    if response.status != PARTIAL:
        return medium
    _, last, total = responses.content_range(headers, response.length, 0, None)
    medium.total = total
    medium.ranges = total == last + 1
    medium.open_ended = total is None
    if total is None:
        medium.length = last + 1
    elif total > last + 1:
        if not medium.validator:  # the next range might be of another state
            raise HostFailed(f"the host answered a shorter range: 0-{last} of {total}")
        medium.capped, medium.length = True, total
    return medium


def _exact(
    where: PinnedUrl,
    connection: Connection,
    response: http.client.HTTPResponse,
    start: int,
    end: int | None,
    *,
    validator: str,
    codings: tuple[str, ...],
) -> MediaResponse:
    """The response to a request for a range of a known state."""
    responses.accept(response.status, response.headers)
    medium = _media_response(where, connection, response)
    if medium.codings != codings:
        raise MediumRefused(responses.COMPRESSED)
    if validator and medium.validator != validator:
        raise HostFailed("the medium changed while it was fetched")
    medium.start = start
    if response.status == PARTIAL:
        medium.total = responses.promised_range(response.headers, response.length, start, end)
        medium.ranges = True
    elif start:
        raise HostFailed("the host answered a range with the whole")
    return medium


def _media_response(where: PinnedUrl, connection: Connection, response: http.client.HTTPResponse) -> MediaResponse:
    return MediaResponse(
        place=where,
        start=0,
        length=response.length,
        total=response.length,
        ranges=False,
        validator=responses.validator(response.headers),
        codings=responses.codings(response.headers),
        content_type=response.headers.get("content-type", ""),
        _connection=connection,
        _response=response,
    )


@contextmanager
def explained(medium: MediaResponse) -> Iterator[None]:
    """Name in a failure why the medium was requested without a range."""
    try:
        yield
    except HostFailed as error:
        if not medium.instead_of:
            raise
        raise without_range(medium.instead_of, error) from error
