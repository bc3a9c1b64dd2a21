"""The matrix: every call that the stories make, and every fault; each pair a case of its own."""

import itertools
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from local.apis import provider_apis
from local.stack import alone
from local.up import end, up
from proof import figures
from proof.faults.account import Account, Found
from proof.faults.calls import Call
from proof.faults.gate import FAULTS, Fault, Gate, Slot
from proof.faults.invoking import Lambda, lambda_service
from proof.faults.life import RECEIVERS, Life
from proof.faults.stories import STORIES
from proof.faults.unheard import NEVER_AGAIN, UNHEARD
from proof.faults.verdict import Standing, lies, standing

QUIET = {"ReconcileQuietSeconds": "1"}
MOST_TURNS = 3  # of a case whose call was not made: another case's sweep may have been there first
SETTLE_SECONDS = 1.0  # for what the bus has taken and not yet handed on
MOST_TOLD = 1200  # letters of a problem: a job row


@dataclass(frozen=True)
class Case:
    """A story in which a call fails; none for the story as it should go."""

    name: str
    story: str
    call: Call | None = None
    fault: Fault | None = None

    def __str__(self) -> str:
        return f"{self.story}: {self.call} {self.fault}" if self.call else self.story


@dataclass
class Bench:
    """What the cases are tried on."""

    account: Account
    functions: Lambda
    slots: SimpleQueue[Slot]
    lives: dict[str, Life] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)

    def play(self, cases: Iterable[Case]) -> None:
        """All of them, as many at once as there are slots."""
        with ThreadPoolExecutor(self.slots.qsize()) as threads:
            for _ in threads.map(self._play, cases):
                pass

    def _play(self, case: Case) -> None:
        slot = self.slots.get()
        try:
            life = Life(self.account, self.functions, slot, case.name)
            self.lives[case.name] = life
            try:
                life.live((STORIES | UNHEARD)[case.story], case.call, case.fault)
            except Exception as error:  # noqa: BLE001  a case that fell is a case that failed
                life.problems.append(f"the harness fell: {error!r}")
            self.fired[case.name] = slot.fired
            self.calls[case.name] = slot.calls
        finally:
            self.slots.put(slot)


@contextmanager
def bench(folder: Path, slots: int) -> Iterator[Bench]:
    """The account, Lambda and the gate, while the context lasts."""
    with alone(folder / "run"), provider_apis(seed=1) as apis:
        end(folder)
        urls = {api.part.provider: api.base_url for api in (apis.sync, apis.creatify, apis.captions)}
        try:
            parameters = {f"{name.title()}ApiUrl": url for name, url in urls.items()} | QUIET
            stack = up(folder, parameters, emulator_port=0, webhook_port=0)
            account = Account(stack, apis, folder)
            with (
                account.polling(),
                lambda_service(folder, folder / "build/DailiesLayer/python") as functions,
                Gate(stack.aws.port).open() as gate,
            ):
                ready: SimpleQueue[Slot] = SimpleQueue()
                for _ in range(slots):
                    ready.put(gate.slot())
                yield Bench(account, functions, ready)
        finally:
            end(folder)


def run(folder: Path, *, only: str, stories: str, slots: int) -> figures.Figures:
    """Run it and tell; returns the figures."""
    began = time.monotonic()
    with bench(folder, slots) as ground:
        plain, cases = _played(ground, only, stories)
        time.sleep(SETTLE_SECONDS)
        found = ground.account.found({id_: name for name, life in ground.lives.items() for id_ in life.acknowledged})
    wrong = dict(_wrong(ground, plain, cases, found))
    for case, problems in wrong.items():
        print(f"  {case}", *(problem[:MOST_TOLD] for problem in problems), sep="\n      ")
    calls = {case.call for case in cases if case.call}
    invocations, seconds = ground.functions.invocations, round(time.monotonic() - began)
    print(f"faults: {len(cases)} tried, {len(wrong)} not as they should be, {invocations} invocations, {seconds} s")
    return {
        "calls": len(calls),
        "calls_by_function": dict(Counter(call.function for call in calls)),
        "listed": sorted(map(str, calls)),
        "faults": [str(fault) for fault in FAULTS],
        "tried": len(cases),
        "passed": len(cases) - len(wrong),
        "lost": len(wrong),
        "acknowledged": sum(len(life.acknowledged) for life in ground.lives.values()),
        "invocations": invocations,
        "seconds": seconds,
    }


