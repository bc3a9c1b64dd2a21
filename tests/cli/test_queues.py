"""Long failure queues: listed without hiding messages from others, and redriven."""

import json
import shlex
from dataclasses import replace
from typing import Any

import boto3
import pytest

from cli import queues
from cli.queues import ARCHIVE, FailedMessage
from cli.replay import from_rows
from cli.stack import Stack
from cli.times import timestamp_since
from dailies.jobs.models import Event
from testkit.fixtures.aws import Cloud

LONG = 35  # messages: SQS returns at most ten


def work(job_id: str) -> str:
    """A message for the archive."""
    detail = {"provider": "sync", "webhook": "generation", "job_id": job_id}
    return json.dumps({"detail": {**detail, "media": [{"role": "output", "media_id": "0215347b"}]}})


class Waiting:
    """The dead-letter queue of the archive, and another client that uses it at the same time."""

    def __init__(self, cloud: Cloud, stack: Stack) -> None:
        self.url = cloud.queue_url("failures")
        self._at_work = cloud.queue_url("found")
        self.others = boto3.client("sqs")
        self.asked: list[str] = []
        stack.sqs.meta.events.register("before-call.sqs", lambda model, **_: self.asked.append(model.name))
        self._events = stack.sqs.meta.events

    def put(self, *job_ids: str) -> None:
        """Messages of these jobs have failed."""
        for job_id in job_ids:
            self.others.send_message(QueueUrl=self.url, MessageBody=work(job_id))

    def at_first_receive(self, change: Any) -> None:
        """Another client does this with the messages that we receive first."""
        left = [change]

        def once(parsed: Any, **_: Any) -> None:
            while left:
                for message in parsed["Messages"]:
                    left[0](QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                left.pop()

        self._events.register("after-call.sqs.ReceiveMessage", once)

    def shown(self) -> int:
        """The number of messages that are visible to others."""
        return self._count(self.url)

    def at_work(self) -> int:
        """The number of messages in the archive's queue."""
        return self._count(self._at_work)

    def _count(self, url: str) -> int:
        answer = self.others.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def waiting(cloud: Cloud, fast_stack: Stack) -> Waiting:
    """The queue, empty."""
    return Waiting(cloud, fast_stack)


def test_read_messages_become_visible_again_ten_in_a_call(fast_stack: Stack, waiting: Waiting) -> None:
    waiting.put(*(f"g-{number}" for number in range(LONG)))
    assert len(queues.look(fast_stack, ARCHIVE, None)) == LONG
    assert waiting.shown() == LONG
    assert waiting.asked.count("ChangeMessageVisibilityBatch") == 4
    assert "ChangeMessageVisibility" not in waiting.asked


def test_reading_a_few_hides_no_other_message(fast_stack: Stack, waiting: Waiting) -> None:
    waiting.put(*(f"g-{number}" for number in range(LONG)))
    assert len(queues.look(fast_stack, ARCHIVE, 12)) == 12
    assert waiting.shown() == LONG


def test_messages_that_another_client_takes_meanwhile_are_skipped(fast_stack: Stack, waiting: Waiting) -> None:
    """SQS refuses to make them visible again, as it does after their visibility timeout."""
    waiting.put(*(f"g-{number}" for number in range(LONG)))
    waiting.at_first_receive(waiting.others.delete_message)
    assert len(queues.look(fast_stack, ARCHIVE, None)) == LONG
    assert waiting.shown() == LONG - 10


def test_messages_that_come_again_while_a_long_queue_is_read_do_not_end_it(fast_stack: Stack, waiting: Waiting) -> None:
    def shows_again(**message: str) -> None:
        waiting.others.change_message_visibility(**message, VisibilityTimeout=0)

    waiting.put(*(f"g-{number}" for number in range(LONG)))
    waiting.at_first_receive(shows_again)
    found = queues.look(fast_stack, ARCHIVE, None)
    assert len(found) == len({failed.message_id for failed in found}) == LONG


def test_of_a_long_queue_the_work_of_one_job_is_put_back_and_the_rest_shows_again(
    fast_stack: Stack, waiting: Waiting
) -> None:
    waiting.put(*(f"g-{number}" for number in range(LONG)))

    def of_one_job(message: FailedMessage) -> bool:
        return message.job_id == "g-7"

    (done,) = queues.redrive(fast_stack, ARCHIVE, matches=of_one_job)
    assert not done.stays
    assert (waiting.at_work(), waiting.shown()) == (1, LONG - 1)


def test_a_search_for_one_message_ends_when_it_is_found(fast_stack: Stack, waiting: Waiting) -> None:
    waiting.put(*(f"g-{number}" for number in range(LONG)))
    (done,) = queues.redrive(fast_stack, ARCHIVE, limit=1)
    assert not done.stays
    assert waiting.asked.count("ReceiveMessage") == 1
    assert waiting.shown() == LONG - 1


def test_equal_work_is_redriven_once_and_the_rest_is_reported(fast_stack: Stack, waiting: Waiting) -> None:
    waiting.put("g-1", "g-1", "g-2")
    done = queues.redrive(fast_stack, ARCHIVE)
    assert sorted((one.message.job_id, one.stays, one.problem) for one in done) == [
        ("g-1", False, ""),
        ("g-1", True, ""),
        ("g-2", False, ""),
    ]
    assert (waiting.at_work(), waiting.shown()) == (2, 1)


def test_for_a_stream_position_the_suggested_command_finds_its_first_row(cloud: Cloud, fast_stack: Stack) -> None:
    """A row has a time before its put, the stream position one after it."""
    event = Event(
        event_id="0" * 64,
        provider="sync",
        webhook="generation",
        job_id="stuck",
        status="completed",
        provider_status="COMPLETED",
        origin="webhook",
        received_at="2026-11-25T09:29:57.000000Z",
    )
    fast_stack.table.record(event, retention_days=90, written_by="test")
    suggested = advice(fast_stack, cloud, {"approximateArrivalOfFirstRecord": "2026-11-25T09:30:00Z"})
    options = shlex.split(suggested)
    assert options[:3] == ["dailies", "replay", "--since"]
    assert options[4:] == ["--from-rows"]
    assert from_rows(fast_stack, since=timestamp_since(options[3])) == [("sync", "stuck")]


def test_without_a_time_all_rows_are_read(cloud: Cloud, fast_stack: Stack) -> None:
    assert advice(fast_stack, cloud, {"shardId": "shardId-1"}) == "dailies replay --from-rows"


def advice(stack: Stack, cloud: Cloud, place: dict[str, str]) -> str:
    """The command that is suggested for a message that Lambda sent."""
    stack = replace(stack, outputs={**stack.outputs, queues.ADVANCE.output: cloud.queue_url("failures")})
    body = json.dumps({"DDBStreamBatchInfo": place})
    stack.sqs.send_message(QueueUrl=stack.output(queues.ADVANCE.output), MessageBody=body)
    (stayed,) = queues.redrive(stack, queues.ADVANCE)
    assert stayed.stays
    return stayed.problem.split("`")[1]


def test_unread_messages_are_counted_approximately() -> None:
    assert queues.in_words(1, 1) == "1 message"
    assert queues.in_words(2, 2) == "2 messages"
    assert queues.in_words(3000, 100) == "about 3,000 messages"
