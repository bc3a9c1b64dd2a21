"""What the measurements come to: one table, in which each figure of ours stands beside what it is compared with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.receive.cold import Cold
from bench.receive.warm import Warm

MAX_WARM, MAX_COLD = 1.15, 1.25  # times what it is compared with
HEAD = "| | ours | against | | ratio | wanted | held |\n|---|--:|---|--:|--:|---|---|"


@dataclass(frozen=True)
class Row:
    """A figure of ours and another's, in the same unit. `most`: how many times the other ours may be, and `below`:
    whether less than that."""

    what: str
    ours: float
    against: str
    other: float
    unit: str
    most: float
    below: bool = False

    @property
    def ratio(self) -> float:
        """Ours, in the other's."""
        return self.ours / self.other

    @property
    def held(self) -> bool:
        """Whether it is what is wanted."""
        return self.ratio < self.most if self.below else self.ratio <= self.most

    def __str__(self) -> str:
        figures = [f"{figure:,.1f}" if figure < 100 else f"{figure:,.0f}" for figure in (self.ours, self.other)]
        ours, other = (f"{figure} {self.unit}" for figure in figures)
        wanted = f"{'below' if self.below else 'at most'} {self.most:g}"
        held = "yes" if self.held else "NO"
        return f"| {self.what} | {ours} | {self.against} | {other} | {self.ratio:.2f} | {wanted} | {held} |"


def rows(warmed: Sequence[Warm], started: Sequence[Cold], proven: Mapping[str, float]) -> Iterator[Row]:
    """All of them. Of the warm and the cold, what ours are compared with comes last; `ours` is one of the proofs."""
    *receivers, bare = warmed
    for one in receivers:
        yield Row(f"warm, CPU: {one.name}", one.microseconds, bare.name, bare.microseconds, "µs", MAX_WARM)
    *starts, client = started
    for start in starts:
        yield Row(f"cold: {start.name}", start.milliseconds, client.name, client.milliseconds, "ms", MAX_COLD)
    for name, microseconds in proven.items():
        if name != "ours":
            yield Row("proof alone, CPU", proven["ours"], name, microseconds, "µs", 1, below=True)


def table(judged: Sequence[Row]) -> str:
    """In Markdown."""
    return "\n".join([HEAD, *map(str, judged)])
