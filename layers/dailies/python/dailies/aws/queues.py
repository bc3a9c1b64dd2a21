"""The queues: where work waits, and where failed work waits for a person."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.telemetry import Fields, Telemetry
from dailies.errors import AwsUnavailable, NotStored, VersionConflict

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CLIENT = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
MAX_VISIBILITY = 43_200  # seconds; SQS takes no longer wait
MAX_DELAY = 900  # seconds; nor does it keep back a new message for longer

# What AWS answers to a request that stays wrong however often it is sent.
HOPELESS = frozenset({"ValidationException", "ValidationError", "InvalidParameterValue", "EntityTooLarge"})


class FailureQueue:
    """Where one function's failed work goes, whole, by its own hand."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, work: str, *, reason: str) -> None:
        """Keep a record or a message's body as it came, the reason beside it. What came from a queue can be moved back
        into it as it is."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=work,
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:256] or "unknown"}},
        )

    @contextmanager
    def keeping(self, record: Mapping[str, Any], telemetry: Telemetry, about: Fields | None = None) -> Iterator[None]:
        """Do a record's work inside: what a retry can help passes through and the whole batch comes again; for the
        rest the record goes to the queue, and the batch goes on. Either is told, with what the record is `about`."""
        try:
            yield
        except Exception as error:
            reason = type(error).__name__  # not its text: that may quote the record
            if _may_pass(error):
                telemetry.log.warning("the batch comes again", extra={"error": reason, **(about or {})})
                raise
            self.put(json.dumps(record), reason=reason)
            telemetry.count("Failed", {"reason": reason}, fields=about)


def _may_pass(error: Exception) -> bool:
    """Whether a retry can help. For all that is not AWS's or a race, the record says the same the next time."""
    match error:
        case ClientError():
            return error.response["Error"]["Code"] not in HOPELESS
        case _:
            return isinstance(error, BotoCoreError | VersionConflict | NotStored | AwsUnavailable)


class WorkQueue:
    """A queue that a function reads from."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, work: str, *, delay: int = 0) -> None:
        """Let the function work on this, after so many seconds, at most MAX_DELAY."""
        self._client.send_message(QueueUrl=self._url, MessageBody=work, DelaySeconds=min(delay, MAX_DELAY))

    def wait(self, receipt_handle: str, seconds: int) -> None:
        """Show a message again only after so long."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=min(seconds, MAX_VISIBILITY)
        )