def _played(ground: Bench, only: str, stories: str) -> tuple[list[Case], list[Case]]:
    """The stories without a fault, first as they should go, and all cases. Those of what nobody tells come last, when
    all else rests: a sweep looks after all jobs that there are, so that it may make a call for another case's sweep. A
    case whose call was not made for that is told again, and is itself a story without a fault."""
    numbers = itertools.count()
    plain: list[Case] = []
    cases: list[Case] = []
    for told in (STORIES, UNHEARD):
        these = [Case(f"case{next(numbers):05}-", story) for story in told if re.search(stories, story)]
        for each in [these] if told is STORIES else [[one] for one in these]:  # alone, each sweep does its own story's
            ground.play(each)
        some = list(_cases(ground, these, numbers, only, {case.call for case in cases if case.call}))
        print(f"faults: {len({case.call for case in some})} calls, each by {len(FAULTS)} faults: {len(some)} cases")
        sys.stdout.flush()
        ground.play(some)
        plain += these
        for _ in range(MOST_TURNS):
            missed = [case for case in some if not ground.fired[case.name]]
            plain += [Case(case.name, case.story) for case in missed]
            again = [replace(case, name=f"case{next(numbers):05}-") for case in missed]
            ground.play(again)
            some = [case for case in some if case not in missed] + again
        cases += some
    return plain, cases


def _wrong(
    ground: Bench, plain: list[Case], cases: list[Case], found: Mapping[str, Found]
) -> Iterator[tuple[Case, list[str]]]:
    """The cases that are not as they should be, and why."""
    wanted = {case.story: standing(found[case.name], case.name) for case in reversed(plain)}  # the first of a story
    for case in [*plain, *cases]:
        life, lying = ground.lives[case.name], found[case.name]
        heard = case.story in STORIES  # of what nobody told, a poll may know first, or the call that came after all
        problems = [
            *life.problems,
            *lies(lying),
            *_differences(wanted[case.story], standing(lying, case.name), events=heard),
            *_unstored(life, lying),
        ]
        if case.call and not ground.fired[case.name]:
            problems.append("the call was not made")
        if problems:
            yield case, problems


def _cases(
    ground: Bench, references: list[Case], numbers: "itertools.count[int]", only: str, seen: set[Call]
) -> Iterator[Case]:
    """Each call in the first story that makes it, by each fault; where the provider never calls again, once more each
    call of the receiver."""
    for reference in references:
        once_more = reference.story == NEVER_AGAIN
        seen = {call for call in seen if not (once_more and call.function in RECEIVERS.values())}
        for call in ground.calls[reference.name]:
            if call not in seen and only in str(call) and (not once_more or call.function in RECEIVERS.values()):
                seen.add(call)
                for fault in FAULTS:
                    yield Case(f"case{next(numbers):05}-", reference.story, call, fault)


def _differences(wanted: Standing, found: Standing, *, events: bool) -> Iterator[str]:
    for name in ("jobs", "objects", "told", "failed", *(["events"] if events else [])):
        should, does = getattr(wanted, name), getattr(found, name)
        if should != does:
            yield f"{name} became {sorted(map(str, does - should))} instead of {sorted(map(str, should - does))}"


def _unstored(life: Life, found: Found) -> list[str]:
    stored = {row.get("event_id") for row in found.rows}
    return [f"acknowledged and not stored: {event_id}" for event_id in life.acknowledged - stored]
