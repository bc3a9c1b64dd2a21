"""`Job Submitted` on the bus, from the owner's app: the job is known from now on."""

import os
from typing import Any

import boto3

from dailies import timestamps
from dailies.aws import queues, table
from dailies.aws.queues import FailureQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.providers import every_provider
from dailies.steps.track import submitted_event

events = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
failures = FailureQueue(boto3.client("sqs", config=queues.CLIENT), os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])
providers = every_provider()
retention_days = int(os.environ["RETENTION_DAYS"])


def lambda_handler(notice: dict[str, Any], _context: object) -> None:
    """Safe to run again for the same notice: a job is submitted once."""
    with failures.keeping(notice, telemetry):
        event = submitted_event(notice["detail"], providers, at=timestamps.now())
        events.record(event, retention_days=retention_days, written_by="track")
        telemetry.count("TrackedJobs", {"provider": event.provider}, fields={"job_id": event.job_id})
