"""AWS fails between a function and its services: lost, refused or interrupted calls are repeated, and nothing is left
half done.

The faults are microburst's, a proxy that answers as AWS does. The functions keep their identities and permissions.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from local import ports
from local.stack import Stack
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from testkit.fixtures.account_reader import Owner, medium
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Answer, Providers
from testkit.support.functions import start_anew
from testkit.support.wait import STALL, wait_for

BEHIND_THE_PROXY = ("CaptionsCreator", "Advance", "Announce", "Archive")
LOST_ANSWER = {"response": {"abort_frac": 0.0}, "times": 1}  # the call takes effect, and the connection is cut

type Rule = dict[str, Any]

REFUSALS: dict[str, Rule] = {
    "throttled": {"error": {"code": "ProvisionedThroughputExceededException"}},
    "broken": {"error": {"code": "InternalServerError", "status": 500}},
    "cut-off": {"reset": True},
}


class Faults:
    """The faults that the proxy adds to the functions' calls."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def rules(self, *rules: Rule) -> Iterator[None]:
        """Matching calls fail as their rule says, until the context ends. Each rule must have been used."""
        self._ask("DELETE", "fired")
        self._ask("POST", "rules", json=list(rules))
        try:
            yield
        finally:
            self._ask("POST", "rules", json=[])
        assert len({event["rule_id"] for event in self._ask("GET", "fired")}) == len(rules)

    def _ask(self, method: str, what: str, **content: Any) -> Any:
        answer = urllib3.request(method, f"{self.url}/_microburst/{what}", timeout=STALL, **content)
        assert answer.status == 200, answer.data
        return answer.json()


