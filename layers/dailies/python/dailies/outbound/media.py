"""A media host's answer: follows a link, asks for a range, reads the bytes straight into the caller's buffer."""

import http.client
import time
from contextlib import suppress
from dataclasses import dataclass, field

from dailies.errors import HostFailed, MediumRefused
from dailies.outbound import address_guard, responses
from dailies.outbound.address_guard import FetchPolicy, PinnedUrl
from dailies.outbound.connection import Connection, Network

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True, eq=False)
class MediaResponse:
    """A media host's answer: the bytes from `start` on.

    `total` is the whole medium's size as the host promises it, None where it does not. `length` is this answer's.
    `validator` tells one state of the medium from another, empty where the host gives nothing that does; `ranges`: it
    answered a range truthfully.
    """

    place: PinnedUrl
    start: int
    length: int | None
    total: int | None
    ranges: bool
    validator: str
    content_type: str
    _connection: Connection
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

    def again(self, start: int, end: int) -> "MediaResponse":
        """Another range of the same state of the medium, by the same connection. HostFailed where that is over."""
        if not self._response.isclosed():
            raise HostFailed("the answer before was not read to its end")
        headers = {"Range": f"bytes={start}-{end - 1}", "If-Range": self.validator}
        response = self._connection.ask(self.place, headers)
        return _media_response(self.place, self._connection, response, start, end, validator=self.validator)

    def cut(self, reason: str) -> None:
        """End the connection under its reader, from another thread: HostFailed with this reason there."""
        self._connection.cut(reason)

    def close(self) -> None:
        """Done with it, read to the end or not."""
        with suppress(OSError):  # TLS may have much to say when it is left early
            self._response.close()
        self._connection.close()


def get(
    url: str, ways: FetchPolicy, network: Network, *, start: int = 0, end: int | None = None, validator: str = ""
) -> MediaResponse:
    """Follow a link to its medium and ask for the bytes from `start` to before `end`, of the state of it that
    `validator` names.

    MediumRefused where it leads where we do not go, LinkDead where the host refuses it, HostFailed for all that
    another try may mend, and where the host answers something else than what it was asked for.
    """
    wanted = {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
    if validator:
        wanted["If-Range"] = validator
    for _ in range(MAX_REDIRECTS + 1):
        where = address_guard.resolve(url, ways, network.resolve)
        connection = Connection(where.address, where.port, where.name if where.tls else "", network.ca_file)
        try:
            response = connection.ask(where, wanted)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or not location:
                return _media_response(where, connection, response, start, end, validator=validator)
            url = address_guard.redirect_url(url, location)
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise MediumRefused(f"more than {MAX_REDIRECTS} redirects")


def _media_response(
    where: PinnedUrl,
    connection: Connection,
    response: http.client.HTTPResponse,
    start: int,
    end: int | None,
    *,
    validator: str,
) -> MediaResponse:
    responses.accept(response.status, response.headers)
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise MediumRefused("the host compressed what was asked for as it is")
    found = responses.validator(response.headers)
    if validator and found != validator:
        raise HostFailed("the medium changed while it was fetched")
    length = response.length
    total = length
    if response.status == http.client.PARTIAL_CONTENT:
        total = responses.promised_range(response.headers, length, start, end)
    elif start:
        raise HostFailed("the host answered a range with the whole")
    return MediaResponse(
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
