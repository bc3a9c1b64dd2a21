"""The results: two builds beside each other, or a list of runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.suite.checkout import Checkout, Measured, Outcome

LEGEND = "CPU: of everything that the command started, detached processes too."


@dataclass(frozen=True)
class Build:
    """A revision: its set-up, once, and each run of its tests."""

    checkout: Checkout
    set_up: Measured
    runs: Sequence[Outcome]

    def seconds(self) -> float:
        """The median seconds of its tests."""
        return median(run.measured.seconds for run in self.runs)

    def cpu(self) -> float:
        """The median CPU seconds of its tests."""
        return median(run.measured.cpu_seconds for run in self.runs)


@dataclass(frozen=True)
class Repeated:
    """One run among several, under a load."""

    load: str
    tests: Outcome


def comparison(base: Build, other: Build) -> Iterator[str]:
    """Both builds' figures, and the ratio of the second to the first."""
    rows = {
        "set-up": (base.set_up.seconds, other.set_up.seconds),
        "set-up, CPU": (base.set_up.cpu_seconds, other.set_up.cpu_seconds),
        "tests": (base.seconds(), other.seconds()),
        "tests, CPU": (base.cpu(), other.cpu()),
        "both": (base.set_up.seconds + base.seconds(), other.set_up.seconds + other.seconds()),
        "both, CPU": (base.set_up.cpu_seconds + base.cpu(), other.set_up.cpu_seconds + other.cpu()),
    }
    yield f"| seconds | {_name(base)} | {_name(other)} | ratio |"
    yield "|---|--:|--:|--:|"
    for what, (before, now) in rows.items():
        yield f"| {what} | {before:,.1f} | {now:,.1f} | {now / before:.2f} |"
    results = ["; ".join(dict.fromkeys(map(counted, build.runs))) for build in (base, other)]
    yield f"| result | {' | '.join(results)} | |"
    yield f"{LEGEND} Runs of each: {len(base.runs)}, in turn; the median counts."


def _name(build: Build) -> str:
    checkout = build.checkout
    return checkout.commit if checkout.name.startswith(checkout.commit) else f"{checkout.name} ({checkout.commit})"


def listed(number: int, run: Repeated) -> Iterator[str]:
    """A run's line, and below it the failed tests."""
    measured = run.tests.measured
    minutes, seconds = divmod(round(measured.seconds), 60)
    took = f"{minutes} min {seconds:02} s"
    verdict = run.tests.problem or "passed"
    yield f"{number:>3}  {run.load:<12}{took:>13}{measured.cpu_seconds:>8.0f} s CPU  {verdict}: {counted(run.tests)}"
    for name in (*run.tests.failed, *(f"left running: {process}" for process in measured.left)):
        yield f"       {name}"


def counted(tests: Outcome) -> str:
    """Counts such as `2 failed, 3,111 passed`."""
    return ", ".join(f"{count:,} {word}" for word, count in tests.counts.items()) or "no tests"
