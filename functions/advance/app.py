"""Merge each new event row of the table's stream into the row of its job."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import queues, stream, table
from dailies.aws.queues import FailureQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.steps.advance import advance

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

jobs = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
failures = FailureQueue(boto3.client("sqs", config=queues.CLIENT), os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])


@telemetry.log.inject_lambda_context
def lambda_handler(batch: dict[str, Any], _context: "LambdaContext") -> None:
    """Safe to repeat for the same batch: a merge that changes nothing writes nothing."""
    for record in batch["Records"]:
        about = stream.log_ids(record)
        with failures.catching(record, telemetry, about):
            job = advance(jobs, stream.new_event(record))
            telemetry.note(**about, status=job.status, stage=job.stage)
