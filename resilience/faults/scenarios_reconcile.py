"""The scenarios of missed webhooks: jobs that are tracked and polled, deliveries that fail and are not retried.

Each repeats with a new job until its fault has occurred, a few times at most: another case's reconcile may have done
the work before. Reconcile runs again and again until all jobs settle, as by its schedule: many cases share a run's
capacity.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from boto3.dynamodb.types import TypeSerializer

from resilience.faults.case_runner import NOBODY, CaseRunner, Ending, Scenario
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_batch, sync_generation

QUIET_SECONDS = 1.2  # a little more than the stack's limit for an overdue job
MAX_JOBS = 4


def until_met(runner: CaseRunner, one: Callable[[str], dict[tuple[str, str], str]]) -> Ending:
    """Repeat with one job after the other until the fault has occurred: the jobs' expected stages."""
    jobs: dict[tuple[str, str], str] = {}
    for number in range(MAX_JOBS):
        jobs |= one(runner.job(f"job{number}"))
        if runner.slot.target is None or runner.slot.fired:
            break
    return Ending(jobs, meanwhile=runner.sweep)


# ---- A provider's view of a finished job: the jobs' expected stages --------------------------------------------------


def _generation(runner: CaseRunner, job: str) -> dict[tuple[str, str], str]:
    runner.account.apis.sync.job(job).completes("generation.mp4")
    return {("sync", job): "settled"}


def _batch(runner: CaseRunner, job: str) -> dict[tuple[str, str], str]:
    one = f"{job}-one"
    runner.account.apis.sync.batch(job).completes({one: "batch-1.mp4"})
    return {("sync", each): "settled" for each in (job, one)}


def _product(runner: CaseRunner, job: str) -> dict[tuple[str, str], str]:
    runner.account.apis.creatify.job(job).completes("product.mp4", "product.png")
    return {("creatify", job): "settled"}


def _operation(runner: CaseRunner, job: str) -> dict[tuple[str, str], str]:
    runner.account.apis.captions.job(job, webhook_id=NOBODY).completes("operation.mp4")
    return {("captions", job): "settled"}


# By the webhooks whose provider has a simulated API.
COMPLETES: dict[str, Callable[[CaseRunner, str], dict[tuple[str, str], str]]] = {
    "sync/generation": _generation,
    "sync/batch": _batch,
    "creatify/product_to_videos": _product,
    "captions/creator": _operation,
}
LISTED = frozenset({"sync/generation", "creatify/product_to_videos"})  # by the provider's API, also for an unknown id


def tracked(webhook: str) -> Scenario:
    """The owner's app reports the submission; no webhook reports the end."""

    def scenario(runner: CaseRunner) -> Ending:
        def one(job: str) -> dict[tuple[str, str], str]:
            runner.submit(webhook, job)
            runner.quieten()
            rests = COMPLETES[webhook](runner, job)
            time.sleep(QUIET_SECONDS)
            runner.sweep()
            runner.quieten()
            return rests

        return until_met(runner, one)

    return scenario


def unheard(webhook: str) -> Scenario:
    """No one reports the job; the provider's list of the newest jobs has it."""

    def scenario(runner: CaseRunner) -> Ending:
        def one(job: str) -> dict[tuple[str, str], str]:
            rests = COMPLETES[webhook](runner, job)
            runner.sweep()
            runner.quieten()
            return rests

        return until_met(runner, one)

    return scenario


def never_again(webhook: str) -> Scenario:
    """The provider calls, and never retries. If a provider's API has no list of jobs, the job is reported when it is
    submitted: otherwise it could not be found."""

    def scenario(runner: CaseRunner) -> Ending:
        if webhook not in LISTED:
            runner.submit(webhook, runner.job())
            runner.quieten()
        rests = COMPLETES[webhook](runner, runner.job())
        runner.deliver(_told(runner, webhook), again=False)
        runner.quieten()
        time.sleep(QUIET_SECONDS)
        runner.sweep()
        return Ending(rests, meanwhile=runner.sweep)

    return scenario


