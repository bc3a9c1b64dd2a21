"""The stories of what nobody tells: jobs that are tracked and asked about, calls that fail and never come again.

Each is told until its fault has been met, a few times at most: a sweep of another case may have done the work before.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from boto3.dynamodb.types import TypeSerializer

from local.callers import captions_creator, sync_generation
from proof.faults.life import Ending, Life, Story

QUIET_SECONDS = 1.2  # a little more than what the stack's reconcile takes for too long
MOST_JOBS = 4
NEVER_AGAIN = "never again"


def until_met(life: Life, one: Callable[[str], None]) -> dict[tuple[str, str], str]:
    """Do something with one job after the other until the fault has been met; where the jobs come to rest."""
    jobs = {}
    for number in range(MOST_JOBS):
        name = f"job{number}"
        one(name)
        jobs["sync", life.job(name)] = "settled"
        if life.slot.target is None or life.slot.fired:
            break
    return jobs


def tracked(life: Life) -> Ending:
    """The owner's app says that it was submitted; nobody says that it is done."""

    def one(name: str) -> None:
        life.account.apis.sync.job(life.job(name))
        life.submit("sync", "generation", life.job(name))
        life.quieten()
        life.account.apis.sync.job(life.job(name)).completes("generation.mp4")
        time.sleep(QUIET_SECONDS)
        life.sweep()
        life.quieten()

    return Ending(until_met(life, one))


def unheard(life: Life) -> Ending:
    """Nobody says anything; the provider's list of the newest jobs has it."""

    def one(name: str) -> None:
        life.account.apis.sync.job(life.job(name)).completes("generation.mp4")
        life.sweep()
        life.quieten()

    return Ending(until_met(life, one))


def never_again(life: Life) -> Ending:
    """The provider calls, and where that fails, never again."""
    api, secret = life.account.apis.sync, life.account.secrets["sync/signing"]
    api.job(life.job()).completes("generation.mp4")
    url = api.links.url(life.job(), "generation.mp4")
    life.deliver(sync_generation("completed", life.job(), secret, output_url=url), again=False)
    life.quieten()
    time.sleep(QUIET_SECONDS)
    life.sweep()
    return Ending({("sync", life.job()): "settled"})


def stuck(life: Life) -> Ending:
    """The message that a medium was found is lost; not the one of a sweep, which may be another case's."""
    url = life.link("job", "operation.mp4")
    life.loses_media = 1
    life.deliver(captions_creator("success", life.job(), life.account.secrets["captions/signing"], url=url))
    life.quieten()
    time.sleep(QUIET_SECONDS)
    life.sweep()
    return Ending({("captions", life.job()): "settled"})


def silent(life: Life) -> Ending:
    """A job of two days ago, of which the provider knows nothing."""
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
    return Ending({("sync", life.job()): "attention"})


def strange_notice(life: Life) -> Ending:
    """A notice that names no webhook of a provider's."""
    life.submit("sync", "none of theirs", life.job())
    return Ending({})


UNHEARD: dict[str, Story] = {
    "tracked": tracked,
    "unheard": unheard,
    NEVER_AGAIN: never_again,
    "stuck": stuck,
    "silent": silent,
    "strange notice": strange_notice,
}
