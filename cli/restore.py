"""Restore: copy the rows that the stack's table lacks from a table restored from a backup.

The stack keeps its table, with the stream and settings that a restored table lacks. Job rows are copied first, as they
may contain facts of events that have expired; the events that follow merge into them and change nothing. Existing rows
are not overwritten, so a restore is safe to repeat.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.concurrency import threads
from cli.errors import CliError, NothingFound
from cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = dict[str, AttributeValueTypeDef]

WRITERS = 8  # rows written at the same time
KEPT = ("job#", "quarantine#")  # prefixes of the pk of lasting rows; other rows count API requests
PASSES = ("sk = :job", "sk <> :job")  # job rows, then all others


@dataclass(frozen=True, slots=True)
class Restored:
    """The number of rows copied, and of rows that were there already."""

    put_back: int
    there: int


def restore(stack: Stack, source: str, progress: Callable[[int], None] = lambda _: None) -> Restored:
    """Copy the rows that the stack's table lacks from the table `source`. `progress` is called with 1 for each row.

    Raises NothingFound if there is no such table, CliError if it is the stack's own.
    """
    if source == stack.output("TableName"):
        raise CliError(f"{source} is the table of {stack} itself. Name the restored table.")

    def put(item: "Item") -> bool:
        done = _put(stack, item)
        progress(1)
        return done

    put_back = there = 0
    with threads(WRITERS) as writers:
        for which in PASSES:  # the second pass starts when all rows of the first are written
            for page in _pages(stack, source, which):
                done = list(writers.map(put, page))
                put_back, there = put_back + sum(done), there + len(done) - sum(done)
    return Restored(put_back, there)


def _pages(stack: Stack, source: str, which: str) -> Iterator[list["Item"]]:
    """The lasting rows of a table that have not expired, in pages."""
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=source,
        ConsistentRead=True,
        FilterExpression=f"{which} AND (attribute_not_exists(expires_at) OR expires_at > :now)",
        ExpressionAttributeValues={":job": {"S": "job"}, ":now": {"N": str(int(time.time()))}},
    )
    try:
        for page in pages:
            yield [item for item in page["Items"] if item["pk"]["S"].startswith(KEPT)]
    except stack.dynamodb.exceptions.ResourceNotFoundException:
        raise NothingFound(
            f"No table {source} in {stack.region}. List the tables with `aws dynamodb list-tables`."
        ) from None


def _put(stack: Stack, item: "Item") -> bool:
    """Write a row unless one with its key exists; whether it was written."""
    try:
        stack.dynamodb.put_item(
            TableName=stack.output("TableName"), Item=item, ConditionExpression="attribute_not_exists(pk)"
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True
