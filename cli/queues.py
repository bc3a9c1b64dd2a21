"""The queues where failed work waits: what is in them and why, and how it is put back to work.

Receiving is at least once, and a message that is looked at shows up again a moment later. All work may be done twice:
what is archived stays, a merge that changes nothing writes nothing, announcements keep their ids. So work is done
first and its message deleted after.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli.refusal import Refusal, of_aws
from cli.replay import tell
from cli.stack import Stack
from dailies import clock, stream
from dailies.announcing import announcements
from dailies.clock import Moment
from dailies.errors import DailiesError
from dailies.providers import every_provider
from dailies.recording import submitted_event
from dailies.wanted import named

LOOK_SECONDS = 30  # a message that is only looked at is hidden for so long, if we do not come to show it again
WORK_SECONDS = 120  # ... and one that is worked on
MOST_AT_ONCE = 10  # messages that SQS gives
WAIT_SECONDS = 1  # for messages: without waiting, SQS asks a part of its servers only


type QueueName = Literal["archive", "advance", "announce", "track"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of failed work: its name in commands, the output that has its URL, what waits in it."""

    name: QueueName
    output: str
    holds: str


ARCHIVE = Queue("archive", "ArchiveDeadLetterQueueUrl", "media that were given up")
ADVANCE = Queue("advance", "AdvanceFailureQueueUrl", "events that could not be merged")
ANNOUNCE = Queue("announce", "AnnounceFailureQueueUrl", "changes that could not be announced")
TRACK = Queue("track", "TrackFailureQueueUrl", "submitted jobs that could not be tracked")
QUEUES = {queue.name: queue for queue in (ARCHIVE, ADVANCE, ANNOUNCE, TRACK)}


@dataclass(frozen=True, slots=True)
class Failed:
    """A message of failed work: why it failed, whose it is (as far as it says), since when it waits.

    `reason` is empty where AWS moved it: the function was ended or AWS failed at every try. `about` is the medium,
    event or announcement.
    """

    queue: Queue
    message_id: str
    reason: str
    waits_since: Moment
    body: str = field(repr=False)
    receipt_handle: str = field(repr=False)
    provider: str = ""
    job_id: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one message: back at work, or why not; then it still waits."""

    failed: Failed
    problem: str = ""


def of(stack: Stack) -> list[Queue]:
    """The queues of failed work that this stack has."""
    return [queue for queue in QUEUES.values() if queue.output in stack.outputs]


def counts(stack: Stack) -> dict[str, int]:
    """About how many messages wait, by the queue's name; `waiting` is the archive's own queue: work, not failure."""
    urls = {queue.name: stack.output(queue.output) for queue in of(stack)} | {
        "waiting": stack.output("ArchiveQueueUrl")
    }
    with ThreadPoolExecutor(len(urls)) as askers:
        return dict(zip(urls, askers.map(lambda url: _count(stack, url), urls.values()), strict=True))


def look(stack: Stack, queue: Queue, most: int = 100) -> list[Failed]:
    """What waits in a queue, without taking it: the oldest first, about so many at most."""
    seen: list[Failed] = []
    for failed in _received(stack, queue, LOOK_SECONDS):
        seen.append(failed)
        if len(seen) >= most:
            break
    for failed in seen:
        _show_again(stack, failed)
    return sorted(seen, key=lambda failed: failed.waits_since)


def redrive(
    stack: Stack,
    queue: Queue,
    *,
    wanted: Callable[[Failed], bool] = lambda _: True,
    progress: Callable[[Redriven], None] = lambda _: None,
) -> list[Redriven]:
    """Put what waits back to work, and only then take it out. What fails again waits on, with the problem. The same
    work is put back once: what fails at once comes into the queue again while that is emptied."""
    done: list[Redriven] = []
    stay: list[Failed] = []
    for failed in _received(stack, queue, WORK_SECONDS):
        if not wanted(failed) or failed.body in {one.failed.body for one in done}:
            stay.append(failed)
            continue
        redriven = Redriven(failed, _work(stack, failed))
        if redriven.problem:
            stay.append(failed)
        else:
            stack.sqs.delete_message(QueueUrl=stack.output(queue.output), ReceiptHandle=failed.receipt_handle)
        done.append(redriven)
        progress(redriven)
    for failed in stay:  # in the end: shown again before, they would come again at once
        _show_again(stack, failed)
    return done


def _show_again(stack: Stack, failed: Failed) -> None:
    """Let others see a message again that we only looked at."""
    stack.sqs.change_message_visibility(
        QueueUrl=stack.output(failed.queue.output), ReceiptHandle=failed.receipt_handle, VisibilityTimeout=0
    )


def _work(stack: Stack, failed: Failed) -> str:
    """Do what the function would have done with a message; what is in the way."""
    try:
        WORK[failed.queue.name](stack, failed)
    except Refusal as refusal:
        return str(refusal)
    except (BotoCoreError, ClientError) as error:
        return str(of_aws(error))
    except DailiesError as error:
        return f"{type(error).__name__}: {error}"
    except (KeyError, TypeError, ValueError) as error:
        return f"it fails again, with {type(error).__name__}; this version cannot read it: upgrade, then redrive"
    return ""


def _archive(stack: Stack, failed: Failed) -> None:
    named(failed.body, every_provider())  # what names no medium would come back at once
    stack.sqs.send_message(QueueUrl=stack.output("ArchiveQueueUrl"), MessageBody=failed.body)


def _advance(stack: Stack, failed: Failed) -> None:
    stack.table.advance(stream.new_event(_record(failed)))


def _announce(stack: Stack, failed: Failed) -> None:
    """The news of then; the job's page is written as the job stands now."""
    before, job = stream.changed_job(_record(failed))
    tell(stack, stack.table.job(job.provider, job.job_id) or job, announcements(before, job))


