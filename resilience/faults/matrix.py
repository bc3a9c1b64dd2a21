"""The matrix: every call in the scenarios, with every fault; each pair is a case."""

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from local.stack import Stack, alone
from local.up import end, up
from resilience import figures
from resilience.faults.account import Account, Found
from resilience.faults.calls import Call
from resilience.faults.case_runner import RECEIVERS, CaseRunner, Scenario
from resilience.faults.checks import Freedom, State, lies, state
from resilience.faults.fault_proxy import FAULTS, UNMENDED, Fault, FaultProxy, Slot
from resilience.faults.grants import never_needed
from resilience.faults.invoking import Lambda, lambda_service
from resilience.faults.scenarios import SCENARIOS
from resilience.faults.scenarios_reconcile import EXHAUSTED_RATE_LIMIT, MISSED_WEBHOOKS, NEVER_AGAIN
from resilience.faults.scenarios_secrets import CHANGING_SECRETS
from resilience.faults.secret_leaks import said
from simulators.provider_apis import ProviderApis, provider_apis
from simulators.webhook_server import webhook

QUIET = {"ReconcileQuietSeconds": "1"}
MAX_TURNS = 3  # runs of a case whose call was not made: another case's reconcile may have done its work
SETTLE_SECONDS = 1.0  # for events that the bus has accepted and not yet delivered
NOT_MADE = "the call was not made"
MAX_TOLD = 1200  # letters of a problem: a job row


@dataclass(frozen=True)
class Act:
    """Scenarios, and how many run in parallel: those without a fault, and the cases."""

    what: str
    scenarios: Mapping[str, Scenario]
    plain_at_once: int
    cases_at_once: int


# The lines run one after the other, the acts of a line in parallel. Missed webhooks come after all deliveries have
# settled: reconcile processes all jobs, so it may make another case's call. A case whose call was not made runs again;
# it counts as one without a fault. The acts of the last line mostly wait: until all receivers may have read a tag, and
# for a rate limit.
ACTS = (
    (Act("deliveries", SCENARIOS, 12, 12),),
    (Act("missed webhooks", MISSED_WEBHOOKS, 1, 12),),
    (Act("changing secrets", CHANGING_SECRETS, 24, 24), Act("exhausted rate limit", EXHAUSTED_RATE_LIMIT, 1, 1)),
)
EVERY_SCENARIO: Mapping[str, Scenario] = {
    name: scenario for line in ACTS for act in line for name, scenario in act.scenarios.items()
}


@dataclass(frozen=True)
class Case:
    """A scenario in which a call fails; none for the scenario without a fault."""

    name: str
    scenario: str
    call: Call | None = None
    fault: Fault | None = None

    def __str__(self) -> str:
        return f"{self.scenario}: {self.call} {self.fault}" if self.call else self.scenario


@dataclass
class Bench:
    """The resources for running cases."""

    account: Account
    functions: Lambda
    slots: SimpleQueue[Slot]
    runners: dict[str, CaseRunner] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    once: set[Call] = field(default_factory=set)

    def play(self, cases: Iterable[Case], at_once: int) -> None:
        """Run all cases, with a max number in parallel."""
        with ThreadPoolExecutor(at_once) as threads:
            for _ in threads.map(self._play, cases):
                pass

    def _play(self, case: Case) -> None:
        slot = self.slots.get()
        try:
            runner = CaseRunner(self.account, self.functions, slot, case.name)
            self.runners[case.name] = runner
            try:
                runner.live(EVERY_SCENARIO[case.scenario], case.call, case.fault)
            except Exception as error:  # noqa: BLE001  a case that fell is a case that failed
                runner.problems.append(f"the harness failed: {error!r}")
            self.fired[case.name] = slot.fired
            self.calls[case.name] = slot.calls
            self.once |= slot.once
        finally:
            self.slots.put(slot)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """The account, Lambda and the proxy, while the context is open."""
    with alone(folder / "run"), provider_apis(seed=1) as apis, webhook() as formation:
        end(folder)
        try:
            account = Account(_stack(folder, apis), apis, formation, folder)
            with (
                account.polling(),
                lambda_service(folder, folder / "build/DailiesLayer/python") as functions,
                FaultProxy(account.aws.port).open() as proxy,
            ):
                ready: SimpleQueue[Slot] = SimpleQueue()
                for _ in range(max(sum(act.cases_at_once for act in line) for line in ACTS)):
                    ready.put(proxy.slot())
                yield Bench(account, functions, ready)
        finally:
            end(folder)


def _stack(folder: Path, apis: ProviderApis) -> Stack:
    """The stack with all optional functions. It registers its webhook at Captions, so the API's key is set before. That
    webhook is removed from the simulated Captions: its URL is on AWS."""
    urls = {api.part.provider: api.base_url for api in (apis.sync, apis.creatify, apis.captions)}
    parameters = {f"{name.title()}ApiUrl": url for name, url in urls.items()} | QUIET
    stack = up(folder, parameters, emulator_port=0, webhook_port=0, record=True)
    key, value = f"{stack.stack_name}/captions/api", json.dumps(apis.captions.credentials)
    made = stack.aws.secretsmanager.put_secret_value(SecretId=key, SecretString=value)
    registers = {**parameters, "CaptionsApiSecretArn": made["ARN"]}
    stack = up(folder, registers, emulator_port=stack.aws.port, webhook_port=0, record=True)
    apis.captions.webhooks.registered.clear()
    return stack


