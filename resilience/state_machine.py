"""One job in any interleaving: deliveries, forged and repeated ones, polls, archive attempts, secret rotations, the
streams' records in any order and repeated, replays. After each step the row must match the model.

The receivers are real, on moto's AWS; the results of polls and attempts are written to the table as the functions do.
The tests and the proof both use `run`.
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import boto3
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dailies import timestamps
from dailies.aws.table import Table
from dailies.jobs import links
from dailies.jobs.announcements import announcements, media_found
from dailies.jobs.models import Event, Job, MediaState, Receipt, content_digest
from dailies.jobs.rows import event_item
from dailies.providers import every_provider
from dailies.providers.contract import Webhook
from dailies.steps.advance import advance
from dailies.steps.receive import receiver
from resilience.state_model import Attempted, Checked, JobModel, Reported
from simulators.provider_calls import every_sample
from simulators.provider_calls.sample import Order
from testkit.fixtures.aws import SECRET, TABLE, Cloud, Context
from testkit.support.recorded_events import event as recorded
from testkit.support.recorded_events import outcomes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Body = dict[str, Any]

# Each provider's possible reports: its word, our status, the roles of the named media. Providers that are not listed
# use their samples.
WORDS: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "sync": [
        ("PENDING", "pending", ()),
        ("PROCESSING", "processing", ()),
        ("COMPLETED", "completed", ("output",)),
        ("COMPLETED", "completed", ("output", "segment")),
        ("FAILED", "failed", ()),
        ("UPSCALING", "unknown", ()),
    ],
    "creatify": [
        ("image_generated", "completed", ("photo",)),
        ("video_generating", "processing", ("photo",)),
        ("video_generated", "completed", ("photo", "video")),
        ("failed", "failed", ()),
    ],
    "captions": [("creator.success", "completed", ("output",)), ("creator.failure", "failed", ())],
}
FIELDS = {
    "sync": {"output": "outputUrl", "segment": "segmentOutputUrl"},
    "creatify": {"photo": "generated_photo_url", "video": "generated_video_url"},
    "captions": {"output": "url"},
}
HOOKS = {name: provider.webhooks[0] for name, provider in every_provider().items()}
SAMPLES = {name: every_sample()[webhook.full_name] for name, webhook in HOOKS.items()}
for _name in HOOKS.keys() - WORDS.keys():
    WORDS[_name] = [(word, case.status, case.media) for word, case in SAMPLES[_name].cases.items()]
REQUESTS = {name: outcomes(webhook)[0] for name, webhook in HOOKS.items()}
TALLY: Counter[str] = Counter()
"""What was done, over all machines: for the proof's figures."""


