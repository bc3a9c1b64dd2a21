"""The measurements as one table: each of our figures beside its comparison, and beside another revision's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.receive.cold import Cold
from bench.receive.warm import Warm

MAX_WARM, MAX_COLD = 1.10, 1.10  # max ratio to the comparison
MAX_RESTORED = 0.35  # with SnapStart, to the same cold start: the restore itself, which only AWS has, comes on top
HEAD, RULE = "| | ours | against | | ratio | bound | held |", "|---|--:|---|--:|--:|---|---|"


@dataclass(frozen=True)
class Row:
    """Our figure and another, in the same unit. `most`: the bound of their ratio; `below`: whether the ratio must be
    less than it. `before`: another revision's figure, if one was measured."""

    what: str
    ours: float
    against: str
    other: float
    unit: str
    most: float
    below: bool = False
    before: float | None = None

    @property
    def ratio(self) -> float:
        """Ours divided by the other."""
        return self.ours / self.other

    @property
    def held(self) -> bool:
        """Whether the ratio is within its bound."""
        return self.ratio < self.most if self.below else self.ratio <= self.most

    def __str__(self) -> str:
        ours, other = self._figure(self.ours), self._figure(self.other)
        wanted = f"{'below' if self.below else 'at most'} {self.most:g}"
        held = "yes" if self.held else "NO"
        return f"| {self.what} | {ours} | {self.against} | {other} | {self.ratio:.2f} | {wanted} | {held} |"

    @property
    def beside(self) -> str:
        """The further columns: the other revision's figure, its ratio, and ours divided by it."""
        if self.before is None:
            return " | | |"
        return f" {self._figure(self.before)} | {self.before / self.other:.2f} | {self.ours / self.before:.2f} |"

    def _figure(self, figure: float) -> str:
        return f"{figure:,.1f} {self.unit}" if figure < 100 else f"{figure:,.0f} {self.unit}"


def rows(
    warmed: Sequence[Warm], started: Sequence[Cold], proven: Mapping[str, float], restored: Sequence[Cold] = ()
) -> Iterator[Row]:
    """All rows. The last of the warm and of the cold figures is the comparison, for `restored` too; `ours` is one of
    `proven`."""
    *receivers, bare = warmed
    warm_before = {one.name: one.microseconds for one in receivers if one.revision}
    for one in receivers:
        if not one.revision:
            name, before = f"warm, CPU: {one.name}", warm_before.get(one.name)
            yield Row(name, one.microseconds, bare.name, bare.microseconds, "µs", MAX_WARM, before=before)
    *starts, client = started
    cold_before = {one.name: one.milliseconds for one in starts if one.revision}
    for start in starts:
        if not start.revision:
            name, before = f"cold: {start.name}", cold_before.get(start.name)
            yield Row(name, start.milliseconds, client.name, client.milliseconds, "ms", MAX_COLD, before=before)
    for fork in restored:
        name = f"after a restore: {fork.name}"
        yield Row(name, fork.milliseconds, client.name, client.milliseconds, "ms", MAX_RESTORED)
    for name, microseconds in proven.items():
        if name != "ours":
            yield Row("proof alone, CPU", proven["ours"], name, microseconds, "µs", 1, below=True)


def table(judged: Sequence[Row], revision: str | None = None) -> str:
    """The rows in Markdown, with the columns of another revision if one was measured."""
    if revision is None:
        return "\n".join([HEAD, RULE, *map(str, judged)])
    head = f"{HEAD} {revision} | its ratio | ours / {revision} |"
    return "\n".join([head, f"{RULE}--:|--:|--:|", *(f"{row}{row.beside}" for row in judged)])
