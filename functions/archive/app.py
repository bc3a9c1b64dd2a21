"""Copy each medium in the archive queue to the bucket, and record the result."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import bucket, queues, secrets, table
from dailies.aws.bucket import Bucket
from dailies.aws.queues import FailureQueue, WorkQueue
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.outbound.address_guard import allowed_hosts
from dailies.outbound.connection import Network
from dailies.provider_api.client import every_api
from dailies.providers import every_provider
from dailies.steps.archive import Archiver

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 30  # of the time limit, to record the progress of a stopped transfer


providers = every_provider()
unverified = [name for name, provider in providers.items() if not provider.links_are_proven]
s3 = boto3.client("s3", config=bucket.UPLOAD_CLIENT)
sqs = boto3.client("sqs", config=queues.CLIENT)
secrets_manager = boto3.client("secretsmanager", config=secrets.CLIENT)
jobs = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
telemetry = Telemetry(os.environ["STACK_NAME"])
archiver = Archiver(
    table=jobs,
    bucket=Bucket(lambda: s3, os.environ["BUCKET_NAME"], credentials=boto3.Session().get_credentials()),
    queue=WorkQueue(sqs, os.environ["ARCHIVE_QUEUE_URL"]),
    failures=FailureQueue(sqs, os.environ["FAILURE_QUEUE_URL"]),
    telemetry=telemetry,
    providers=providers,
    apis=every_api(providers, os.environ, secrets_manager, jobs, telemetry),
    network=Network(user_agent=os.environ["MEDIA_USER_AGENT"]),
    private_hosts=allowed_hosts(os.environ["PRIVATE_MEDIA_HOSTS"]),
    only_hosts={name: allowed_hosts(os.environ[f"{name.upper()}_MEDIA_HOSTS"]) for name in unverified},
    max_attempts=int(os.environ["ARCHIVE_TRIES"]),
    first_pause=float(os.environ["ARCHIVE_BACKOFF_SECONDS"]),
    max_bytes=int(os.environ["MAX_MEDIA_BYTES"]),
    retention_days=int(os.environ["RETENTION_DAYS"]),
)


@telemetry.log.inject_lambda_context
def lambda_handler(batch: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Return the messages that SQS must deliver again, as failed items."""
    seconds = context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS
    retried = [message["messageId"] for message in batch["Records"] if not archiver.archive(message, seconds=seconds)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in retried]}
