"""Poll the providers for overdue jobs and media, on a schedule."""

import os
from typing import TYPE_CHECKING

import boto3

from dailies.aws import queues, secrets, table
from dailies.aws.queues import WorkQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.provider_api.client import every_api
from dailies.providers import every_provider
from dailies.steps.reconcile import Reconciler

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 60  # of the time limit, for three slow attempts of the last request, and their pauses

secrets_manager = boto3.client("secretsmanager", config=secrets.CLIENT)
jobs = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
telemetry = Telemetry(os.environ["STACK_NAME"])
providers = every_provider()
reconciler = Reconciler(
    table=jobs,
    queue=WorkQueue(boto3.client("sqs", config=queues.CLIENT), os.environ["ARCHIVE_QUEUE_URL"]),
    telemetry=telemetry,
    providers=providers,
    apis=every_api(providers, os.environ, secrets_manager, jobs, telemetry),
    quiet=float(os.environ["RECONCILE_QUIET_SECONDS"]),
    silent_after=float(os.environ["SILENT_AFTER_HOURS"]) * 3600,
    retention_days=int(os.environ["RETENTION_DAYS"]),
)


def lambda_handler(_schedule: object, context: "LambdaContext") -> None:
    """Safe to run at any time, also while another run is active: what both find is recorded once."""
    reconciler.run(seconds=context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS)
