"""Replay: a job's recorded events merged again, and its standing told to the bus again.

A merge that changes nothing writes nothing. What is told has the ids that it had, so whoever remembers them hears only
what was missed. Media that nobody has tried yet go into the archive's queue again.
"""

from dataclasses import dataclass

from cli.errors import NothingFound, Refusal
from cli.jobs import PROVIDERS
from cli.stack import Stack
from dailies.aws.bucket import Bucket
from dailies.aws.bus import Bus
from dailies.aws.queues import WorkQueue
from dailies.jobs import rows
from dailies.jobs.models import Job
from dailies.steps.advance import advance
from dailies.steps.announce import Publisher
from dailies.timestamps import Timestamp


@dataclass(frozen=True, slots=True)
class Replayed:
    """A job after its replay: how many events were merged, whether its row changed by that, how many media went into
    the archive's queue, and what the bus was told."""

    job: Job
    events: int
    changed: bool
    queued: int
    told: tuple[str, ...]


def replay(stack: Stack, provider: str, job_id: str) -> Replayed:
    """Merge all recorded events of a job again, and tell the bus how it stands. NothingFound where there are none."""
    before = stack.table.job(provider, job_id)
    job, count = before, 0
    for event in stack.table.events(provider, job_id):
        job, count = advance(stack.table, event), count + 1
    if job is None:
        raise NothingFound(f"nothing is recorded of {provider}/{job_id}; `dailies jobs` lists the jobs there are")
    _list(stack, job)
    done = publisher(stack).publish(None, job)
    return Replayed(job, count, job != before, len(done.queued), tuple(item.detail_type for item in done.announced))


def publisher(stack: Stack) -> Publisher:
    """What does for the stack as its function announce does."""
    return Publisher(
        archive_queue=WorkQueue(stack.sqs, stack.output("ArchiveQueueUrl")),
        bucket=Bucket(lambda: stack.s3, stack.bucket_name),
        bus=Bus(stack.events, stack.output("BusName")),
        announces_media_found=stack.announces_media_found,
    )


def find_job(stack: Stack, name: str) -> tuple[str, str]:
    """Provider and id of a job by its id, or by `provider/id`; also of one whose events were never merged."""
    provider, slash, rest = name.partition("/")
    asked = [(provider, rest)] if slash and provider in PROVIDERS else [(one, name) for one in PROVIDERS]
    found = [pair for pair in asked if any(True for _ in stack.table.events(*pair)) or stack.table.job(*pair)]
    if not found:
        raise NothingFound(f"nothing is recorded of {name}; `dailies jobs` lists the jobs there are")
    if len(found) > 1:
        raise Refusal(f"{len(found)} jobs have that id; say {' or '.join(f'{one}/{name}' for one, _ in found)}")
    return found[0]


def from_rows(stack: Stack, *, since: Timestamp = "", provider: str | None = None) -> list[tuple[str, str]]:
    """Provider and id of all jobs with a row or an event since then, from the whole table: for what no index knows,
    events that were never merged and jobs of the version before the index. Reads every row there is."""
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.output("TableName"),
        FilterExpression="begins_with(pk, :job) AND (received_at >= :since OR updated_at >= :since)",
        ExpressionAttributeValues={
            ":job": {"S": f"job#{provider}#" if provider else "job#"},
            ":since": {"S": since or " "},
        },
        ProjectionExpression="provider, job_id",
    )
    found = ((item["provider"]["S"], item["job_id"]["S"]) for page in pages for item in page["Items"])
    return list(dict.fromkeys(found))


def _list(stack: Stack, job: Job) -> None:
    """List a job whose row was written before there was an index, if it still is so."""
    item = rows.job_item(job)
    try:
        stack.dynamodb.update_item(
            TableName=stack.output("TableName"),
            Key={"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}},
            UpdateExpression="SET listed = :listed",
            ConditionExpression="attribute_not_exists(listed) AND version = :read",
            ExpressionAttributeValues={":listed": {"S": item["listed"]}, ":read": {"N": str(job.version)}},
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return  # it is listed, or was written anew just now, and is listed by that
