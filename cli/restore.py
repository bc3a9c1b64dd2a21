"""A restore: the rows that the stack's table lacks are put back from another one, which was restored beside it.

The stack's table stays as it is, with its stream and its settings: a restored one has neither. Job rows come first, as
their facts may come from events that have expired; the events that follow merge into them and change nothing. Rows that
are there stay, so a restore may be repeated.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.concurrency import threads
from cli.errors import NothingFound, Refusal
from cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    type Item = dict[str, AttributeValueTypeDef]

WRITERS = 8  # rows written at once
KEPT = ("job#", "quarantine#")  # what rows' pk begin with that are for good; the others count calls of APIs
PAGE_OF = ("sk = :job", "sk <> :job")  # job rows, then all others


@dataclass(frozen=True, slots=True)
class Restored:
    """How many rows were put back, and how many were there."""

    put_back: int
    there: int


def restore(stack: Stack, source: str, tell: Callable[[int], None] = lambda _: None) -> Restored:
    """Put back what the stack's table lacks of the table `source`. `tell` is called with 1 for each row looked at.

    NothingFound where there is no such table, Refusal where it is the stack's own.
    """
    if source == stack.output("TableName"):
        raise Refusal(f"{source} is the table of {stack}; name the one that was restored beside it")

    def put(item: "Item") -> bool:
        done = _put(stack, item)
        tell(1)
        return done

    put_back = there = 0
    with threads(WRITERS) as writers:
        for which in PAGE_OF:  # all of one kind are written before the next is begun
            for page in _pages(stack, source, which):
                done = list(writers.map(put, page))
                put_back, there = put_back + sum(done), there + len(done) - sum(done)
    return Restored(put_back, there)


def _pages(stack: Stack, source: str, which: str) -> Iterator[list["Item"]]:
    """The rows of a table that are for good, and have not expired."""
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
        raise NothingFound(f"there is no table {source} in {stack.region}; `aws dynamodb list-tables`") from None


def _put(stack: Stack, item: "Item") -> bool:
    """Put a row back; False where there is one."""
    try:
        stack.dynamodb.put_item(
            TableName=stack.output("TableName"), Item=item, ConditionExpression="attribute_not_exists(pk)"
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True
