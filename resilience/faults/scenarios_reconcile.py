"""The scenarios of missed webhooks: jobs that are tracked and polled, deliveries that fail and are not retried.

Each repeats with a new job until its fault has occurred, a few times at most: another case's reconcile may have done
the work before. Reconcile runs again and again until all jobs settle, as by its schedule: many cases share a run's
capacity.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from boto3.dynamodb.types import TypeSerializer

from resilience.faults.case_runner import NOBODY, Ending, Life, Story
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_batch, sync_generation

QUIET_SECONDS = 1.2  # a little more than the stack's limit for an overdue job
MAX_JOBS = 4


def until_met(life: Life, one: Callable[[str], dict[tuple[str, str], str]]) -> Ending:
    """Repeat with one job after the other until the fault has occurred: the jobs' expected stages."""
    jobs: dict[tuple[str, str], str] = {}
    for number in range(MAX_JOBS):
        jobs |= one(life.job(f"job{number}"))
        if life.slot.target is None or life.slot.fired:
            break
    return Ending(jobs, meanwhile=life.sweep)


# ---- A provider's view of a finished job: the jobs' expected stages --------------------------------------------------


def _generation(life: Life, job: str) -> dict[tuple[str, str], str]:
    life.account.apis.sync.job(job).completes("generation.mp4")
    return {("sync", job): "settled"}


def _batch(life: Life, job: str) -> dict[tuple[str, str], str]:
    one = f"{job}-one"
    life.account.apis.sync.batch(job).completes({one: "batch-1.mp4"})
    return {("sync", each): "settled" for each in (job, one)}


def _product(life: Life, job: str) -> dict[tuple[str, str], str]:
    life.account.apis.creatify.job(job).completes("product.mp4", "product.png")
    return {("creatify", job): "settled"}


def _operation(life: Life, job: str) -> dict[tuple[str, str], str]:
    life.account.apis.captions.job(job, webhook_id=NOBODY).completes("operation.mp4")
    return {("captions", job): "settled"}


# By the webhooks whose provider has a simulated API.
COMPLETES: dict[str, Callable[[Life, str], dict[tuple[str, str], str]]] = {
    "sync/generation": _generation,
    "sync/batch": _batch,
    "creatify/product_to_videos": _product,
    "captions/creator": _operation,
}
LISTED = frozenset({"sync/generation", "creatify/product_to_videos"})  # by the provider's API, also for an unknown id


def tracked(webhook: str) -> Story:
    """The owner's app reports the submission; no webhook reports the end."""

    def story(life: Life) -> Ending:
        def one(job: str) -> dict[tuple[str, str], str]:
            life.submit(webhook, job)
            life.quieten()
            rests = COMPLETES[webhook](life, job)
            time.sleep(QUIET_SECONDS)
            life.sweep()
            life.quieten()
            return rests

        return until_met(life, one)

    return story


def unheard(webhook: str) -> Story:
    """No one reports the job; the provider's list of the newest jobs has it."""

    def story(life: Life) -> Ending:
        def one(job: str) -> dict[tuple[str, str], str]:
            rests = COMPLETES[webhook](life, job)
            life.sweep()
            life.quieten()
            return rests

        return until_met(life, one)

    return story


def never_again(webhook: str) -> Story:
    """The provider calls, and never retries. If a provider's API has no list of jobs, the job is reported when it is
    submitted: otherwise it could not be found."""

    def story(life: Life) -> Ending:
        if webhook not in LISTED:
            life.submit(webhook, life.job())
            life.quieten()
        rests = COMPLETES[webhook](life, life.job())
        life.deliver(_told(life, webhook), again=False)
        life.quieten()
        time.sleep(QUIET_SECONDS)
        life.sweep()
        return Ending(rests, meanwhile=life.sweep)

    return story


def _told(life: Life, webhook: str) -> Call:
    """The provider's call for the finished job."""
    apis, secrets, job = life.account.apis, life.account.secrets, life.job()
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


def stuck(life: Life) -> Ending:
    """The message about a found medium is lost, except one by reconcile, which may be another case's."""
    url = life.link("job", "operation.mp4")
    life.loses_media = 1
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    life.quieten()
    time.sleep(QUIET_SECONDS)
    life.sweep()
    return Ending({("captions", life.job()): "settled"}, meanwhile=life.sweep)


def silent(life: Life) -> Ending:
    """A job of two days ago that the provider does not know."""
    at = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    row = {
        "pk": f"job#sync#{life.job()}",
        "sk": f"event#{'1' * 64}",
        "event_id": "1" * 64,
        "provider": "sync",
        "webhook": "generation",
        "job_id": life.job(),
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
    life.account.aws.dynamodb.put_item(TableName=life.account.table, Item=item)
    life.quieten()
    life.sweep()
    return Ending({("sync", life.job()): "attention"}, meanwhile=life.sweep)


def strange_notice(life: Life) -> Ending:
    """A notice that names no webhook of any provider."""
    life.submit("sync/none of theirs", life.job())
    return Ending({})


def crowded(life: Life) -> Ending:
    """Creatify's rate limit is exhausted when the link is needed; the medium waits in the queue, and reconcile is
    faster."""
    token, api = life.account.secrets["creatify/token"], life.account.apis.creatify
    api.job(life.job()).has_image("product.png")
    photo = api.links.url(life.job(), "product.png")
    with life.account.without_room("creatify"):
        life.deliver(creatify_product_to_videos("image_generated", life.job(), token, photo_url=photo))
        life.quieten()
    time.sleep(QUIET_SECONDS)
    life.sweep()
    return Ending({("creatify", life.job()): "settled"}, meanwhile=life.sweep)


NEVER_AGAIN: dict[str, Story] = {f"never again {webhook}": never_again(webhook) for webhook in COMPLETES}
UNHEARD: dict[str, Story] = {
    **{f"tracked {webhook}": tracked(webhook) for webhook in COMPLETES},
    **{f"unheard {webhook}": unheard(webhook) for webhook in COMPLETES if webhook in LISTED},
    **NEVER_AGAIN,
    "stuck": stuck,
    "silent": silent,
    "strange notice": strange_notice,
}
CROWDED: dict[str, Story] = {"crowded": crowded}
