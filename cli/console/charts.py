"""Charts as geometry: where each bar stands in a picture of WIDTH by HEIGHT, and the same in words and as a table for
whoever does not see it. Pure; `templates/chart.html` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, log10

from cli.console import formats
from cli.stats import Hour, percentile

WIDTH, HEIGHT = 360, 190  # about what a telephone shows, so that its letters are as large as the page's
LEFT, RIGHT, TOP, BOTTOM = 34, 356, 12, 158  # where the bars stand
GAP = 2.5  # between two bars
LINES = 4  # at most, across the picture

# From the bottom up, what is well first.
OUTCOMES = ("completed", "failed", "canceled", "archiving", "waiting", "attention")
PERCENTILES = ((0.5, "half"), (0.9, "9 of 10"), (0.99, "99 of 100"))

# Seconds: a small file takes a fraction of one, the tries of a bad host half an hour.
TO_BUCKET = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800)
# Seconds: below ten minutes the stack's own alarm rings; links of a day and of a week are usual.
MARGINS = (0, 600, 3600, 6 * 3600, 86_400, 7 * 86_400)
SHORT_MARGIN = 600


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, or a part of one. `kind` is its colour's name; `says` is read by whoever points at it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word in the picture; `anchor` as SVG has it."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, its `summary` in a sentence, and its numbers as a table. `lines` are the heights of its grid."""

    name: str
    title: str
    summary: str
    bars: Sequence[Bar]
    lines: Sequence[float]
    labels: Sequence[Label]
    legend: Sequence[str]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def by_hour(hours: Sequence[Hour]) -> Chart:
    """Jobs by the hour of their latest news, stacked by what they have come to."""
    totals = [sum(hour.counts.values()) for hour in hours]
    scale = _Scale(max(totals, default=0))
    step = (RIGHT - LEFT) / max(1, len(hours))
    shown = [kind for kind in OUTCOMES if any(hour.counts.get(kind) for hour in hours)]
    bars, rows = [], []
    for place, (hour, total) in enumerate(zip(hours, totals, strict=True)):
        begun, below = f"{hour.begins[11:13]}:00", 0
        for kind in shown:
            count = hour.counts.get(kind, 0)
            if count:
                says = f"{begun}: {count} {kind}"
                bars.append(scale.bar(LEFT + place * step, step, count=count, below=below, kind=kind, says=says))
                below += count
        if total:
            rows.append([begun, *(str(hour.counts.get(kind, 0)) for kind in shown)])
    labels = [
        Label(LEFT + place * step + step / 2, HEIGHT - 14, f"{hour.begins[11:13]}:00")
        for place, hour in enumerate(hours)
        if int(hour.begins[11:13]) % 6 == 0
    ]
    said = ", ".join(f"{sum(hour.counts.get(kind, 0) for hour in hours)} {kind}" for kind in shown)
    return Chart(
        name="by-hour",
        title="Jobs by hour",
        summary=f"{sum(totals)} jobs had news in the last {len(hours)} hours: {said}." if said else "No job had news.",
        bars=bars,
        lines=scale.lines,
        labels=[*labels, *scale.labels],
        legend=shown,
        head=["Hour", *(kind.capitalize() for kind in shown)],
        rows=rows,
    )


def to_bucket(seconds: Sequence[float]) -> Chart:
    """How long media took from the call that named them to the bucket."""
    if seconds:
        said = ", ".join(f"{name} within {formats.span(percentile(seconds, part))}" for part, name in PERCENTILES)
        summary = f"Of {_media(seconds)}, {said}."
    else:
        summary = "No medium was archived."
    return _spread("to-bucket", "From call to bucket", seconds, TO_BUCKET, summary=summary)


def margins(seconds: Sequence[float]) -> Chart:
    """How much of their links' lives was left when media were archived."""
    if seconds:
        shortest, half = formats.span(seconds[0]), formats.span(percentile(seconds, 0.5))
        short = sum(left < SHORT_MARGIN for left in seconds) or "none"
        said = f"the shortest had {shortest} left, half had {half} or less; {short} had less than ten minutes"
        summary = f"Of {_media(seconds)}, {said}."
    else:
        summary = "No link says when it dies."
    return _spread("margins", "Left on the links", seconds, MARGINS, summary=summary, alarming_below=SHORT_MARGIN)


def _media(values: Sequence[float]) -> str:
    return f"{len(values)} {'medium' if len(values) == 1 else 'media'}"


def _spread(
    name: str,
    title: str,
    values: Sequence[float],
    edges: Sequence[float],
    *,
    summary: str,
    alarming_below: float = -inf,
) -> Chart:
    bounds = list(pairwise((-inf, *edges, inf)))
    counts = [sum(low <= value < high for value in values) for low, high in bounds]
    scale = _Scale(max(counts))
    step = (RIGHT - LEFT) / len(bounds)
    bars, labels, rows = [], [], []
    for place, ((low, high), count) in enumerate(zip(bounds, counts, strict=True)):
        words = _between(low, high)
        if count:
            kind = "attention" if high <= alarming_below else "plain"
            bars.append(scale.bar(LEFT + place * step, step, count=count, kind=kind, says=f"{words}: {count}"))
            rows.append([words, str(count)])
        if high < inf:
            labels.append(Label(LEFT + (place + 1) * step, HEIGHT - 14, _short(high)))
    return Chart(name, title, summary, bars, scale.lines, [*labels, *scale.labels], (), ["Time", "Media"], rows)


def _between(low: float, high: float) -> str:
    if low == -inf:
        return "none" if high == 0 else f"below {_short(high)}"
    return f"{_short(low)} and more" if high == inf else f"{_short(low)} to {_short(high)}"


def _short(seconds: float) -> str:
    return formats.span(seconds).replace("min", "m").replace(" ", "") if seconds else "0"


class _Scale:
    """Heights for counts from nothing to the highest; its lines are at round numbers."""

    def __init__(self, highest: int) -> None:
        step = _round_step(highest / LINES)
        self._top = max(step, ceil(highest / step) * step)
        marks = range(0, self._top + 1, step)
        self.lines = [self._y(mark) for mark in marks]
        self.labels = [Label(LEFT - 6, self._y(mark) + 3.5, f"{mark:,}", "end") for mark in marks]

    def bar(self, place: float, width: float, *, count: int, below: int = 0, kind: str, says: str) -> Bar:
        """A bar for a count, in the middle of its place, on what is below it."""
        y = self._y(below + count)
        return Bar(round(place + GAP / 2, 2), y, round(width - GAP, 2), round(self._y(below) - y, 2), kind, says)

    def _y(self, count: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * count / self._top, 2)


def _round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is not below."""
    if least <= 1:
        return 1
    power: int = 10 ** int(log10(least))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least)


def tiles(stages: Mapping[str, int], seconds: Sequence[float]) -> list[tuple[str, str, str]]:
    """The figures that matter most: a name, a value, and the colour it is told in, if any."""
    found = [
        ("Jobs with news", f"{sum(stages.values()):,}", ""),
        ("Settled", f"{stages.get('settled', 0):,}", ""),
        ("Under way", f"{stages.get('waiting', 0) + stages.get('archiving', 0):,}", ""),
        ("Attention", f"{stages.get('attention', 0):,}", "alarming" if stages.get("attention") else ""),
    ]
    if seconds:
        found += [
            ("Half archived within", formats.span(percentile(seconds, 0.5)), ""),
            ("99 of 100 within", formats.span(percentile(seconds, 0.99)), ""),
        ]
    return found
