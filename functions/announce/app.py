"""Changed job rows, from the table's stream: tell the bus what follows, and keep a settled job's page."""

import os
from typing import Any

import boto3

from dailies import bucket, bus, queue, stream
from dailies.announcing import announcements, page
from dailies.bucket import Bucket
from dailies.bus import Bus
from dailies.queue import FailureQueue
from dailies.telemetry import Telemetry

s3 = boto3.client("s3", config=bucket.CLIENT)
pages = Bucket(lambda: s3, os.environ["BUCKET_NAME"])
owner = Bus(boto3.client("events", config=bus.CLIENT), os.environ["BUS_NAME"])
failures = FailureQueue(boto3.client("sqs", config=queue.CLIENT), os.environ["FAILURE_QUEUE_URL"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def lambda_handler(batch: dict[str, Any], _context: object) -> None:
    """Safe to run again for the same batch: pages are overwritten, announcements keep their ids."""
    for record in batch["Records"]:
        about = stream.named(record)
        with failures.keeping(record, telemetry, about):
            before, job = stream.changed_job(record)
            news = announcements(before, job)
            if any(item.detail_type == "Job Settled" for item in news):
                pages.put_job(bucket.job_key(job.provider, job.job_id), page(job))
            owner.tell(news)
            if told := [item.detail_type for item in news]:
                fields = {**about, "provider": job.provider, "told": ", ".join(told)}
                attention = told.count("Job Needs Attention")
                telemetry.count("Changes", fields=fields, announcements=len(told), attention=attention)