class OneJob(RuleBasedStateMachine):
    """A drawn job of one provider."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self.cloud = cloud
        self.table = Table(cloud.dynamodb, TABLE)
        self.job_id = uuid4().hex
        self.facts: dict[str, list[Reported | Attempted | Checked]] = {}
        self.stream: list[Event] = []
        self.merged: set[str] = set()
        self.changes: list[tuple[Job | None, Job]] = []
        self.told: dict[str, tuple[str, str]] = {}
        self.sent: list[tuple[str, bytes]] = []
        self.secrets: list[str] = []
        self.ticks = count()

    @initialize(provider=st.sampled_from(sorted(WORDS)))
    def of_a_provider(self, provider: str) -> None:
        """The first step: choose the provider."""
        self.webhook: Webhook = HOOKS[provider]
        self.rotate()

    # ---- Outside events
    # -------------------------------------------------------------------------------------------------

    @rule(word=st.integers(0, 5), path=st.sampled_from("ab"), remark=st.integers(0, 1), minute=st.integers(0, 3))
    def deliver(self, word: int, path: str, remark: int, minute: int) -> None:
        """A delivery, or a retry."""
        body, told = self._said(word, path, remark, minute)
        self._send(self.secrets[-1], json.dumps(body).encode(), told)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0), pad=st.booleans())
    def deliver_forged(self, which: int, pad: bool) -> None:
        """A forged delivery: signed with a foreign or an expired secret, or with other bytes than the signed ones."""
        _, body = self.sent[which % len(self.sent)]
        theirs = self.secrets[-3] if len(self.secrets) > 2 else "whsec_theirs"
        before = set(self.table.events(self.webhook.provider, self.job_id))
        altered = b"" if SAMPLES[self.webhook.provider].shows_secret or not pad else body + b" "
        assert self._call(theirs if not altered else self.secrets[-1], body, altered)[0] == 401
        assert set(self.table.events(self.webhook.provider, self.job_id)) == before
        TALLY["forged"] += 1

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0), previous=st.booleans())
    def deliver_again(self, which: int, previous: bool) -> None:
        """A retry, signed with the current or the previous secret."""
        _, body = self.sent[which % len(self.sent)]
        secret = self.secrets[-2] if previous and len(self.secrets) > 1 else self.secrets[-1]
        assert self._call(secret, body)[1] == "duplicate"
        TALLY["duplicates"] += 1

    @rule()
    def rotate(self) -> None:
        """The owner changes the secret; the functions restart, and the previous secret is still valid."""
        self.secrets.append(f"whsec_{uuid4().hex}")
        self.cloud.set_secret(self.secrets[-1])
        environment = {**self.cloud.environment, "SIGNING_SECRET_ID": SECRET}
        self.handler = receiver(self.webhook, environment, boto3.client)
        TALLY["rotations"] += 1

    # ---- Results of polls and attempts
    # ----------------------------------------------------------------------------------

    @rule(word=st.integers(0, 5), path=st.sampled_from("ab"), against=st.sampled_from([None, "", "it says failed"]))
    def poll(self, word: int, path: str, against: str | None) -> None:
        """Reconcile has polled the job; or the archive has, to confirm an unsigned delivery."""
        body, told = self._said(word, path, 0, 9)
        report = replace(self.webhook.parse(json.dumps(body).encode()), job_id=self.job_id)
        is_update = told.status in ("completed", "failed", "canceled")
        event = self._event("poll", {"n": next(self.ticks)}, report, contradiction=against)
        self._put(
            event, [replace(told, at=event.received_at, is_update=is_update), Checked(event.received_at, against)]
        )

    @precondition(lambda self: self.facts)
    @rule()
    def give_silence_a_name(self) -> None:
        """Reconcile marks a job without updates as overdue."""
        event = self._event("poll", {"n": next(self.ticks)}, silent=True)
        self._put(
            event, [Reported(event.received_at, "unknown", is_update=False), Checked(event.received_at, silent=True)]
        )

    @rule(
        role=st.integers(0, 1),
        path=st.sampled_from("ab"),
        state=st.sampled_from(["archived", "lost", "failed", "pending"]),
    )
    def try_medium(self, role: int, path: str, state: MediaState) -> None:
        """The archive has tried a medium, one that was found or (the row that found it has expired) not."""
        roles = sorted(FIELDS[self.webhook.provider])
        medium = (roles[role % len(roles)], links.media_id(self._link(roles[role % len(roles)], path)))
        stored = {"key": f"{medium[0]}-{medium[1]}", "version_id": "v1", "bytes": 1} if state == "archived" else {}
        receipt = Receipt(role=medium[0], media_id=medium[1], state=state, at=timestamps.now(), **stored)  # type: ignore[arg-type]
        event = replace(self._event("archive", {"n": next(self.ticks)}, receipt=receipt), received_at=receipt.at)
        self._put(event, [Attempted(event.received_at, medium, state)])

    # ---- Records of the streams
    # -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.stream)
    @rule(which=st.integers(0), again=st.booleans())
    def advance(self, which: int, again: bool) -> None:
        """A stream record of any row, which may be repeated later."""
        event = self.stream[which % len(self.stream)]
        if not again:
            self.stream.remove(event)
        self._merge(event)

    @precondition(lambda self: self.changes)
    @rule(again=st.booleans())
    def announce(self, again: bool) -> None:
        """The next change of the row, which may be repeated later."""
        before, job = self.changes[0]
        for announcement in (*media_found(before, job), *announcements(before, job)):
            what = (announcement.detail_type, ",".join(medium["media_id"] for medium in announcement.detail["media"]))
            assert self.told.setdefault(announcement.detail["id"], what)[0] == announcement.detail_type
            TALLY["announcements"] += 1
        if not again:
            self.changes.pop(0)

    @precondition(lambda self: self.merged)
    @rule(seed=st.integers(0, 9))
    def replay(self, seed: int) -> None:
        """The owner merges all recorded events of the job again, in any order."""
        events = list(self.table.events(self.webhook.provider, self.job_id))
        Random(seed).shuffle(events)
        for event in events:
            self._merge(event)
        self.stream.clear()
        TALLY["replays"] += 1

    # ---- Invariants
    # -----------------------------------------------------------------------------------------------------

    @invariant()
    def the_row_is_what_the_model_says(self) -> None:
        """The row matches the model of all merged events."""
        if not self.merged:
            return
        facts = [fact for event_id in self.merged for fact in self.facts[event_id]]
        model = JobModel(
            [fact for fact in facts if isinstance(fact, Reported)],
            [fact for fact in facts if isinstance(fact, Attempted)],
            [fact for fact in facts if isinstance(fact, Checked)],
        )
        job = self.table.job(self.webhook.provider, self.job_id)
        assert job
        assert job.status == model.status
        assert {(medium.role, medium.media_id): medium.state for medium in job.media} == model.media
        assert job.stage == model.stage
        assert job.first_seen_at == min(fact.at for fact in facts)
        assert job.credits == max((t.credits for t in model.told if t.credits is not None), default=None)
        TALLY["agreed"] += 1

    def teardown(self) -> None:
        """At the end, everything is merged and announced."""
        while self.stream:
            self.advance(0, again=False)
        while self.changes:
            self.announce(again=False)
        if not self.merged:
            return
        self.the_row_is_what_the_model_says()
        job = self.table.job(self.webhook.provider, self.job_id)
        assert job
        rows = {event.event_id for event in self.table.events(self.webhook.provider, self.job_id)}
        assert rows == self.facts.keys()  # every acknowledged delivery, and nothing forged
        told = Counter(self.told.values())
        assert {media for kind, media in told if kind == "Media Archived"} == {
            medium.media_id for medium in job.media if medium.state == "archived"
        }
        assert all(times == 1 for (kind, _), times in told.items() if kind == "Media Archived")
        rests = {"settled": "Job Settled", "attention": "Job Needs Attention"}
        assert job.stage not in rests or rests[job.stage] in {kind for kind, _ in told}
        TALLY["jobs"] += 1

    # ---- Helpers
    # ---------------------------------------------------------------------------------------------------------

    def _link(self, role: str, path: str) -> str:
        return f"https://h.example/{self.job_id}/{role}-{path}.mp4?X-Amz-Signature={len(self.facts)}"

    def _said(self, word: int, path: str, remark: int, minute: int) -> tuple[Body, Reported]:
        """A provider's body, and its facts. A link keeps its signature as long as there is no update."""
        provider = self.webhook.provider
        words = WORDS[provider]
        spelled, status, roles = words[word % len(words)]
        told = Reported("", status, links=tuple((role, links.media_id(self._link(role, path))) for role in roles))
        if provider not in FIELDS:
            linked = {role: self._link(role, path) for role in roles}
            body = json.loads(SAMPLES[provider].body(Order(spelled, self.job_id, self.secrets[-1], linked)))
            return {**body, "remark": remark}, told
        urls = {FIELDS[provider][role]: self._link(role, path) for role in roles}
        match provider:
            case "captions":
                body = {"event": spelled, "operationId": self.job_id, "creditsSpent": remark, **urls}
                return body, replace(told, credits=remark)
            case "creatify":
                at = f"2026-01-15T10:3{minute}:00.000000"
                body = {"id": self.job_id, "status": spelled, "updated_at": f"{at}+00:00", "remark": remark, **urls}
                return body, replace(told, clock=f"{at}Z")
            case _:
                return {"id": self.job_id, "status": spelled, "remark": remark, **urls}, told

    def _call(self, secret: str, body: bytes, altered: bytes = b"") -> tuple[int, str]:
        request = recorded(REQUESTS[self.webhook.provider])
        sample = SAMPLES[self.webhook.provider]
        proof = sample.prove(body, secret, datetime.now(UTC))
        request["headers"] |= {name.lower(): value for name, value in proof.items()}
        if sample.in_path:
            request["pathParameters"] = {"token": secret}
        request["body"] = (altered or body).decode()
        answer = self.handler(request, cast("LambdaContext", Context(uuid4().hex)))
        said = json.loads(answer["body"])
        return answer["statusCode"], said.get("event_id") if said.get("result") == "recorded" else next(
            iter(said.values())
        )

    def _send(self, secret: str, body: bytes, told: Reported) -> None:
        before = len(self.facts)
        status, result = self._call(secret, body)
        assert status == 200
        if result == "duplicate":
            assert body in [sent for _, sent in self.sent]
            return
        (event,) = [e for e in self.table.events(self.webhook.provider, self.job_id) if e.event_id == result]
        self.sent.append((secret, body))
        self.facts[result] = [replace(told, at=event.received_at)]
        self.stream.append(event)
        assert len(self.facts) == before + 1
        TALLY["deliveries"] += 1

    def _event(self, origin: Any, content: Body, report: Any = None, **more: Any) -> Event:
        known: dict[str, Any] = {
            "event_id": content_digest(origin, {"job_id": self.job_id, **content}),
            "provider": self.webhook.provider,
            "webhook": self.webhook.name,
            "origin": origin,
            "received_at": timestamps.now(),
            **more,
        }
        if report:
            return Event.of(report, **known)
        return Event(job_id=self.job_id, status="unknown", provider_status="", **known)

    def _put(self, event: Event, facts: list[Reported | Attempted | Checked]) -> None:
        assert self.table.put_once(event_item(event, expires_at=2_000_000_000), written_by="the machine")
        self.facts[event.event_id] = facts
        (stored,) = [e for e in self.table.events(event.provider, event.job_id) if e.event_id == event.event_id]
        self.stream.append(stored)
        TALLY[f"{event.origin} events"] += 1

    def _merge(self, event: Event) -> None:
        before = self.table.job(event.provider, event.job_id)
        after = advance(self.table, event)
        stored = self.table.job(event.provider, event.job_id)
        assert stored
        assert replace(stored, version=after.version) == after
        if before != stored:
            self.changes.append((before, stored))
        self.merged.add(event.event_id)
        TALLY["merges"] += 1


def run(cloud: Cloud, *, machines: int, steps: int) -> None:
    """Run at most `machines` machines of at most `steps` steps."""
    rules = settings(
        max_examples=machines,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(cast("Any", lambda: OneJob(cloud)), settings=rules)
