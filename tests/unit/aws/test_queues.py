"""Failed work: errors that a retry can help are raised, the rest is kept whole, and the batch continues."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from dailies.aws import stream
from dailies.aws.queues import NOT_RETRYABLE, FailureQueue, WorkQueue
from dailies.aws.telemetry import Telemetry
from dailies.errors import NotStored, VersionConflict
from testkit.fixtures.aws import Cloud
from testkit.support.recorded_events import event

RECORD = event("advance/webhook")["Records"][0]
JOB = "6533643b-aceb-4c40-967e-d9ba9baac39e"
EVENT = RECORD["dynamodb"]["Keys"]["sk"]["S"].removeprefix("event#")[:12]


@pytest.fixture
def failures(cloud: Cloud) -> FailureQueue:
    return FailureQueue(cloud.sqs, cloud.queue_url("failures"))


def aws(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "the record said: secret"}}, "PutItem")


def fail(error: Exception) -> None:
    raise error


class TestKeeping:
    @pytest.mark.parametrize(
        "error",
        [KeyError("secret"), TypeError("secret"), ValueError("secret"), RecursionError(), *map(aws, NOT_RETRYABLE)],
    )
    def test_a_permanent_failure_goes_whole_to_the_queue_and_the_batch_continues(
        self, failures: FailureQueue, cloud: Cloud, capsys: pytest.CaptureFixture[str], error: Exception
    ) -> None:
        with failures.catching(RECORD, Telemetry("dailies"), stream.log_ids(RECORD)):
            fail(error)
        assert cloud.failed() == [(type(error).__name__, RECORD)]
        line = json.loads(capsys.readouterr().out)
        assert (line["Failed"], line["reason"]) == (1, type(error).__name__)
        assert (line["job_id"], line["event_id"]) == (JOB, EVENT)
        assert "secret" not in json.dumps(line)

    @pytest.mark.parametrize(
        "error",
        [
            VersionConflict("sync g-1"),
            NotStored("the bus did not accept 1 of 2 events: ThrottlingException"),
            aws("ProvisionedThroughputExceededException"),
            aws("InternalServerError"),
            aws("AccessDeniedException"),
            ConnectTimeoutError(endpoint_url="https://dynamodb.example"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_what_a_retry_can_help_brings_the_batch_again(
        self, failures: FailureQueue, cloud: Cloud, caplog: pytest.LogCaptureFixture, error: Exception
    ) -> None:
        about = stream.log_ids(RECORD)
        with pytest.raises(type(error)), failures.catching(RECORD, Telemetry("dailies"), about):
            raise error
        assert cloud.failed() == []
        (line,) = caplog.records
        assert line.levelname == "WARNING"
        assert {"error": type(error).__name__, "job_id": JOB, "event_id": EVENT}.items() <= vars(line).items()

    def test_work_that_succeeds_leaves_nothing(self, failures: FailureQueue, cloud: Cloud) -> None:
        with failures.catching(RECORD, Telemetry("dailies")):
            pass
        assert cloud.failed() == []

    def test_where_the_queue_takes_nothing_the_batch_comes_again(self, failures: FailureQueue, cloud: Cloud) -> None:
        cloud.sqs.delete_queue(QueueUrl=cloud.queue_url("failures"))
        with pytest.raises(ClientError), failures.catching(RECORD, Telemetry("dailies")):
            raise KeyError("secret")


class TestPut:
    def test_the_work_is_kept_as_it_came_so_that_it_can_be_put_back(self, failures: FailureQueue, cloud: Cloud) -> None:
        body = event("archive/found")["Records"][0]["body"]
        failures.put(body, reason="the host answered 404")
        (message,) = cloud.sqs.receive_message(QueueUrl=cloud.queue_url("failures"))["Messages"]
        assert message["Body"] == body

    @pytest.mark.parametrize(("reason", "kept"), [("", "unknown"), ("x" * 300, "x" * 256)])
    def test_a_reason_is_one_that_sqs_takes(self, failures: FailureQueue, cloud: Cloud, reason: str, kept: str) -> None:
        failures.put('"work"', reason=reason)
        assert cloud.failed() == [(kept, "work")]


class TestWait:
    def waiting(self, cloud: Cloud, seconds: int) -> dict[str, Any]:
        queue = cloud.queue_url("found")
        cloud.sqs.send_message(QueueUrl=queue, MessageBody="{}")
        (message,) = cloud.sqs.receive_message(QueueUrl=queue)["Messages"]
        WorkQueue(cloud.sqs, queue).wait(message["ReceiptHandle"], seconds)
        return dict(cloud.sqs.receive_message(QueueUrl=queue))

    def test_a_message_is_shown_again_after_its_pause(self, cloud: Cloud) -> None:
        assert "Messages" not in self.waiting(cloud, 60)
        assert len(self.waiting(cloud, 0)["Messages"]) == 1


class TestNamed:
    def test_a_record_is_about_its_job_and_its_event(self) -> None:
        assert stream.log_ids(RECORD) == {"job_id": JOB, "event_id": EVENT}
        assert stream.log_ids(event("announce/completed")["Records"][0]) == {"job_id": JOB}

    def test_a_row_that_was_put_into_a_batch_by_hand_is_too(self) -> None:
        row = {"pk": {"S": "job#captions#a#b"}, "sk": {"S": "event#1"}}
        assert stream.log_ids({"dynamodb": {"NewImage": row}}) == {"job_id": "a#b", "event_id": "1"}

    @pytest.mark.parametrize("record", [{}, {"dynamodb": None}, {"dynamodb": {"Keys": {"pk": {"N": "1"}}}}])
    def test_what_is_no_record_is_about_nothing(self, record: dict[str, Any]) -> None:
        assert stream.log_ids(record) == {}
