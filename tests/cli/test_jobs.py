"""A page of jobs costs the same reads for a thousand jobs as for a million.

DynamoDB is a stand-in that answers Query from keys alone: it computes a million rows and stores none. It counts queries
and rows.
"""

import json
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

from cli import jobs
from cli.jobs import Cursor, Filter
from cli.stack import Stack
from dailies.jobs.rows import LIST_NAMES, SHARDS, list_key
from dailies.providers import every_provider
from dailies.timestamps import from_datetime

NEWEST = datetime(2026, 11, 25, tzinfo=UTC)
STATUS = {"waiting": "processing", "silent": "pending", "archiving": "completed", "attention": "completed"}
STAGE = {"silent": "attention", "completed": "settled", "failed": "settled", "canceled": "settled"}
PARTITIONS = [
    list_key(provider, list_name, shard)
    for provider in jobs.PROVIDERS
    for list_name in LIST_NAMES
    for shard in range(SHARDS)
]


class Index:
    """An index of `count` jobs, spread evenly over its partitions. The job of rank r, 0 being the newest, changed r
    seconds ago.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = Lock()
        self.queries = 0
        self.rows = 0

    def rank(self, updated_at: str) -> float:
        """The rank of the job of that time. A time outside of this index is before or after all ranks."""
        if updated_at < "0":
            return self._count
        return (NEWEST - datetime.fromisoformat(updated_at)).total_seconds() if updated_at[:1].isdigit() else 0

    def query(self, asked: Any) -> dict[str, Any]:
        """DynamoDB's response to a Query, newest first."""
        values = asked["ExpressionAttributeValues"]
        number = PARTITIONS.index(values[":listed"]["S"])
        after = asked.get("ExclusiveStartKey")
        first = self.rank(after["updated_at"]["S"]) + 1 if after else self.rank(values[":until"]["S"])
        last = min(self.rank(values[":since"]["S"]), self._count - 1)
        first = first + (number - first) % len(PARTITIONS)  # in this partition
        ranks = range(int(first), int(last) + 1, len(PARTITIONS))
        items = [self._item(rank) for rank in ranks[: asked["Limit"]]]
        with self._lock:
            self.queries += 1
            self.rows += len(items)
        key = (
            {name: items[-1][name] for name in ("pk", "sk", "listed", "updated_at")} if len(items) < len(ranks) else {}
        )
        return {"Items": items, "Count": len(items), **({"LastEvaluatedKey": key} if key else {})}

    def _item(self, rank: int) -> dict[str, Any]:
        partition = PARTITIONS[rank % len(PARTITIONS)]
        provider, list_name, _ = partition.split("#")
        row = {
            "pk": f"job#{provider}#{rank}", "sk": "job", "listed": partition, "provider": provider, "webhook": "any",
            "job_id": str(rank), "updated_at": from_datetime(NEWEST - timedelta(seconds=rank)),
            "status": STATUS.get(list_name, list_name), "stage": STAGE.get(list_name, list_name),
        }  # fmt: skip
        return {name: {"S": value} for name, value in row.items()}


class Jobs:
    """A stack whose table has such an index."""

    def __init__(self, index: Index, stack: Stack) -> None:
        self._index = index
        self._stack = stack

    def page(self, chosen: Filter, after: Cursor | None = None) -> tuple[list[int], Cursor | None, tuple[int, int]]:
        """The ranks of a page's jobs, the end of the page, and its cost: queries, rows read."""
        before = self._index.queries, self._index.rows
        page = jobs.page(self._stack, chosen, after=after)
        cost = self._index.queries - before[0], self._index.rows - before[1]
        return [int(row["job_id"]) for row in page.rows], page.cursor, cost


def jobs_of(count: int) -> Jobs:
    """A number of jobs."""
    index = Index(count)
    stack = Stack(
        name="dailies",
        region="us-east-1",
        webhook_base_url="",
        outputs={"TableName": "dailies"},
        parameters={},
        session=boto3.Session("key", "secret", region_name="us-east-1"),
    )

    def answer(request: Any, **_: object) -> Any:
        raw: Any = MockRawResponse(json.dumps(index.query(json.loads(request.body))))
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    stack.dynamodb.meta.events.register_first("before-send.dynamodb.Query", answer)
    return Jobs(index, stack)


@pytest.fixture(scope="module")
def thousand() -> Jobs:
    """A thousand jobs."""
    return jobs_of(1_000)


@pytest.fixture(scope="module")
def million() -> Jobs:
    """A million jobs."""
    return jobs_of(1_000_000)


@pytest.mark.parametrize(
    ("chosen", "partitions"),
    [
        (Filter(), len(PARTITIONS)),
        (Filter(provider="sync"), len(LIST_NAMES) * SHARDS),
        (Filter(stage="settled"), len(every_provider()) * 3 * SHARDS),
        (Filter(stage="attention", provider="captions"), 2 * SHARDS),
        (Filter(status="failed", stage="settled"), len(every_provider()) * SHARDS),
    ],
)
def test_a_page_of_fifty_takes_as_many_queries_of_a_million_jobs_as_of_a_thousand(
    chosen: Filter, partitions: int, thousand: Jobs, million: Jobs
) -> None:
    few, _, of_few = thousand.page(chosen)
    many, _, of_many = million.page(chosen)
    assert many[: len(few)] == few[: len(many)]  # the newest ones, however many follow
    assert len(many) == 50
    assert of_many[0] == of_few[0] == partitions
    assert of_many[1] <= 50 * partitions  # one page of each


def test_the_next_pages_cost_no_more_and_give_each_job_once(million: Jobs) -> None:
    seen: list[int] = []
    cursor: Cursor | None = None
    for _ in range(2):
        ranks, cursor, (queries, rows) = million.page(Filter(), cursor)
        seen += ranks
        assert (queries, rows <= 50 * len(PARTITIONS)) == (len(PARTITIONS), True)
    assert seen == list(range(100))


def test_a_page_far_back_costs_what_the_first_one_does(million: Jobs) -> None:
    until = from_datetime(NEWEST - timedelta(seconds=900_000))
    ranks, _, (queries, _) = million.page(Filter(until=until))
    assert (ranks, queries) == (list(range(900_000, 900_050)), len(PARTITIONS))


def test_a_filter_with_few_matches_ends_its_page_with_a_cursor(million: Jobs) -> None:
    """No job is `unknown`: all candidates are read, but not for one page."""
    ranks, cursor, (_, rows) = million.page(Filter(status="unknown"))
    assert ranks == []
    assert cursor
    assert rows < 10_000
