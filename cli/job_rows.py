"""Whole job rows, for rows of the index: what a list shows of a job's media, and what figures are made of."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from cli.stack import Stack
from dailies.aws.attribute_values import plain
from dailies.jobs.models import Job
from dailies.jobs.rows import Item, job_of

AT_ONCE = 100  # keys that DynamoDB takes in one call
READERS = 8
MAX_ATTEMPTS = 5


def whole(stack: Stack, listed: Iterable[Item]) -> dict[str, Job]:
    """The jobs of rows of the index, by `pk`. One that is gone since is left out."""
    batches = list(batched(dict.fromkeys(row["pk"] for row in listed), AT_ONCE, strict=False))
    if not batches:
        return {}
    with ThreadPoolExecutor(min(READERS, len(batches))) as readers:
        found = [list(items) for items in readers.map(lambda keys: list(_read(stack, keys)), batches)]
    return {item["pk"]: job_of(item) for items in found for item in items}


def _read(stack: Stack, keys: Sequence[str]) -> Iterator[Item]:
    table = stack.output("TableName")
    wanted: Any = {table: {"Keys": [{"pk": {"S": pk}, "sk": {"S": "job"}} for pk in keys]}}
    for _ in range(MAX_ATTEMPTS):
        answer = stack.dynamodb.batch_get_item(RequestItems=wanted)
        yield from (plain(item) for item in answer["Responses"].get(table, ()))
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return
    refused: Any = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "too much was read at once"}}
    raise ClientError(refused, "BatchGetItem")