def _track(stack: Stack, failed: Failed) -> None:
    """The notice as track put it there, or as Lambda wraps what it could not do at all."""
    told = json.loads(failed.body)
    detail = told.get("requestPayload", told)["detail"]
    event = submitted_event(detail, every_provider(), at=clock.now())
    stack.table.record(event, retention_days=int(stack.parameters["RetentionDays"]), written_by="redrive")


WORK: dict[QueueName, Callable[[Stack, Failed], None]] = {
    "archive": _archive,
    "advance": _advance,
    "announce": _announce,
    "track": _track,
}


def _record(failed: Failed) -> Mapping[str, Any]:
    record: dict[str, Any] = json.loads(failed.body)
    place = record.get("DDBStreamBatchInfo")
    if place:
        since = place.get("approximateArrivalOfFirstRecord", "")
        raise Refusal(f"it names only a place in the stream: `dailies replay --since {since} --from-rows` merges again")
    return record


def _received(stack: Stack, queue: Queue, seconds: int) -> Iterator[Failed]:
    """The messages of a queue, each once, until a look shows none that is new."""
    seen: set[str] = set()
    fresh: list[Any] = [None]
    while fresh:
        answer = stack.sqs.receive_message(
            QueueUrl=stack.output(queue.output),
            MaxNumberOfMessages=MOST_AT_ONCE,
            VisibilityTimeout=seconds,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["reason"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        fresh = [message for message in answer.get("Messages", ()) if message["MessageId"] not in seen]
        for message in fresh:
            seen.add(message["MessageId"])
            yield _failed(queue, message)


def _failed(queue: Queue, message: Mapping[str, Any]) -> Failed:
    sent = float(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return Failed(
        queue=queue,
        message_id=message["MessageId"],
        reason=message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", ""),
        waits_since=clock.moment(datetime.fromtimestamp(sent, UTC)),
        body=message["Body"],
        receipt_handle=message["ReceiptHandle"],
        **_whose(queue, message["Body"]),
    )


def _whose(queue: Queue, body: str) -> dict[str, str]:
    """Whose work a message is, as far as it can be read."""
    try:
        read = json.loads(body)
        if "detail" in read:
            detail = read["detail"]
            media = [f"{medium['role']} {medium['media_id']}" for medium in detail.get("media", ())]
            return {"provider": detail["provider"], "job_id": detail["job_id"], "about": ", ".join(media)}
        image = read["dynamodb"]["NewImage"]
        about = f"event {image['event_id']['S'][:12]}" if queue is ADVANCE else f"version {image['version']['N']}"
        return {"provider": image["provider"]["S"], "job_id": image["job_id"]["S"], "about": about}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _count(stack: Stack, url: str) -> int:
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)
