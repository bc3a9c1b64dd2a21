"""The SQS queues: work for a function, and failed work for an operator."""

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
MAX_VISIBILITY = 43_200  # seconds: SQS's limit for hiding a message
MAX_DELAY = 900  # seconds: SQS's limit for delaying a new message

# AWS's error codes for requests that fail at each attempt.
NOT_RETRYABLE = frozenset({"ValidationException", "ValidationError", "InvalidParameterValue", "EntityTooLarge"})


class FailureQueue:
    """The queue to which one function sends the work that it failed to do. Botocore's errors pass through."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, work: str, *, reason: str) -> None:
        """Send a record or a message's body, unchanged, with the reason as a message attribute of up to 256 characters.

        A message's body can be moved back into its own queue unchanged.
        """
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=work,
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:256] or "unknown"}},
        )

    @contextmanager
    def catching(self, record: Mapping[str, Any], telemetry: Telemetry, about: Fields | None = None) -> Iterator[None]:
        """Catch the errors of processing a record inside.

        If a retry may help, log a warning and raise the error again, so Lambda retries the batch. Otherwise send the
        record to the queue and count `Failed`; the batch continues. `about`: the record's ids, for both lines.
        """
        try:
            yield
        except Exception as error:
            reason = type(error).__name__  # not its text, which may quote the record
            if _retryable(error):
                telemetry.log.warning("the batch will be retried", extra={"error": reason, **(about or {})})
                raise
            self.put(json.dumps(record), reason=reason)
            telemetry.count("Failed", {"reason": reason}, fields=about)


def _retryable(error: Exception) -> bool:
    """Whether a retry can help. It can for errors of AWS and for races. Other errors come from the record itself."""
    match error:
        case ClientError():
            return error.response["Error"]["Code"] not in NOT_RETRYABLE
        case _:
            return isinstance(error, BotoCoreError | VersionConflict | NotStored | AwsUnavailable)


class WorkQueue:
    """A queue that a function reads. Botocore's errors pass through."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, work: str, *, delay: int = 0) -> None:
        """Send a message. `delay`: seconds until the function receives it; more than MAX_DELAY counts as MAX_DELAY."""
        self._client.send_message(QueueUrl=self._url, MessageBody=work, DelaySeconds=min(delay, MAX_DELAY))

    def wait(self, receipt_handle: str, seconds: int) -> None:
        """Hide a received message for some seconds. More than MAX_VISIBILITY counts as MAX_VISIBILITY."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=min(seconds, MAX_VISIBILITY)
        )
