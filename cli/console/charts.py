"""Charts as geometry: the bars of a picture of WIDTH by HEIGHT, and the same as text and as a table for readers who do
not see it. Pure; `templates/chart.html` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, log10

from cli.formats import counted, span
from cli.stats import Hour, percentile

WIDTH, HEIGHT = 360, 190  # about a telephone's width, so that its letters are as large as the page's
LEFT, RIGHT, TOP, BOTTOM = 34, 356, 12, 158  # the area of the bars
GAP = 2.5  # between two bars
LINES = 4  # at most, across the picture

# From the bottom up, good outcomes first.
OUTCOMES = ("completed", "failed", "canceled", "archiving", "waiting", "attention")
PERCENTILES = ((0.5, "half"), (0.9, "9 of 10"), (0.99, "99 of 100"))

# Edges between bars: their labels, and seconds. A small file takes a fraction of one, a bad host half an hour.
TO_BUCKET = {
    "0.5s": 0.5, "1s": 1, "2s": 2, "5s": 5, "10s": 10, "30s": 30, "1m": 60, "5m": 300, "30m": 1800,
}  # fmt: skip
# Below ten minutes the stack raises an alarm; links usually live for a day or a week.
MARGINS = {"0": 0, "10m": 600, "1h": 3600, "6h": 6 * 3600, "1d": 86_400, "7d": 7 * 86_400}
SHORT_MARGIN = 600


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, or a part of one. `kind` names its colour; `says` is its tooltip."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Label:
    """Text in the picture; `anchor` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, its `summary` in a sentence, and its numbers as a table. `lines` are the heights of the grid lines."""

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
    """Jobs by the hour of their last update, stacked by outcome."""
    totals = [sum(hour.counts.values()) for hour in hours]
    scale = _Scale(max(totals, default=0))
    step = (RIGHT - LEFT) / max(1, len(hours))
    shown = [kind for kind in OUTCOMES if any(hour.counts.get(kind) for hour in hours)]
    bars, rows = [], []
    for position, (hour, total) in enumerate(zip(hours, totals, strict=True)):
        begun, below = f"{hour.begins[11:13]}:00", 0
        for kind in shown:
            count = hour.counts.get(kind, 0)
            if count:
                says = f"{begun}: {count} {kind}"
                bars.append(scale.bar(LEFT + position * step, step, count=count, below=below, kind=kind, says=says))
                below += count
        if total:
            rows.append([begun, *(str(hour.counts.get(kind, 0)) for kind in shown)])
    labels = [
        Label(LEFT + position * step + step / 2, HEIGHT - 14, f"{hour.begins[11:13]}:00")
        for position, hour in enumerate(hours)
        if int(hour.begins[11:13]) % 6 == 0
    ]
    outcomes = ", ".join(f"{sum(hour.counts.get(kind, 0) for hour in hours)} {kind}" for kind in shown)
    return Chart(
        name="by-hour",
        title="Jobs by hour",
        summary=f"{counted(sum(totals), 'job')} updated in the last {len(hours)} hours: {outcomes}."
        if outcomes
        else "No jobs were updated.",
        bars=bars,
        lines=scale.lines,
        labels=[*labels, *scale.labels],
        legend=shown,
        head=["Hour", *(kind.capitalize() for kind in shown)],
        rows=rows,
    )


def to_bucket(seconds: Sequence[float]) -> Chart:
    """How long media took from the delivery that named them to the bucket."""
    if seconds:
        shares = ", ".join(f"{name} within {span(percentile(seconds, part))}" for part, name in PERCENTILES)
        summary = f"Of {_media(seconds)}, {shares}."
    else:
        summary = "No media were archived."
    return _spread("to-bucket", "From delivery to bucket", seconds, TO_BUCKET, summary=summary)


def margins(seconds: Sequence[float]) -> Chart:
    """How much time was left on the links when media were archived."""
    if seconds:
        shortest, half = span(seconds[0]), span(percentile(seconds, 0.5))
        short = sum(left < SHORT_MARGIN for left in seconds) or "none"
        shares = f"the shortest had {shortest} left, half had {half} or less; {short} had less than ten minutes"
        summary = f"Of {_media(seconds)}, {shares}."
    else:
        summary = "No archived link has a known end."
    return _spread("margins", "Time left on the links", seconds, MARGINS, summary=summary, alarm_below=SHORT_MARGIN)


def _media(values: Sequence[float]) -> str:
    return counted(len(values), "medium", "media")


def _spread(
    name: str,
    title: str,
    values: Sequence[float],
    edges: Mapping[str, float],
    *,
    summary: str,
    alarm_below: float = -inf,
) -> Chart:
    bounds = list(pairwise((("", -inf), *edges.items(), ("", inf))))
    counts = [sum(low <= value < high for value in values) for (_, low), (_, high) in bounds]
    scale = _Scale(max(counts))
    step = (RIGHT - LEFT) / len(bounds)
    bars, labels, rows = [], [], []
    for position, (((low_label, _), (high_label, high)), count) in enumerate(zip(bounds, counts, strict=True)):
        words = _between(low_label, high_label)
        if count:
            kind = "attention" if high <= alarm_below else "plain"
            bars.append(scale.bar(LEFT + position * step, step, count=count, kind=kind, says=f"{words}: {count}"))
            rows.append([words, str(count)])
        if high < inf:
            labels.append(Label(LEFT + (position + 1) * step, HEIGHT - 14, high_label))
    return Chart(name, title, summary, bars, scale.lines, [*labels, *scale.labels], (), ["Time", "Media"], rows)


def _between(low: str, high: str) -> str:
    """The range between two edges, by their labels; empty where it has no edge."""
    if not low:
        return "none" if high == "0" else f"below {high}"
    return f"{low} to {high}" if high else f"{low} and more"


class _Scale:
    """Heights for counts from 0 to the highest, with grid lines at round numbers."""

    def __init__(self, highest: int) -> None:
        step = _round_step(highest / LINES)
        self._top = max(step, ceil(highest / step) * step)
        marks = range(0, self._top + 1, step)
        self.lines = [self._y(mark) for mark in marks]
        self.labels = [Label(LEFT - 6, self._y(mark) + 3.5, f"{mark:,}", "end") for mark in marks]

    def bar(self, left: float, width: float, *, count: int, below: int = 0, kind: str, says: str) -> Bar:
        """A bar for a count, centred in its width, on top of the bars `below`."""
        y = self._y(below + count)
        return Bar(round(left + GAP / 2, 2), y, round(width - GAP, 2), round(self._y(below) - y, 2), kind, says)

    def _y(self, count: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * count / self._top, 2)


def _round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 ... that is at least this."""
    if least <= 1:
        return 1
    power: int = 10 ** int(log10(least))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least)


def tiles(stages: Mapping[str, int], seconds: Sequence[float]) -> list[tuple[str, str, str]]:
    """The key figures: name, value, and the name of a colour or nothing."""
    found = [
        ("Jobs updated", f"{sum(stages.values()):,}", ""),
        ("Settled", f"{stages.get('settled', 0):,}", ""),
        ("In progress", f"{stages.get('waiting', 0) + stages.get('archiving', 0):,}", ""),
        ("Attention", f"{stages.get('attention', 0):,}", "alarming" if stages.get("attention") else ""),
    ]
    if seconds:
        found += [
            ("Half archived within", span(percentile(seconds, 0.5)), ""),
            ("99 of 100 within", span(percentile(seconds, 0.99)), ""),
        ]
    return found
