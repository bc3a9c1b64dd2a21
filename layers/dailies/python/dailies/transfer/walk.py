"""A walk over a medium's bytes in their order: a format is a generator that says which bytes it needs next.

It yields `Read(n)` and gets exactly n bytes, `Skip(n)` to pass over n bytes, `SubBlocks()` to pass over a GIF's, or
`Marker()` to pass over a JPEG's coded data and get the marker behind it. `Size` is the picture's, `End()` says that the
medium may end here: the next Read decides whether it continues. It returns at the medium's end, and raises Malformed
for what the format does not allow. Memory is bounded by a piece and the largest Read.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

FILL = 0xFF
CODED = frozenset({0x00, *range(0xD0, 0xD8), FILL})  # behind 0xFF: a stuffed byte, a restart, a fill byte


class Malformed(Exception):
    """The bytes are not of the format. The message says what is wrong."""


class Read(NamedTuple):
    """Give the next `size` bytes."""

    size: int


class Skip(NamedTuple):
    """Pass over the next `size` bytes."""

    size: int


class Marker:
    """Pass over coded data, and give the two bytes of the marker behind it."""


class SubBlocks:
    """Pass over blocks that begin with their length in a byte, up to an empty one."""


class End:
    """The medium is complete here, unless the generator continues after its next Read."""


class Size(NamedTuple):
    """The picture's size in pixels."""

    width: int
    height: int


type Step = Read | Skip | SubBlocks | Marker | End | Size
type Steps = Generator[Step, bytes]


@dataclass(slots=True)
class Walk:
    """Feed it all bytes in their order, then ask. `end`: the offset behind the medium, None until it is known. `size`:
    the first picture's."""

    steps: Steps
    end: int | None = None
    size: Size | None = None
    problem: str = ""
    _over: bool = False
    _piece: bytes = b""
    _at: int = 0  # the next byte of `_piece`
    _before: int = 0  # bytes of the medium before `_piece`
    _skip: int = 0  # bytes to pass over, perhaps more than `_piece` has
    _step: Step | None = None

    def feed(self, piece: bytes | memoryview) -> None:
        """The bytes that follow those fed before."""
        if self._over or self.problem:
            return
        self._before += self._at
        self._piece = self._piece[self._at :] + bytes(piece)
        self._at = 0
        if self._step is None:
            self._next(None)
        while self._done():
            pass

    def error(self) -> str:
        """What is wrong, once all bytes are fed; empty if the medium is complete."""
        return self.problem or ("" if self.end is not None else "it ends before its end mark")

    def _done(self) -> bool:
        """Do the current step, and get the next one. False if it needs more bytes, or the walk is over."""
        passed = min(self._skip, len(self._piece) - self._at)
        self._skip -= passed
        self._at += passed
        if self._over or self.problem or self._skip:
            return False
        match self._step:
            case Read(size):
                return len(self._piece) - self._at >= size and self._next(self._take(size))
            case Skip(size):
                self._skip = size
                return self._next(b"")
            case SubBlocks():
                return self._to_empty_block()
            case Marker():
                return self._to_marker()
        return False

    def _take(self, size: int) -> bytes:
        taken = self._piece[self._at : self._at + size]
        self._at += size
        return taken

    def _to_empty_block(self) -> bool:
        piece, at, length = self._piece, self._at, len(self._piece)
        while at < length and piece[at]:
            at += 1 + piece[at]
        self._at, self._skip = min(at, length), max(0, at - length)
        if at >= length:
            return False
        self._at += 1
        return self._next(b"")

    def _to_marker(self) -> bool:
        at = self._piece.find(b"\xff", self._at)
        while 0 <= at < len(self._piece) - 1:
            if self._piece[at + 1] not in CODED:
                self._at = at
                return self._next(self._take(2))
            at = self._piece.find(b"\xff", at + (1 if self._piece[at + 1] == FILL else 2))
        self._at = len(self._piece) if at < 0 else at
        return False

    def _next(self, given: bytes | None) -> bool:
        try:
            self._step = next(self.steps) if given is None else self.steps.send(given)
            self.end = None  # it continues
            while isinstance(self._step, End | Size):
                if isinstance(self._step, Size):
                    self.size = self.size or self._step
                else:
                    self.end = self._before + self._at + self._skip
                self._step = self.steps.send(b"")
        except StopIteration:
            self._over = True
            self.end = self._before + self._at + self._skip if self.end is None else self.end
        except Malformed as error:
            self.problem = str(error)
        return True
