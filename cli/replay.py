"""Replay: merge a job's recorded events again, and publish its state on the bus again.

A merge that changes nothing writes nothing. Announcements keep their ids, so that a consumer can skip those that it
has. Media without an attempt are queued for the archive again.
"""

from dataclasses import dataclass

from cli.errors import CliError, NothingFound
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
    """A job after its replay. `events` is the number of merged events, `changed` whether its row changed, `queued` the
    number of media queued for the archive, `announced` the detail types published on the bus."""

    job: Job
    events: int
    changed: bool
    queued: int
    announced: tuple[str, ...]


def replay(stack: Stack, provider: str, job_id: str) -> Replayed:
    """Merge all recorded events of a job again, and publish its state. Raises NothingFound if there are none."""
    before = stack.table.job(provider, job_id)
    job, count = before, 0
    for event in stack.table.events(provider, job_id):
        job, count = advance(stack.table, event), count + 1
    if job is None:
        raise NothingFound(f"No events or job recorded for {provider}/{job_id}. List the jobs with `dailies jobs`.")
    _list(stack, job)
    done = publisher(stack).publish(None, job)
    return Replayed(job, count, job != before, len(done.queued), tuple(item.detail_type for item in done.announced))


def publisher(stack: Stack) -> Publisher:
    """Publishes for the stack, as its function announce does."""
    return Publisher(
        archive_queue=WorkQueue(stack.sqs, stack.output("ArchiveQueueUrl")),
        bucket=Bucket(lambda: stack.s3, stack.bucket_name),
        bus=Bus(stack.events, stack.output("BusName")),
        announces_media_found=stack.announces_media_found,
    )


def find_job(stack: Stack, name: str) -> tuple[str, str]:
    """Provider and id of a job by its id, or by `provider/id`; finds jobs whose events were never merged too. Raises
    NothingFound, or CliError if two providers use the id."""
    provider, slash, rest = name.partition("/")
    candidates = [(provider, rest)] if slash and provider in PROVIDERS else [(one, name) for one in PROVIDERS]
    found = [pair for pair in candidates if any(True for _ in stack.table.events(*pair)) or stack.table.job(*pair)]
    if not found:
        raise NothingFound(f"No events or job recorded for {name}. List the jobs with `dailies jobs`.")
    if len(found) > 1:
        raise CliError(f"{len(found)} jobs have this id. Use {' or '.join(f'{one}/{name}' for one, _ in found)}.")
    return found[0]


def from_rows(stack: Stack, *, since: Timestamp = "", provider: str | None = None) -> list[tuple[str, str]]:
    """Provider and id of all jobs with a row or an event since then. Scans the whole table, to find what the index does
    not have: events that were never merged, and jobs from versions without the index."""
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
    """Add a job to the index if its row is from a version without one and was not written since."""
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
        return  # it is in the index, or a concurrent write has just put it there
