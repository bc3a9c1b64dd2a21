"""Deletes everything that a smoke test has made, by its record, whatever the test's result."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from resilience.aws import leftovers, listener
from resilience.aws.steps import Wrong, until
from resilience.aws.trial import Trial

DELETED_SECONDS = 900.0  # a deletion takes two or three minutes; it may wait for Captions' rate limit
SETTLED_SECONDS = 1800.0  # for an interrupted update, its rollback included
MAY_BE_DELETED = ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")


def clear(trial: Trial, tell: Callable[[str], None]) -> list[str]:
    """Delete everything; returns the remains, a line each. A failed deletion does not stop the others."""
    left: list[str] = []
    record = trial.record

    def attempt(what: str, delete: Callable[[], object]) -> None:
        tell(f"deleting {what}")
        try:
            delete()
        except (BotoCoreError, ClientError, Wrong) as error:
            left.append(f"{what}: {error}")

    attempt("the rule and the queue that listened", lambda: listener.stop(trial))
    attempt(f"the stack {trial.name}", lambda: delete_stack(trial))
    if not left:  # while a stack exists, its table and bucket belong to it
        for table in record.tables:
            attempt(f"the table {table}", lambda table=table: leftovers.delete_table(trial.place, table))  # type: ignore[misc]
        for bucket in record.buckets:
            attempt(f"the bucket {bucket}", lambda bucket=bucket: leftovers.delete_bucket(trial.place, bucket))  # type: ignore[misc]
        for group in leftovers.LOOKS["log group"](trial.place, trial.name):
            attempt(f"the log group {group}", lambda group=group: leftovers.delete_log_group(trial.place, group))  # type: ignore[misc]
        if record.files:
            attempt(f"the bucket {record.files}", lambda: leftovers.delete_bucket(trial.place, record.files))
    if left:
        return left
    there = leftovers.settled(trial.place, trial.name, [])
    if not there:
        trial.path.unlink(missing_ok=True)
    return there


def delete_stack(trial: Trial) -> None:
    """Delete the stack, once no operation on it is in progress. Does nothing if it is gone."""
    cloudformation = trial.place.client("cloudformation")

    def status() -> str:
        return next((one["StackStatus"] for one in trial.described()), "")

    now = until(
        f"the stack {trial.name} becomes idle",
        status,
        lambda seen: not seen.endswith("_IN_PROGRESS") or seen in MAY_BE_DELETED,
        seconds=SETTLED_SECONDS,
    )
    if now:
        _record_what_stays(trial)
        cloudformation.delete_stack(StackName=trial.record.stack_id or trial.name)
        now = until(
            f"the stack {trial.name} is gone",
            status,
            lambda seen: not seen or seen == "DELETE_FAILED",
            seconds=DELETED_SECONDS,
        )
        if now:
            raise Wrong("DELETE_FAILED: its events in CloudFormation have the reason")
    trial.forget_stack()


def _record_what_stays(trial: Trial) -> None:
    """Also for a stack that never finished, and so has no outputs: its table and bucket are retained all the same."""
    kinds = {"AWS::DynamoDB::Table": trial.record.tables, "AWS::S3::Bucket": trial.record.buckets}
    pages = trial.place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=trial.name)
    for page in pages:
        for one in page["StackResourceSummaries"]:
            names, name = kinds.get(one["ResourceType"]), one.get("PhysicalResourceId")
            if names is not None and name and name not in names:
                names.append(name)
    trial.keep()
