"""Record a job that the owner's application has submitted, from its `Job Submitted` event on the bus."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies import timestamps
from dailies.aws import queues, table
from dailies.aws.queues import FailureQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.providers import every_provider
from dailies.steps.track import submitted_event

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

events = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
failures = FailureQueue(boto3.client("sqs", config=queues.CLIENT), os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])
providers = every_provider()
retention_days = int(os.environ["RETENTION_DAYS"])


@telemetry.log.inject_lambda_context
def lambda_handler(notice: dict[str, Any], _context: "LambdaContext") -> None:
    """Safe to repeat for the same event: its job is recorded once."""
    with failures.catching(notice, telemetry):
        event = submitted_event(notice["detail"], providers, at=timestamps.now())
        events.record(event, retention_days=retention_days, written_by="track")
        telemetry.count("TrackedJobs", {"provider": event.provider}, fields={"job_id": event.job_id})
