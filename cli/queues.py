"""The queues where failed work waits: what is in them and why, and how it is put back to work.

Receiving is at least once, and a message that is looked at shows up again a moment later. All work may be done twice:
what is archived stays, a merge that changes nothing writes nothing, announcements keep their ids. So work is done
first and its message deleted after.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import Refusal, of_aws
from cli.replay import publisher
from cli.stack import Stack
from dailies import timestamps
from dailies.aws import stream
from dailies.errors import DailiesError
from dailies.providers import every_provider
from dailies.steps.advance import advance
from dailies.steps.archive_item import from_message
from dailies.steps.track import submitted_event
from dailies.timestamps import Timestamp

HIDDEN_SECONDS = 120  # a message that we look at or work on is hidden for so long, if we do not show it again before
MAX_AT_ONCE = 10  # messages that SQS gives, or shows again, in one call
WAIT_SECONDS = 1  # for messages: without waiting, SQS asks a part of its servers only
BEFORE_IT_ARRIVED = timedelta(hours=1)  # its put takes seconds, and a function that makes several rows minutes

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
    waits_since: Timestamp
    body: str = field(repr=False)
    receipt_handle: str = field(repr=False)
    provider: str = ""
    job_id: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one message: back at work, or why not. `is_repeated`: another message of the same work was tried
    before it, so this one was left where it is."""

    failed: Failed
    problem: str = ""
    is_repeated: bool = False

    @property
    def stays(self) -> bool:
        """Whether it still waits in its queue."""
        return self.is_repeated or bool(self.problem)


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


def in_words(number: int, looked_at: int) -> str:
    """How many messages. Where there are more than were looked at, SQS tells roughly: `about 300 messages`."""
    about = "about " if number > looked_at else ""
    return f"{about}{number:,} {'message' if number == 1 else 'messages'}"


def look(stack: Stack, queue: Queue, most: int | None = 100) -> list[Failed]:
    """What waits in a queue, without taking it, the oldest first: so many at most, or all of it."""
    hidden: dict[str, str] = {}
    try:
        seen = list(islice(_received(stack, queue, hidden), most))
    finally:
        _show_again(stack, queue, hidden)
    return sorted(seen, key=lambda failed: failed.waits_since)


def redrive(
    stack: Stack,
    queue: Queue,
    *,
    wanted: Callable[[Failed], bool] = lambda _: True,
    most: int | None = None,
    progress: Callable[[Redriven], None] = lambda _: None,
) -> list[Redriven]:
    """Put what waits back to work, and only then take it out: all that is wanted, or so many of it at most. What fails
    again waits on, with the problem. The same work is put back once: what fails at once comes into the queue again
    while that is emptied."""
    done: list[Redriven] = []
    tried: set[str] = set()
    hidden: dict[str, str] = {}
    try:
        for failed in islice(filter(wanted, _received(stack, queue, hidden)), most):
            if failed.body in tried:
                redriven = Redriven(failed, is_repeated=True)
            else:
                redriven = Redriven(failed, _work(stack, failed))
                tried.add(failed.body)
            if not redriven.stays:
                stack.sqs.delete_message(QueueUrl=stack.output(queue.output), ReceiptHandle=failed.receipt_handle)
                del hidden[failed.message_id]
            done.append(redriven)
            progress(redriven)
    finally:  # in the end: shown again before, they would come again at once
        _show_again(stack, queue, hidden)
    return done


def _show_again(stack: Stack, queue: Queue, hidden: Mapping[str, str]) -> None:
    """Let others see messages again that stay. What SQS refuses of it needs nothing: that message's time was over, so
    it shows already, or somebody else has it by now."""
    for handles in batched(hidden.values(), MAX_AT_ONCE, strict=False):
        stack.sqs.change_message_visibility_batch(
            QueueUrl=stack.output(queue.output),
            Entries=[
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles)
            ],
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
    from_message(failed.body, every_provider())  # what names no medium would come back at once
    stack.sqs.send_message(QueueUrl=stack.output("ArchiveQueueUrl"), MessageBody=failed.body)


def _advance(stack: Stack, failed: Failed) -> None:
    advance(stack.table, stream.new_event(_record(failed)))


def _announce(stack: Stack, failed: Failed) -> None:
    """The news of then; the job's page is written as the job stands now."""
    before, job = stream.changed_job(_record(failed))
    publisher(stack).publish(before, job, latest=stack.table.job(job.provider, job.job_id))


def _track(stack: Stack, failed: Failed) -> None:
    """The notice as track put it there, or as Lambda wraps what it could not do at all."""
    told = json.loads(failed.body)
    detail = told.get("requestPayload", told)["detail"]
    event = submitted_event(detail, every_provider(), at=timestamps.now())
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
        raise Refusal(
            f"it names only a place in the stream: `{_replay_from(place)}` merges again, and without --since also"
            " calls that were read again from quarantine"
        )
    return record


def _replay_from(place: Mapping[str, Any]) -> str:
    """The command that merges a batch's rows again: since a while before the first of them came into the stream, as
    rows bear the moment of before they were put."""
    arrived = timestamps.parse(str(place.get("approximateArrivalOfFirstRecord", "")))
    if arrived is None:
        return "dailies replay --from-rows"
    since = datetime.fromisoformat(arrived) - BEFORE_IT_ARRIVED
    return f"dailies replay --since {since:%Y-%m-%dT%H:%M:%SZ} --from-rows"


def _received(stack: Stack, queue: Queue, hidden: dict[str, str]) -> Iterator[Failed]:
    """The messages of a queue, each once, until there are no more. Each that is received is put into `hidden`: its id,
    and the newest of its handles, by which it is shown again.

    While a long queue is read, the first ones come again when their time is over. That ends it only when as many have
    come again, in a row, as there are: an end for a queue that takes longer to read than its messages are hidden.
    """
    seen: set[str] = set()
    again = 0
    while again <= len(seen):
        answer = stack.sqs.receive_message(
            QueueUrl=stack.output(queue.output),
            MaxNumberOfMessages=MAX_AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["reason"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        hidden |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        fresh = [message for message in messages if message["MessageId"] not in seen]
        seen |= {message["MessageId"] for message in fresh}
        again = 0 if fresh else again + len(messages)
        for message in fresh:
            yield _failed(queue, message)


def _failed(queue: Queue, message: Mapping[str, Any]) -> Failed:
    sent = float(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return Failed(
        queue=queue,
        message_id=message["MessageId"],
        reason=message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", ""),
        waits_since=timestamps.from_datetime(datetime.fromtimestamp(sent, UTC)),
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
