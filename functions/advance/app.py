"""New event rows, from the table's stream: merge each into the row of its job."""

import os
from typing import Any

import boto3

from dailies import queue, stream, table
from dailies.queue import FailureQueue
from dailies.table import Table
from dailies.telemetry import Telemetry

jobs = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
failures = FailureQueue(boto3.client("sqs", config=queue.CLIENT), os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def lambda_handler(batch: dict[str, Any], _context: object) -> None:
    """Safe to run again for the same batch: a merge that changes nothing writes nothing."""
    for record in batch["Records"]:
        about = stream.named(record)
        with failures.keeping(record, telemetry, about):
            job = jobs.advance(stream.new_event(record))
            telemetry.note(**about, status=job.status, stage=job.stage)
