"""One case: a scenario with one failing call. Its deliveries and records are passed to the functions until all jobs
settle."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from queue import Empty
from typing import Any

from resilience.faults.account import Account, Work
from resilience.faults.calls import Call
from resilience.faults.fault_proxy import Fault, Slot
from resilience.faults.invoking import Lambda, Outcome
from simulators.provider_calls.call import Call as Delivery
from simulators.recorded_events.__main__ import http_api_event
from testkit.support.template import receivers

RECEIVERS = {webhook: function for function, webhook in receivers().items()}
ASKING = frozenset({"Archive", "Reconcile", "RegisterCaptionsWebhook", "RotateCaptionsSecret"})  # at Captions' API
NOBODY = "nobody"  # the webhook that receives a job's end from the simulated Captions
ASYNCHRONOUS_TRIES = 3
MAX_ATTEMPTS = 8  # attempts for a delivery or a batch, one of which fails: more are a permanent failure
PATIENCE = 60.0  # max seconds until a case must settle
QUIET_SECONDS = 0.25  # seconds without work, after all jobs have settled
MEANWHILE_SECONDS = 6.0  # seconds without work, before that: longer than the archive's longest pause


@dataclass(frozen=True)
class Ending:
    """The expected stages of a scenario's jobs, by provider and id; an action after each attempt of the archive, if
    any; and a periodic one until they settle."""

    jobs: Mapping[tuple[str, str], str]
    after_try: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None


type Scenario = Callable[["CaseRunner"], Ending]


@dataclass
class CaseRunner:
    """A running case. `acknowledged`: the ids of the events that were answered 200. `loses_media`: the number of
    messages for the archive that are dropped."""

    account: Account
    functions: Lambda
    slot: Slot
    case: str
    acknowledged: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    loses_media: int = 0
    _after_try: Callable[[], None] = lambda: None
    _under_way: set[str] = field(default_factory=set)
    _announced: dict[tuple[str, str], int] = field(default_factory=dict)

    def job(self, name: str = "job") -> str:
        """A job id of this case."""
        return f"{self.case}{name}"

    def link(self, name: str, medium: str, fault: str | None = None) -> str:
        """A signed link to a medium of this case."""
        return self.account.apis.host.url(f"/{self.case}{name}/{medium}", fault=fault)

    def invoke(self, name: str, event: Any, **own: str) -> Outcome:
        """Invoke a function once; `own` overrides the stack's environment."""
        if name in ASKING:
            self.account.make_room()
        function = self.account.functions[name]
        environment = {**function.environment, **own}
        outcome = self.functions.invoke(replace(function, environment=environment), event, self.slot)
        if outcome.seconds > function.seconds:
            self.problems.append(f"{name} took {outcome.seconds:.0f} s of {function.seconds:.0f}")
        return outcome

    def until_done(self, tries: int, name: str, event: Any, **own: str) -> bool:
        """Invoke it until it succeeds, with a max number of attempts; a problem if it never does."""
        done = any(self.invoke(name, event, **own).done for _ in range(tries))
        if not done:
            self.problems.append(f"{name} never succeeded")
        return done

    def deliver(self, delivery: Delivery, *, again: bool = True) -> None:
        """Deliver as a provider does: with retries until the response is 200, if it is a provider that retries."""
        name = RECEIVERS[delivery.webhook]
        event = http_api_event(delivery, datetime.now(UTC))
        for _ in range(MAX_ATTEMPTS if again else 1):
            outcome = self.invoke(name, event)
            if outcome.error:
                self.problems.append(f"{name} raised {outcome.error}")
            if outcome.done and outcome.result["statusCode"] == 200:
                event_id = sha256(f"{delivery.webhook}\n".encode() + delivery.body).hexdigest()
                if json.loads(outcome.result["body"])["event_id"] != event_id:
                    self.problems.append("acknowledged with another id than that of its content")
                self.acknowledged.add(event_id)
                return
            if outcome.done and outcome.result["statusCode"] != 503:
                self.problems.append(f"answered {outcome.result['statusCode']}")
        if again:
            self.problems.append("a delivery was never acknowledged")

    def submit(self, full_name: str, job_id: str) -> None:
        """Submit a job as the owner's app does, by an event on the bus, for a webhook that will report its end. Lambda
        makes three attempts for an asynchronous invocation."""
        provider, webhook = full_name.split("/")
        detail = {"provider": provider, "webhook": webhook, "job_id": job_id}
        notice = {"source": "owners.app", "detail-type": "Job Submitted", "id": self.case, "detail": detail}
        self.until_done(ASYNCHRONOUS_TRIES, "Track", notice)

    def sweep(self) -> None:
        """Run reconcile as the schedule does: after a failure the next run continues."""
        self.until_done(MAX_ATTEMPTS, "Reconcile", {})

    def quieten(self) -> None:
        """Process all pending work."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if works := self._due():
                self._do(works)
                quiet_since = time.monotonic()

    def live(self, scenario: Scenario, target: Call | None, fault: Fault | None) -> None:
        """Run the scenario, and process its work until all jobs settle."""
        self.slot.begin(target, fault)
        ending = scenario(self)
        self._after_try = ending.after_try
        deadline = time.monotonic() + PATIENCE
        quiet_since = time.monotonic()
        while time.monotonic() < deadline:
            if works := self._due():
                self._do(works)
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > QUIET_SECONDS and self._rests(ending):
                return
            elif time.monotonic() - quiet_since > MEANWHILE_SECONDS:
                ending.meanwhile()
                quiet_since = time.monotonic()
        self.problems.append(f"did not settle: {[self.account.job(*job) for job in ending.jobs]}")

    def _due(self) -> list[Work]:
        works = []
        try:
            works.append(self.account.work[self.case].get(timeout=0.05))
            while True:
                works.append(self.account.work[self.case].get_nowait())
        except Empty:
            return works

    def _rests(self, ending: Ending) -> bool:
        if self._under_way:
            return False
        rows = {job: self.account.job(*job) for job in ending.jobs}
        return all(
            rows[job].get("stage") == stage and self._announced.get(job) == rows[job]["version"]
            for job, stage in ending.jobs.items()
            if stage
        )

    def _do(self, works: list[Work]) -> None:
        by_function: dict[str, list[dict[str, Any]]] = {}
        for work in works:
            by_function.setdefault(work.function, []).append(work.record)
        for message in by_function.pop("Archive", ()):
            self._archive(message)
        for name, records in by_function.items():
            self._hand_over(name, records)

    def _hand_over(self, name: str, records: list[dict[str, Any]]) -> None:
        """Pass a batch like Lambda's stream poller: the whole batch again until it succeeds."""
        self.until_done(MAX_ATTEMPTS, name, {"Records": records})
        if name == "Announce":
            for record in records:
                image = record["dynamodb"]["NewImage"]
                if "version" in image:
                    _, provider, job_id = image["pk"]["S"].split("#", 2)
                    self._announced[provider, job_id] = int(image["version"]["N"])

    def _archive(self, message: dict[str, Any]) -> None:
        """Process messages like Lambda's queue poller: a reported message, or one of a killed process, becomes visible
        again after its timeout."""
        if self.loses_media:
            self.loses_media -= 1
            self.account.archived(message)
            return
        self._under_way.add(message["MessageId"])
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": message["Attributes"]["ApproximateReceiveCount"]},
        }
        outcome = self.invoke("Archive", {"Records": [record]})
        if outcome.done and not outcome.result["batchItemFailures"]:
            self.account.archived(message)
            self._under_way.discard(message["MessageId"])
        elif not outcome.done:
            self.account.time_is_over(message)
        if int(record["attributes"]["ApproximateReceiveCount"]) >= self.account.max_receives:
            self._under_way.discard(message["MessageId"])  # it is in the dead-letter queue now
        self._after_try()
