"""Queues of failed messages: what they contain and why, and how to process it again.

SQS delivers at least once, and a message that was read becomes visible again later. All work is safe to repeat:
archived media stay, a merge that changes nothing writes nothing, announcements keep their ids. So a message is
processed first and deleted afterwards.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CliError, of_aws
from cli.formats import counted
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

HIDDEN_SECONDS = 120  # visibility timeout of the messages that we read, unless we make them visible before
BATCH = 10  # messages in one SQS call
WAIT_SECONDS = 1  # long polling: without it, SQS asks only some of its servers
BEFORE_ARRIVAL = timedelta(hours=1)  # a row's timestamp is older than its arrival: a function may take minutes

type QueueName = Literal["archive", "advance", "announce", "track"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of failed messages: its name in commands, the stack output with its URL, and what it contains."""

    name: QueueName
    output: str
    holds: str


ARCHIVE = Queue("archive", "ArchiveDeadLetterQueueUrl", "media that could not be archived")
ADVANCE = Queue("advance", "AdvanceFailureQueueUrl", "events that could not be merged")
ANNOUNCE = Queue("announce", "AnnounceFailureQueueUrl", "changes that could not be announced")
TRACK = Queue("track", "TrackFailureQueueUrl", "submitted jobs that could not be tracked")
QUEUES = {queue.name: queue for queue in (ARCHIVE, ADVANCE, ANNOUNCE, TRACK)}


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A failed message. `provider` and `job_id` are empty if it does not name a job.

    `reason` is empty if AWS moved the message here, because the function timed out or crashed at every attempt. `about`
    names the medium, event or version of the job.
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
    """The result for one message; `problem` is empty if it was processed. `is_repeated`: the same work was attempted
    for another message before, so this one was left in its queue."""

    message: FailedMessage
    problem: str = ""
    is_repeated: bool = False

    @property
    def stays(self) -> bool:
        """Whether it is still in its queue."""
        return self.is_repeated or bool(self.problem)


def of(stack: Stack) -> list[Queue]:
    """This stack's queues of failed messages."""
    return [queue for queue in QUEUES.values() if queue.output in stack.outputs]


def counts(stack: Stack) -> dict[str, int]:
    """The approximate number of messages by queue name; `waiting` is the archive's work queue, not failures."""
    urls = {queue.name: stack.output(queue.output) for queue in of(stack)} | {
        "waiting": stack.output("ArchiveQueueUrl")
    }
    with ThreadPoolExecutor(len(urls)) as readers:
        return dict(zip(urls, readers.map(lambda url: _count(stack, url), urls.values()), strict=True))


def in_words(number: int, looked_at: int) -> str:
    """The number of messages; approximate if more wait than were read: `about 300 messages`."""
    return f"{'about ' if number > looked_at else ''}{counted(number, 'message')}"


def look(stack: Stack, queue: Queue, limit: int | None = 100) -> list[FailedMessage]:
    """The messages of a queue, oldest first, without removing them: `limit` at most, all with None."""
    hidden: dict[str, str] = {}
    try:
        seen = list(islice(_received(stack, queue, hidden), limit))
    finally:
        _show_again(stack, queue, hidden)
    return sorted(seen, key=lambda message: message.waits_since)


def redrive(
    stack: Stack,
    queue: Queue,
    *,
    matches: Callable[[FailedMessage], bool] = lambda _: True,
    limit: int | None = None,
    progress: Callable[[Redriven], None] = lambda _: None,
) -> list[Redriven]:
    """Process messages again, then delete them: those that match, `limit` at most.

    A message that fails again stays in its queue. The same work is attempted once: a message that fails at once comes
    back into the queue while it is read.
    """
    done: list[Redriven] = []
    attempted: set[str] = set()
    hidden: dict[str, str] = {}
    try:
        for message in islice(filter(matches, _received(stack, queue, hidden)), limit):
            if message.body in attempted:
                redriven = Redriven(message, is_repeated=True)
            else:
                redriven = Redriven(message, _process(stack, message))
                attempted.add(message.body)
            if not redriven.stays:
                stack.sqs.delete_message(QueueUrl=stack.output(queue.output), ReceiptHandle=message.receipt_handle)
                del hidden[message.message_id]
            done.append(redriven)
            progress(redriven)
    finally:  # at the end: visible before, they would be received again
        _show_again(stack, queue, hidden)
    return done


