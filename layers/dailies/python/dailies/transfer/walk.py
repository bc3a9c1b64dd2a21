"""A walk over a medium's bytes in their order: a format is a generator that says which bytes it needs next.

It yields `Read(n)` and gets exactly n bytes, `Skip(n)` to pass over n bytes, or `Marker()` to pass over a JPEG's coded
data and get the marker behind it. It returns at the medium's end, and raises Malformed for what the format does not
allow. `End()` says that the medium may end here: the next Read decides whether it continues. Memory is bounded by the
largest Read.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

CODED = frozenset({0x00, *range(0xD0, 0xD8), 0xFF})  # behind 0xFF: a stuffed byte, a restart, a fill byte


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


class End:
    """The medium is complete here, unless the generator continues after its next Read."""


type Step = Read | Skip | Marker | End
type Steps = Generator[Step, bytes]


@dataclass(slots=True)
class Walk:
    """Feed it all bytes in their order, then ask. `end`: the offset behind the medium, None until it is known."""

    steps: Steps
    end: int | None = None
    problem: str = ""
    _over: bool = False
    _at: int = 0  # offset of the first byte of `_rest`
    _rest: bytes = b""
    _skip: int = 0
    _step: Step | None = None

    def feed(self, piece: bytes | memoryview) -> None:
        """The bytes that follow those fed before."""
        if self._over or self.problem:
            return
        if self._skip >= len(piece):
            self._pass(len(piece))
            return
        self._rest += bytes(piece[self._skip :])
        self._pass(self._skip)
        if self._step is None:
            self._next(None)
        while self._done():
            pass

    def error(self) -> str:
        """What is wrong, once all bytes are fed; empty if the medium is complete."""
        return self.problem or ("" if self.end is not None else "it ends before its end mark")

    def _pass(self, size: int) -> None:
        self._at += size
        self._skip -= size

    def _done(self) -> bool:
        """Do the current step, and get the next one. False if it needs more bytes, or the walk is over."""
        if self._over or self.problem:
            return False
        match self._step:
            case Read(size):
                return len(self._rest) >= size and self._next(self._take(size))
            case Skip(size):
                passed = min(size, len(self._rest))
                self._take(passed)
                self._skip = size - passed
                self._next(b"")
                return not self._skip
            case Marker():
                return self._to_marker()
        return False

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._at += size
        return taken

    def _to_marker(self) -> bool:
        at = self._rest.find(b"\xff")
        while 0 <= at < len(self._rest) - 1:
            if self._rest[at + 1] not in CODED:
                self._take(at)
                return self._next(self._take(2))
            at = self._rest.find(b"\xff", at + (1 if self._rest[at + 1] == 0xFF else 2))
        self._take(len(self._rest) if at < 0 else at)
        return False

    def _next(self, given: bytes | None) -> bool:
        try:
            self._step = next(self.steps) if given is None else self.steps.send(given)
            self.end = None  # it continues
            if isinstance(self._step, End):
                self.end = self._at + self._skip
                self._step = self.steps.send(b"")
        except StopIteration:
            self._over = True
            self.end = self._at + self._skip if self.end is None else self.end
        except Malformed as error:
            self.problem = str(error)
        return True
