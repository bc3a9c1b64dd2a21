"""A medium as it arrives: its format by its first bytes, its size held to the limit, its bytes in order."""

from collections.abc import Collection

from dailies.errors import HostFailed, MediumRefused
from dailies.jobs.models import MediaKind
from dailies.outbound import responses
from dailies.outbound.media import MediaResponse
from dailies.transfer import formats
from dailies.transfer.formats import HEAD_BYTES, JSONL, Format
from dailies.transfer.upload import PIECE_BYTES


class Source:
    """A medium whose format, `what`, is known from its first bytes. `kinds`: the kinds that it may be. `max_bytes`: the
    limit of its size."""

    def __init__(self, medium: MediaResponse, kinds: Collection[MediaKind], max_bytes: int) -> None:
        self.medium = medium
        self._max_bytes = max_bytes
        self._bytes_read = 0
        if medium.contradicted and (medium.total or 0) > self._max_bytes:
            raise HostFailed(f"larger than the limit of {self._max_bytes} bytes")  # the host gave two sizes
        self.within_limit(medium.total or 0)
        self._first = memoryview(bytearray(PIECE_BYTES))
        self._first = self._first[: medium.read_into(self._first)]
        self.what = _format(bytes(self._first[:HEAD_BYTES]), medium.codings, kinds)

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer with the next bytes and return their number: less than its size only at the medium's end."""
        filled = 0
        if self._first:
            filled = min(len(self._first), len(buffer))
            buffer[:filled] = self._first[:filled]
            self._first = self._first[filled:]
        while filled < len(buffer) and (read := self.medium.read_into(buffer[filled : filled + PIECE_BYTES])):
            filled += read
        self._bytes_read += filled
        self.within_limit(self._bytes_read)
        return filled

    def within_limit(self, size: int) -> None:
        """MediumRefused if this number of bytes is over the limit."""
        if size > self._max_bytes:
            raise MediumRefused(f"larger than the limit of {self._max_bytes} bytes")


def _format(head: bytes, codings: Collection[str], kinds: Collection[MediaKind]) -> Format:
    """The format of a requested kind that the bytes show. MediumRefused if they show another one, or are compressed;
    with `not_ready` if they show none, as before the host has the medium."""
    found = formats.sniff(head)
    if found and found.kind in kinds:
        return found
    if formats.is_compressed(head, codings):
        raise MediumRefused(responses.COMPRESSED)
    expected = " or ".join(sorted(kinds))
    if found and found is not JSONL:
        raise MediumRefused(f"not {expected}: {found.content_type}")
    raise MediumRefused(f"not {expected}: {formats.looks_like(head)}; it may not be ready yet", not_ready=True)
