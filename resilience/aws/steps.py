"""The smoke test's steps: which of them a run takes, and their results."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from resilience.aws.costs import Usage

type Word = Literal["ok", "wrong", "left out"]


class Wrong(Exception):
    """A result is not as expected: the actual one."""


class LeftOut(Exception):
    """A step cannot run here: the reason."""


@dataclass(frozen=True, slots=True)
class Step[T]:
    """One step: its name for `--only` and `--from`, its action, the expected result, and its code.

    `run` returns the actual result, and raises Wrong or LeftOut. `usage` is AWS's bill for it, without the stack's
    hourly cost. `stack` says whether the stack has to exist, or to be gone; None: either.
    """

    name: str
    does: str
    expected: str
    run: Callable[[T], str]
    usage: Usage
    stack: bool | None = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step's result. `dollars` is an estimate from list prices."""

    name: str
    does: str
    expected: str
    word: Word
    seen: str
    seconds: float
    dollars: float


def chosen[T](
    steps: Sequence[Step[T]], only: Sequence[str], start: str, *, is_deployed: bool
) -> tuple[list[Step[T]], list[Step[T]]]:
    """The steps of a run and those that it leaves out, both in order. Raises ValueError for an unknown name.

    The first step creates the stack, so it is always included if there is no stack yet.
    """
    names = [step.name for step in steps]
    for name in (*only, *filter(None, [start])):
        if name not in names:
            raise ValueError(f"no step is called {name}; there are: {', '.join(names)}")
    if only and start:
        raise ValueError("give --only or --from, not both")
    wanted = set(only) if only else set(names[names.index(start) if start else 0 :])
    if not is_deployed:
        wanted.add(names[0])
    return [step for step in steps if step.name in wanted], [step for step in steps if step.name not in wanted]


def run_all[T](
    steps: Sequence[Step[T]],
    trial: T,
    is_deployed: Callable[[], bool],
    dollars: Callable[[Usage, float], float],
    *,
    unexpected: tuple[type[Exception], ...] = (),
    tell: Callable[[Step[T]], object] = lambda _: None,
) -> Iterator[Outcome]:
    """Run the steps one after the other. Leaves out a step whose stack is missing (or still exists), and all steps
    after an interrupted one; the interruption is raised after the last outcome. An exception in `unexpected` makes its
    step wrong; any other is a defect of this script, and ends it. `tell` is called with each step at its start."""
    interrupted: KeyboardInterrupt | None = None
    for step in steps:
        began = time.monotonic()
        word: Word
        was_run = False
        try:
            if interrupted:
                raise LeftOut("interrupted")
            if step.stack is not None and step.stack != is_deployed():
                raise LeftOut("there is no stack" if step.stack else "the stack still exists")
            was_run = True
            tell(step)
            word, seen = "ok", step.run(trial)
        except LeftOut as reason:
            word, seen = "left out", str(reason)
        except Wrong as wrong:
            word, seen = "wrong", str(wrong)
        except KeyboardInterrupt as interruption:
            word, seen, interrupted = "left out", "interrupted", interruption
        except unexpected as error:
            word, seen = "wrong", f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - began
        spent = dollars(step.usage, seconds) if was_run else 0.0
        yield Outcome(step.name, step.does, step.expected, word, seen, seconds, spent)
    if interrupted:
        raise interrupted


def until[S](
    what: str, look: Callable[[], S], good: Callable[[S], Any], *, seconds: float = 120, pause: float = 1
) -> S:
    """Poll until the result is accepted; raises Wrong with the last result after the timeout in seconds. A poll that
    raises Wrong is not accepted: a new host's name may not resolve yet."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline  # before the poll, so that the last one is complete
        try:
            seen = look()
            if good(seen):
                return seen
            last = repr(seen)
        except Wrong as wrong:
            last = str(wrong)
        if late:
            raise Wrong(f"{what}: not after {seconds:.0f} s; seen last: {last}")
        time.sleep(pause)


def expect(holds: Any, instead: str) -> None:
    """Raises Wrong, with the actual result, if the condition is false."""
    if not holds:
        raise Wrong(instead)
