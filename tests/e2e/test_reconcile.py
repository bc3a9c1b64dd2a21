"""Jobs whose deliveries are lost: tracked on submission, polled, archived and settled.

All providers have credentials here, and send no webhooks. Hundreds of other jobs wait beside: they are polled within
the providers' rate limits.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from dailies import timestamps
from dailies.aws.table import Table
from dailies.providers import every_provider
from dailies.steps.advance import advance
from dailies.steps.track import submitted_event
from local.stack import Stack
from simulators.provider_apis import LOST, ProviderApis
from simulators.provider_apis.exchange import Request
from simulators.provider_calls.creatify import creatify_product_to_videos
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.captions_stack import make_room
from testkit.fixtures.provider_client import NOT_SET, Providers
from testkit.support.functions import logged, set_api_secrets, start_anew
from testkit.support.wait import wait_for

WEBHOOK = {"sync": "generation", "creatify": "product_to_videos", "captions": "creator"}
MEDIA = {"sync": {"output"}, "creatify": {"photo", "video"}, "captions": {"output"}}
WAITING = {"sync": 120, "creatify": 210, "captions": 10}  # Creatify's page holds a hundred
UNLISTED = {"sync": 20, "creatify": 110, "captions": 0}  # jobs that the provider's list of the newest leaves out
PROVIDERS = every_provider()
BEGINS: dict[str, Callable[[ProviderApis, str], object]] = {
    "sync": lambda apis, job_id: apis.sync.job(job_id),
    "creatify": lambda apis, job_id: apis.creatify.job(job_id),
    "captions": lambda apis, job_id: apis.captions.job(job_id),
}
COMPLETES: dict[str, Callable[[ProviderApis, str], object]] = {
    "sync": lambda apis, job_id: apis.sync.job(job_id).completes(),
    "creatify": lambda apis, job_id: apis.creatify.job(job_id).completes(),
    "captions": lambda apis, job_id: apis.captions.job(job_id).completes(),
}


@dataclass
class Reconcile:
    """The stack's reconcile function, and the providers that it polls."""

    stack: Stack
    apis: ProviderApis
    providers: Providers
    crowd: dict[str, list[str]] = field(default_factory=dict)
    invoked: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)

    def submit(self, provider: str, job_id: str) -> None:
        """The owner's application publishes to the bus."""
        detail = {"provider": provider, "webhook": WEBHOOK[provider], "job_id": job_id}
        answer = self.stack.aws.events.put_events(
            Entries=[
                {
                    "EventBusName": self.stack.outputs["BusName"],
                    "Source": "owners.app",
                    "DetailType": "Job Submitted",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        assert not answer["FailedEntryCount"]

    def poll(self) -> None:
        """Run the polling once, now."""
        answer = self.stack.aws.functions.invoke(FunctionName=self.stack.functions["Reconcile"], Payload=b"{}")
        self.invoked.add(answer["ResponseMetadata"]["RequestId"])
        assert answer.get("FunctionError") is None

    def asked(self, provider: str) -> list[Request]:
        return [request for request in self.apis.requests if request.provider == provider]

    def polled_singly(self) -> set[str]:
        """The waiting Sync jobs that were polled one by one."""
        paths = {request.path for request in self.asked("sync")}
        return {job_id for job_id in self.crowd["sync"] if f"/v2/generate/{job_id}" in paths}

    def runs(self) -> set[str]:
        """The request ids of all finished polling runs."""
        lines = logged(self.stack, "Reconcile", 0)
        return {found[1] for line in lines if (found := re.match(r"END RequestId: (\S+)", line))}


@pytest.fixture(scope="module")
def reconciles(stack: Stack, stack_apis: ProviderApis, providers: Providers) -> Iterator[Reconcile]:
    apis = (stack_apis.sync, stack_apis.creatify, stack_apis.captions)
    for api in apis:
        api.callbacks.are(LOST)
    made = Reconcile(stack, stack_apis, providers)
    providers.ever_secret |= {value for api in apis for value in api.credentials.values()}
    set_api_secrets(stack, {api.part.provider: json.dumps(api.credentials) for api in apis})
    start_anew(stack, ["Reconcile"], RECONCILE_QUIET_SECONDS="1")
    stack_apis.clock.forward(61)  # other tests' use of Captions' rate limit is over, at the provider and here
    make_room(stack.aws, stack.outputs["TableName"])
    stack_apis.requests.clear()
    yield made
    set_api_secrets(stack, dict.fromkeys(WEBHOOK, NOT_SET))  # before a scheduled run reads them again
    start_anew(stack, ["Reconcile"], RECONCILE_QUIET_SECONDS="0")


@pytest.mark.parametrize("provider", WEBHOOK)
def test_a_job_without_a_delivery_settles_with_its_media_within_two_runs(
    reconciles: Reconcile, owner: Owner, provider: str
) -> None:
    job_id = reconciles.providers.job(f"unheard-{provider}")
    reconciles.submit(provider, job_id)
    assert owner.resting(provider, job_id, "waiting")["status"] == "pending"
    apis = reconciles.apis
    COMPLETES[provider](apis, job_id)
    time.sleep(1.1)  # RECONCILE_QUIET_SECONDS
    reconciles.poll()
    reconciles.poll()
    row = owner.resting(provider, job_id)
    assert {medium["role"] for medium in row["media"]} == MEDIA[provider]
    assert {medium["state"] for medium in row["media"]} == {"archived"}


def test_an_unknown_finished_job_is_discovered(reconciles: Reconcile, owner: Owner) -> None:
    job_id = reconciles.providers.job("untold")
    reconciles.apis.sync.job(job_id).completes("generation.mp4")
    reconciles.poll()
    assert owner.resting("sync", job_id)["media"][0]["state"] == "archived"


def test_a_forged_call_with_the_right_token_fetches_nothing_and_calls_a_person(
    reconciles: Reconcile, owner: Owner, listener: Listener
) -> None:
    job_id = reconciles.providers.job("forged")
    reconciles.apis.creatify.job(job_id).completes()
    hostile = reconciles.providers.link(job_id, "product.mp4")
    call = creatify_product_to_videos("video_generated", job_id, reconciles.providers.creatify, video_url=hostile)
    assert reconciles.providers.send(call).result == "recorded"
    row = owner.resting("creatify", job_id, "attention")
    assert row["contradiction"] == "the provider's API has another video"
    assert owner.keys(f"media/creatify/{job_id}/") == []
    assert reconciles.providers.host.requests_for(f"/{job_id}/product.mp4") == []
    listener.hears(job_id, "Job Needs Attention")


def test_a_notice_that_names_no_webhook_waits_in_the_failure_queue(reconciles: Reconcile, owner: Owner) -> None:
    job_id = reconciles.providers.job("misnamed")
    reconciles.stack.aws.events.put_events(
        Entries=[
            {
                "EventBusName": reconciles.stack.outputs["BusName"],
                "Source": "owners.app",
                "DetailType": "Job Submitted",
                "Detail": json.dumps({"provider": "sync", "webhook": "generations", "job_id": job_id}),
            }
        ]
    )
    message = owner.message("TrackFailureQueueUrl", lambda body: job_id in body)
    assert message["MessageAttributes"]["reason"]["StringValue"] == "PayloadError"


def _wait_a_while(made: Reconcile) -> None:
    """Hundreds of jobs that were submitted an hour ago; the providers are working on them."""
    jobs = Table(made.stack.aws.dynamodb, made.stack.outputs["TableName"])
    at = timestamps.at(time.time() - 3600)
    for provider, count in WAITING.items():
        made.crowd[provider] = [made.providers.job(f"crowd-{number}") for number in range(count)]
        for number, job_id in enumerate(made.crowd[provider]):
            if number >= UNLISTED[provider] or provider == "creatify":  # its list is a page
                BEGINS[provider](made.apis, job_id)
            detail = {"provider": provider, "webhook": WEBHOOK[provider], "job_id": job_id}
            advance(jobs, submitted_event(detail, PROVIDERS, at=at))


@pytest.fixture(scope="module")
def polled(reconciles: Reconcile) -> Iterator[Reconcile]:
    """After one polling run over the hundreds, or more if one ran out of time. Requests are counted from before the
    jobs exist: a scheduled run may come meanwhile, and does not poll them again so soon.
    """
    reconciles.before = reconciles.runs()
    reconciles.apis.requests.clear()
    reconciles.apis.creatify.page_size = WAITING["creatify"] - UNLISTED["creatify"]
    _wait_a_while(reconciles)

    def run() -> set[str]:
        reconciles.poll()
        return reconciles.polled_singly()

    wait_for("each is asked about", run, set(reconciles.crowd["sync"][: UNLISTED["sync"]]).issubset)
    yield reconciles
    reconciles.apis.creatify.page_size = 0


def test_hundreds_of_waiting_jobs_are_polled_in_few_calls(polled: Reconcile) -> None:
    assert {request.status for request in polled.apis.requests} <= {200, 404}  # no 429
    unlisted = set(polled.crowd["sync"][: UNLISTED["sync"]])
    assert unlisted <= polled.polled_singly()
    # Only those that the list leaves out, unless a run came while they were made.
    assert len(polled.polled_singly()) <= 2 * len(unlisted)
    # Ours, any scheduled ones, and a scheduled one that may still be running.
    runs = len(polled.runs() - polled.before) + 1
    ids = [request.query.get("ids", "").split(",") for request in polled.asked("creatify")]
    of_the_crowd = [some for some in ids if not set(some).isdisjoint(polled.crowd["creatify"])]
    # A hundred each, without those in the list. If a run came while they were made, the list has more of them.
    assert 1 <= len(of_the_crowd) <= 2 * runs
    assert 1 <= len(polled.asked("captions")) <= 5 * runs


def test_each_of_them_within_the_limit_was_polled(polled: Reconcile, owner: Owner) -> None:
    for provider in ("sync", "creatify"):
        ids = polled.crowd[provider]
        wait_for(
            f"{provider} looked after",
            lambda provider=provider, ids=ids: [  # type: ignore[misc]
                job_id for job_id in (*ids[:20], *ids[-20:]) if "reconciled_at" not in owner.job(provider, job_id)
            ],
            lambda left: not left,
        )


def test_those_over_the_limit_are_polled_a_minute_later(polled: Reconcile, owner: Owner) -> None:
    polled.apis.clock.forward(61)  # the provider's minute, and ours
    make_room(polled.stack.aws, polled.stack.outputs["TableName"])
    asked = len(polled.asked("captions"))
    polled.poll()
    assert 1 <= len(polled.asked("captions")) - asked <= 5
    assert 429 not in {request.status for request in polled.asked("captions")}


def test_the_schedule_starts_a_polling_run(polled: Reconcile) -> None:
    """Once a minute here, since the stack was deployed."""
    wait_for("a sweep that nobody here asked for", lambda: polled.runs() - polled.invoked, bool)
