"""Publish the events of each job row that changed in the table's stream: see `Publisher`."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import bucket, bus, queues, stream
from dailies.aws.bucket import Bucket
from dailies.aws.bus import Bus
from dailies.aws.queues import FailureQueue, WorkQueue
from dailies.aws.telemetry import Telemetry
from dailies.steps.announce import Publisher

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

s3 = boto3.client("s3", config=bucket.CLIENT)
sqs = boto3.client("sqs", config=queues.CLIENT)
publisher = Publisher(
    archive_queue=WorkQueue(sqs, os.environ["ARCHIVE_QUEUE_URL"]),
    bucket=Bucket(lambda: s3, os.environ["BUCKET_NAME"]),
    bus=Bus(boto3.client("events", config=bus.CLIENT), os.environ["BUS_NAME"]),
    announces_media_found=os.environ["ANNOUNCE_MEDIA_FOUND"] == "true",
)
failures = FailureQueue(sqs, os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])


@telemetry.log.inject_lambda_context
def lambda_handler(batch: dict[str, Any], _context: "LambdaContext") -> None:
    """Safe to repeat for the same batch, as `Publisher.publish` is."""
    for record in batch["Records"]:
        about = stream.log_ids(record)
        with failures.catching(record, telemetry, about):
            done = publisher.publish(*stream.changed_job(record))
            if done.queued or done.announced:
                announced = [item.detail_type for item in done.announced]
                telemetry.note(**about, queued=len(done.queued), announced=", ".join(announced))
                if "Job Needs Attention" in announced:
                    telemetry.count("JobsNeedingAttention", fields=about)
