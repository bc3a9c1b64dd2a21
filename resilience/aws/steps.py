"""What a step of the smoke test is, which of them a run takes, and what becomes of each."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from resilience.aws.costs import Usage

type Word = Literal["ok", "wrong", "left out"]


class Wrong(Exception):
    """Something is not as expected: what was seen instead."""


class LeftOut(Exception):
    """A step cannot be tried here: why."""


@dataclass(frozen=True, slots=True)
class Step[T]:
    """One step: its name for `--only` and `--from`, what it does, what is expected, and how it is run.

    `run` returns what was seen, and raises Wrong or LeftOut. `usage` is what AWS bills for it, besides what the stack
    costs by the hour. `stack` says whether the step needs the stack to be there, or to be gone; None: either.
    """

    name: str
    does: str
    expected: str
    run: Callable[[T], str]
    usage: Usage
    stack: bool | None = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step. `dollars` is an estimate from list prices."""

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
    """The steps of a run and those that it does not take, both in order; a ValueError where a name is of none.

    The first step makes the stack. So it is taken in any case where no stack is there yet.
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
    """Run the steps one after the other. A step whose stack is not there (or still there) is left out, and so are all
    behind one that was interrupted; the interruption goes on behind the last outcome. Exceptions that are `unexpected`
    make their step wrong; any other is a defect of this script, and ends it. `tell` is called with each that begins."""
    interrupted: KeyboardInterrupt | None = None
    for step in steps:
        began = time.monotonic()
        word: Word
        was_run = False
        try:
            if interrupted:
                raise LeftOut("interrupted")
            if step.stack is not None and step.stack != is_deployed():
                raise LeftOut("the stack is not there" if step.stack else "the stack is still there")
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
    """What was seen when it was good; Wrong with what was seen last where that does not come in so many seconds. A look
    that raises Wrong is one that was not good: a new host's name may not resolve yet."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline  # before the look, so that the last one is a whole one
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
    """Wrong, with what was seen instead, where it does not hold."""
    if not holds:
        raise Wrong(instead)
