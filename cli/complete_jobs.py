"""Complete job rows for rows of the index, which has no media: for lists with pictures and for statistics."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from cli.stack import Stack
from dailies.aws.attribute_values import plain
from dailies.jobs.models import Job
from dailies.jobs.rows import Item, job_of

BATCH = 100  # keys that DynamoDB accepts in one call
READERS = 8
MAX_ATTEMPTS = 5


def whole(stack: Stack, listed: Iterable[Item]) -> dict[str, Job]:
    """The jobs of rows of the index, by `pk`. Deleted ones are left out."""
    batches = list(batched(dict.fromkeys(row["pk"] for row in listed), BATCH, strict=False))
    if not batches:
        return {}
    with ThreadPoolExecutor(min(READERS, len(batches))) as readers:
        found = [list(items) for items in readers.map(lambda keys: list(_read(stack, keys)), batches)]
    return {item["pk"]: job_of(item) for items in found for item in items}


def _read(stack: Stack, keys: Sequence[str]) -> Iterator[Item]:
    table = stack.output("TableName")
    keys_left: Any = {table: {"Keys": [{"pk": {"S": pk}, "sk": {"S": "job"}} for pk in keys]}}
    for _ in range(MAX_ATTEMPTS):
        answer = stack.dynamodb.batch_get_item(RequestItems=keys_left)
        yield from (plain(item) for item in answer["Responses"].get(table, ()))
        keys_left = answer.get("UnprocessedKeys")
        if not keys_left:
            return
    refused: Any = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "too many reads at once"}}
    raise ClientError(refused, "BatchGetItem")