def _show_again(stack: Stack, queue: Queue, hidden: Mapping[str, str]) -> None:
    """Make the messages that stay visible again. SQS refuses this for messages that are visible already, or that
    another consumer has received: both need nothing."""
    for handles in batched(hidden.values(), BATCH, strict=False):
        stack.sqs.change_message_visibility_batch(
            QueueUrl=stack.output(queue.output),
            Entries=[
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles)
            ],
        )


def _process(stack: Stack, message: FailedMessage) -> str:
    """Do what the function would have done with a message. Returns the problem, empty if there is none."""
    try:
        PROCESS[message.queue.name](stack, message)
    except CliError as error:
        return str(error)
    except (BotoCoreError, ClientError) as error:
        return str(of_aws(error))
    except DailiesError as error:
        return f"{type(error).__name__}: {error}"
    except (KeyError, TypeError, ValueError) as error:
        return f"This version cannot read the message ({type(error).__name__}). Upgrade, then redrive again."
    return ""


def _archive(stack: Stack, message: FailedMessage) -> None:
    from_message(message.body, every_provider())  # a message without media would come back at once
    stack.sqs.send_message(QueueUrl=stack.output("ArchiveQueueUrl"), MessageBody=message.body)


def _advance(stack: Stack, message: FailedMessage) -> None:
    advance(stack.table, stream.new_event(_record(message)))


def _announce(stack: Stack, message: FailedMessage) -> None:
    """Publish the change that the message records; the job summary is written from the job as it is now."""
    before, job = stream.changed_job(_record(message))
    publisher(stack).publish(before, job, latest=stack.table.job(job.provider, job.job_id))


def _track(stack: Stack, message: FailedMessage) -> None:
    """Record the `Job Submitted` event; Lambda wraps it in `requestPayload` if it gave up on the function."""
    body = json.loads(message.body)
    detail = body.get("requestPayload", body)["detail"]
    event = submitted_event(detail, every_provider(), at=timestamps.now())
    stack.table.record(event, retention_days=int(stack.parameters["RetentionDays"]), written_by="redrive")


PROCESS: dict[QueueName, Callable[[Stack, FailedMessage], None]] = {
    "archive": _archive,
    "advance": _advance,
    "announce": _announce,
    "track": _track,
}


def _record(message: FailedMessage) -> Mapping[str, Any]:
    record: dict[str, Any] = json.loads(message.body)
    batch = record.get("DDBStreamBatchInfo")
    if batch:
        raise CliError(
            f"The message has only a position in the stream, not the rows. Merge them with `{_replay_from(batch)}`;"
            " without --since it also finds deliveries that were parsed again from quarantine."
        )
    return record


def _replay_from(batch: Mapping[str, Any]) -> str:
    """The command that merges a batch's rows again. It starts a while before the first row arrived in the stream: a row
    has the time from before it was written."""
    arrived = timestamps.parse(str(batch.get("approximateArrivalOfFirstRecord", "")))
    if arrived is None:
        return "dailies replay --from-rows"
    since = datetime.fromisoformat(arrived) - BEFORE_ARRIVAL
    return f"dailies replay --since {since:%Y-%m-%dT%H:%M:%SZ} --from-rows"


def _received(stack: Stack, queue: Queue, hidden: dict[str, str]) -> Iterator[FailedMessage]:
    """All messages of a queue, each once. `hidden` receives each message's id and newest receipt handle, to make it
    visible again.

    While a long queue is read, the first messages become visible again. Reading ends when as many messages in a row are
    repeats as the queue has: this ends a queue that takes longer to read than the visibility timeout.
    """
    seen: set[str] = set()
    repeats = 0
    while repeats <= len(seen):
        answer = stack.sqs.receive_message(
            QueueUrl=stack.output(queue.output),
            MaxNumberOfMessages=BATCH,
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
        repeats = 0 if fresh else repeats + len(messages)
        for message in fresh:
            yield _failed(queue, message)


def _failed(queue: Queue, message: Mapping[str, Any]) -> FailedMessage:
    sent = float(message.get("Attributes", {}).get("SentTimestamp", 0)) / 1000
    return FailedMessage(
        queue=queue,
        message_id=message["MessageId"],
        reason=message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", ""),
        waits_since=timestamps.from_datetime(datetime.fromtimestamp(sent, UTC)),
        body=message["Body"],
        receipt_handle=message["ReceiptHandle"],
        **_job(queue, message["Body"]),
    )


def _job(queue: Queue, body: str) -> dict[str, str]:
    """The job that a message is about, as fields of FailedMessage; empty if it cannot be read."""
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