def _told(runner: CaseRunner, webhook: str) -> Call:
    """The provider's call for the finished job."""
    apis, secrets, job = runner.account.apis, runner.account.secrets, runner.job()
    match webhook:
        case "sync/generation":
            url = apis.sync.links.url(job, "generation.mp4")
            return sync_generation("completed", job, secrets["sync/signing"], output_url=url)
        case "sync/batch":
            url = apis.sync.batch(job).shown()["outputUrl"]
            return sync_batch("completed", job, secrets["sync/signing"], output_url=url)
        case "creatify/product_to_videos":
            photo, video = (apis.creatify.links.url(job, name) for name in ("product.png", "product.mp4"))
            token, at = secrets["creatify/token"], datetime.fromisoformat(apis.creatify.job(job).shown()["updated_at"])
            return creatify_product_to_videos("video_generated", job, token, photo_url=photo, video_url=video, at=at)
        case _:
            url = apis.captions.links.url(job, "operation.mp4")
            return captions_creator("success", job, secrets["captions/signing"], url=url)


def stuck(runner: CaseRunner) -> Ending:
    """The message about a found medium is lost, except one by reconcile, which may be another case's."""
    url = runner.link("job", "operation.mp4")
    runner.loses_media = 1
    runner.deliver(captions_creator("success", runner.job(), runner.account.secrets["captions/signing"], url=url))
    runner.quieten()
    time.sleep(QUIET_SECONDS)
    runner.sweep()
    return Ending({("captions", runner.job()): "settled"}, meanwhile=runner.sweep)


def silent(runner: CaseRunner) -> Ending:
    """A job of two days ago that the provider does not know."""
    at = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    row = {
        "pk": f"job#sync#{runner.job()}",
        "sk": f"event#{'1' * 64}",
        "event_id": "1" * 64,
        "provider": "sync",
        "webhook": "generation",
        "job_id": runner.job(),
        "status": "pending",
        "provider_status": "",
        "occurred_at": at,
        "clock": "ours",
        "received_at": at,
        "origin": "track",
        "expires_at": int(time.time()) + 86_400,
        "written_by": "the proof",
    }
    write = TypeSerializer().serialize
    item = {name: write(value) for name, value in row.items()}
    runner.account.aws.dynamodb.put_item(TableName=runner.account.table, Item=item)
    runner.quieten()
    runner.sweep()
    return Ending({("sync", runner.job()): "attention"}, meanwhile=runner.sweep)


def strange_notice(runner: CaseRunner) -> Ending:
    """A notice that names no webhook of any provider."""
    runner.submit("sync/none of theirs", runner.job())
    return Ending({})


def crowded(runner: CaseRunner) -> Ending:
    """Creatify's rate limit is exhausted when the link is needed; the medium waits in the queue, and reconcile is
    faster."""
    token, api = runner.account.secrets["creatify/token"], runner.account.apis.creatify
    api.job(runner.job()).has_image("product.png")
    photo = api.links.url(runner.job(), "product.png")
    with runner.account.without_room("creatify"):
        runner.deliver(creatify_product_to_videos("image_generated", runner.job(), token, photo_url=photo))
        runner.quieten()
    time.sleep(QUIET_SECONDS)
    runner.sweep()
    return Ending({("creatify", runner.job()): "settled"}, meanwhile=runner.sweep)


NEVER_AGAIN: dict[str, Scenario] = {f"never again {webhook}": never_again(webhook) for webhook in COMPLETES}
MISSED_WEBHOOKS: dict[str, Scenario] = {
    **{f"tracked {webhook}": tracked(webhook) for webhook in COMPLETES},
    **{f"unheard {webhook}": unheard(webhook) for webhook in COMPLETES if webhook in LISTED},
    **NEVER_AGAIN,
    "stuck": stuck,
    "silent": silent,
    "strange notice": strange_notice,
}
EXHAUSTED_RATE_LIMIT: dict[str, Scenario] = {"crowded": crowded}