def run(folder: Path, *, only: str, scenarios: str) -> figures.Figures:
    """Run and print; returns the figures."""
    began = time.monotonic()
    with bench(folder) as ground:
        plain, cases = _played(ground, only, scenarios)
        time.sleep(SETTLE_SECONDS)
        found = ground.account.found(
            {id_: name for name, runner in ground.runners.items() for id_ in runner.acknowledged}
        )
        left = [] if only or scenarios else never_needed(folder)
        leaks = said(folder / "functions.log", ground.account.ever_secret)
    wrong = dict(_wrong(ground, plain, cases, found))
    for case, problems in wrong.items():
        print(f"  {case}", *(problem[:MAX_TOLD] for problem in problems), sep="\n      ")
    for permission in left:
        print(f"  no scenario needed: {permission}")
    for line in leaks:
        print(f"  a function printed a secret: {line}")
    missed = sum(problems == [NOT_MADE] for problems in wrong.values())
    calls = {case.call for case in cases if case.call}
    invocations, seconds = ground.functions.invocations, round(time.monotonic() - began)
    print(f"faults: {len(cases)} tried, {len(wrong)} wrong, {invocations} invocations, {seconds} s")
    return {
        "calls": len(calls),
        "calls_by_function": dict(Counter(call.function for call in calls)),
        "listed": sorted(map(str, calls)),
        "faults": [str(fault) for fault in FAULTS],
        "again": sum(case.scenario in NEVER_AGAIN for case in cases),
        "tried": len(cases),
        "passed": len(cases) - len(wrong),
        "lost": len(wrong) - missed,
        "not_made": missed,
        "never_needed": left,
        "leaks": len(leaks),
        "acknowledged": sum(len(runner.acknowledged) for runner in ground.runners.values()),
        "invocations": invocations,
        "seconds": seconds,
    }


def _played(ground: Bench, only: str, scenarios: str) -> tuple[list[Case], list[Case]]:
    """Run the scenarios without a fault first, then all cases, act by act."""
    numbers = itertools.count()
    plain: list[Case] = []
    cases: list[Case] = []

    def played(act: Act) -> tuple[list[Case], list[Case]]:
        began = time.monotonic()
        these = [
            Case(f"case{next(numbers):05}-", scenario) for scenario in act.scenarios if re.search(scenarios, scenario)
        ]
        ground.play(these, act.plain_at_once)
        some = list(_cases(ground, these, numbers, only, {case.call for case in cases if case.call}))
        calls, count = len({case.call for case in some}), len(some)
        ground.play(reversed(some), act.cases_at_once)  # the slowest scenarios are last
        for _ in range(MAX_TURNS):
            missed = [case for case in some if not ground.fired[case.name]]
            these += [Case(case.name, case.scenario) for case in missed]
            again = [replace(case, name=f"case{next(numbers):05}-") for case in missed]
            ground.play(again, act.cases_at_once)
            some = [case for case in some if case not in missed] + again
        print(f"faults: {act.what}: {calls} calls, {count} cases, {time.monotonic() - began:.0f} s", flush=True)
        return these, some

    for line in ACTS:
        with ThreadPoolExecutor(len(line)) as threads:
            for these, some in list(threads.map(played, line)):
                plain += these
                cases += some
    return plain, cases


def _wrong(
    ground: Bench, plain: list[Case], cases: list[Case], found: Mapping[str, Found]
) -> Iterator[tuple[Case, list[str]]]:
    """The cases with problems, and the problems."""

    def stands(case: Case) -> State:
        return state(found[case.name], case.name, without=_freedoms(case.scenario))

    wanted = {case.scenario: stands(case) for case in reversed(plain)}  # the scenario's first call
    for case in [*plain, *cases]:
        runner, lying = ground.runners[case.name], found[case.name]
        problems = [
            *runner.problems,
            *lies(lying),
            *_differences(wanted[case.scenario], stands(case)),
            *_unstored(runner, lying),
        ]
        if case.call and not ground.fired[case.name]:
            problems.append(NOT_MADE)
        if problems:
            yield case, problems


def _freedoms(scenario: str) -> set[Freedom]:
    """The allowed differences between a scenario's cases; none, except for these."""
    free: set[Freedom] = set() if scenario in SCENARIOS else {"events"}
    if scenario == "never again captions/creator":
        free.add("words")
    if scenario == "lost link":
        free.add("moved")
    return free


def _cases(
    ground: Bench, references: list[Case], numbers: "itertools.count[int]", only: str, seen: set[Call]
) -> Iterator[Case]:
    """Each call in the first scenario that makes it, with each fault. If the provider never retries, also each call of
    the receiver, with the faults that an SDK retry does not fix. For a call without SDK retries, every attempt is the
    first."""
    for reference in references:
        once_more = RECEIVERS.values() if reference.scenario in NEVER_AGAIN else ()
        for call in dict.fromkeys(ground.calls[reference.name]):
            faults = FAULTS if call not in seen else UNMENDED if call.function in once_more else ()
            if only in str(call):
                seen.add(call)
                for fault in faults:
                    if not (fault.every_try and call in ground.once):
                        yield Case(f"case{next(numbers):05}-", reference.scenario, call, fault)


def _differences(wanted: State, found: State) -> Iterator[str]:
    for name in ("jobs", "objects", "told", "failed", "events"):
        should, does = getattr(wanted, name), getattr(found, name)
        if should != does:
            yield f"{name} is {sorted(map(str, does - should))} instead of {sorted(map(str, should - does))}"


def _unstored(runner: CaseRunner, found: Found) -> list[str]:
    stored = {row.get("event_id") for row in found.rows}
    return [f"acknowledged and not stored: {event_id}" for event_id in runner.acknowledged - stored]