@pytest.fixture(scope="module")
def faults(stack: Stack) -> Iterator[Faults]:
    """The proxy, with some of the functions behind it."""
    port = ports.free()
    command = [sys.executable, "-m", "microburst", "--port", str(port), "--upstream", stack.aws.endpoint_url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
        wait_for("the proxy listens", lambda: ports.is_taken(port), bool)
        url = f"http://127.0.0.1:{port}"
        start_anew(stack, BEHIND_THE_PROXY, HTTP_PROXY=url)
        yield Faults(url)
        start_anew(stack, BEHIND_THE_PROXY, HTTP_PROXY=None)
        proxy.terminate()


def put_of_event(job_id: str, **fault: Any) -> Rule:
    """A rule about the put of a job's event row."""
    body = f"starts_with(Item.sk.S, 'event#') && ends_with(Item.pk.S, '{job_id}')"
    return {"service": "dynamodb", "operation": "PutItem", "body": body, **fault}


def call(name: str, providers: Providers, *, detail: str = "", medium_name: str = "operation.mp4") -> Call:
    """A Captions operation that succeeded; with a detail, one that failed."""
    job_id = providers.job(name)
    if detail:
        body = f'{{"event":"creator.failure","operationId":"{job_id}","detail":"{detail}"}}'.encode()
        return providers.proven("captions/creator", body, job_id=job_id)
    return captions_creator("success", job_id, providers.captions, url=providers.link(job_id, medium_name))


class TestReceiving:
    def test_while_no_secret_could_be_read_an_authentic_call_is_503_and_never_401(
        self, faults: Faults, providers: Providers
    ) -> None:
        """The first test: the function has just restarted behind the proxy and has read no secret."""
        early = call("no-secret", providers)
        broken = {"error": {"code": "InternalServiceError", "status": 500}}
        with faults.rules({"service": "secretsmanager", **broken}):
            answers = [self.answered(providers, early) for _ in range(3)]
        assert {(answer.status, answer.result) for answer in answers} == {(503, "not_stored")}
        assert providers.send(early).result == "recorded"

    def answered(self, providers: Providers, call: Call) -> Answer:
        """The function's response. The emulator has its own 5xx for a function that starts too slowly."""

        def is_its_own(answer: Answer) -> bool:
            return answer.status < 500 or answer.result == "not_stored"

        return wait_for("the function answers", lambda: providers.send_once(call), is_its_own)

    def test_a_put_whose_answer_was_lost_is_recorded_and_no_duplicate(
        self, faults: Faults, providers: Providers, owner: Owner
    ) -> None:
        lost = call("lost-answer", providers)
        with faults.rules(put_of_event(lost.job_id, **LOST_ANSWER)):
            answer = providers.send_once(lost)
        assert (answer.status, answer.result) == (200, "recorded")
        assert len(owner.events("captions", lost.job_id, "webhook")) == 1
        assert providers.send(lost).result == "duplicate"

    @pytest.mark.parametrize("name", REFUSALS)
    def test_a_failed_put_is_503_without_a_row_and_the_retry_is_recorded(
        self, name: str, faults: Faults, providers: Providers, owner: Owner
    ) -> None:
        refused = call(name, providers)
        with faults.rules(put_of_event(refused.job_id, **REFUSALS[name])):
            answer = providers.send_once(refused)
        assert (answer.status, answer.body) == (503, {"error": "not_stored"})
        assert int(answer.headers["retry-after"]) > 0
        assert owner.rows(f"job#captions#{refused.job_id}") == []
        assert providers.send(refused).result == "recorded"

    def test_a_large_body_that_the_bucket_does_not_take_leaves_no_row_that_points_to_it(
        self, faults: Faults, providers: Providers, owner: Owner
    ) -> None:
        # hex of incompressible bytes: over 300 KB remain
        noise = providers.host.media["large.mp4"].content[-400_000:].hex()
        large = call("refused-large", providers, detail=noise)
        with faults.rules({"service": "s3", "operation": "PutObject", "error": {"code": "SlowDown", "status": 503}}):
            answer = providers.send_once(large)
        assert (answer.status, answer.body) == (503, {"error": "not_stored"})
        assert owner.rows(f"job#captions#{large.job_id}") == []
        assert providers.send(large).result == "recorded"


class TestWhatFollows:
    def test_a_merge_whose_answer_was_lost_is_done_once(
        self, faults: Faults, providers: Providers, owner: Owner
    ) -> None:
        merged = call("lost-merge", providers, detail="-")
        body = f"Item.sk.S == 'job' && ends_with(Item.pk.S, '{merged.job_id}')"
        rule = {"service": "dynamodb", "operation": "PutItem", "body": body, **LOST_ANSWER}
        with faults.rules(rule):
            assert providers.send(merged).result == "recorded"
            row = owner.resting("captions", merged.job_id)
        assert row["version"] == 1

    def test_events_that_the_bus_rejects_are_published_later(
        self, faults: Faults, providers: Providers, listener: Listener
    ) -> None:
        unpublished = call("untold", providers, detail="-")
        throttled = {"error": {"code": "ThrottlingException"}, "times": 3}  # all calls of one attempt
        with faults.rules({"service": "events", "operation": "PutEvents", **throttled}):
            assert providers.send(unpublished).result == "recorded"
            listener.hears(unpublished.job_id, "Job Settled")

    def test_an_object_whose_completion_was_not_answered_is_there_once_with_its_receipt(
        self, faults: Faults, providers: Providers, owner: Owner
    ) -> None:
        stored = call("lost-completion", providers, medium_name="large.mp4")
        # The call that begins the upload has no condition. The archive sends the parts over its own connections.
        with faults.rules({"service": "s3", "headers": {"If-None-Match": "*"}, **LOST_ANSWER}):
            assert providers.send(stored).result == "recorded"
            output = medium(owner.resting("captions", stored.job_id), "output")
        assert owner.object(output["key"], output["version_id"])[0] == providers.host.media["large.mp4"].content
        assert owner.versions(output["key"]) == [output["version_id"]]
        assert owner.open_uploads(f"media/captions/{stored.job_id}/") == []
