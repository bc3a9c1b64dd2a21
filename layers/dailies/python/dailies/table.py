"""The table: the few calls on it. How its rows look: `rows`."""

import gzip
import heapq
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

from dailies.clock import Moment
from dailies.errors import VersionConflict
from dailies.merging import merge
from dailies.models import Event, Job, Standing
from dailies.rows import SHARDS, Item, event_of, job_item, job_of, job_pk, listed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLIENT = Config(
    connect_timeout=1,
    read_timeout=2,  # three tries and their pauses end well before the receivers' time
    retries={"mode": "standard", "total_max_attempts": 3},
)
INDEX = "jobs"
PAGE = 50  # jobs of the index in one read: ten kilobytes
MOST_INLINE = 300 * 1024  # bytes, compressed: DynamoDB ends items at 400 KB, the rest of a row is below 40
MOST_TRIES = 20  # of a merge that others overtake: each time, one of them has gone through


def compressed(payload: bytes) -> bytes:
    """A payload as it is kept: gzip, the same bytes for the same payload."""
    return gzip.compress(payload, compresslevel=6, mtime=0)


class Table:
    """The calls on the table. All are safe to repeat. botocore's errors pass through."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def put_once(self, item: Item, *, written_by: str) -> bool:
        """Put a row that is not there yet. True where we wrote it, also when AWS did and its answer was lost, so that
        the SDK's second try met our own row: `written_by` tells the writers apart."""
        try:
            self._client.put_item(
                TableName=self._name,
                Item=_typed({**item, "written_by": written_by}),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            there: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
            return bool(there.get("written_by") == {"S": written_by})
        return True

    def job(self, provider: str, job_id: str) -> Job | None:
        """The job as it stands now."""
        answer = self._client.get_item(
            TableName=self._name, Key=_typed({"pk": job_pk(provider, job_id), "sk": "job"}), ConsistentRead=True
        )
        return job_of(plain(answer["Item"])) if "Item" in answer else None

    def advance(self, event: Event) -> Job:
        """Merge an event into its job row. VersionConflict where others overtook it MOST_TRIES times."""
        for _ in range(MOST_TRIES):
            job = self.job(event.provider, event.job_id)
            merged = merge(job, event)
            if merged == job or self._replace(job, merged):
                return merged
        raise VersionConflict(f"{event.provider} {event.job_id}")

    def events(self, provider: str, job_id: str) -> Iterator[Event]:
        """The job's recorded events, without payloads, in no order."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues=_typed({":pk": job_pk(provider, job_id), ":event": "event#"}),
            ConsistentRead=True,
        )
        return (event_of(plain(item)) for page in pages for item in page["Items"])

    def standing_jobs(
        self, provider: str, standing: Standing, *, since: Moment = "", until: Moment = "~", newest_first: bool = True
    ) -> Iterator[Item]:
        """The jobs of a list, in the order of their last news: what the index holds of each. Read as far as it is
        asked for, a page of each shard at a time; the index may be a moment behind.

        `since` and `until` bound `updated_at`, both included.
        """
        shards = [
            self._shard(listed(provider, standing, shard), since or " ", until, newest_first=newest_first)
            for shard in range(SHARDS)
        ]
        return heapq.merge(*shards, key=lambda item: (item["updated_at"], item["pk"]), reverse=newest_first)

    def _shard(self, partition: str, since: Moment, until: Moment, *, newest_first: bool) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=INDEX,
            KeyConditionExpression="listed = :listed AND updated_at BETWEEN :since AND :until",
            ExpressionAttributeValues=_typed({":listed": partition, ":since": since, ":until": until}),
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": PAGE},
        )
        return (plain(item) for page in pages for item in page["Items"])

    def _replace(self, old: Job | None, new: Job) -> bool:
        """Write the row where it still has the version that we read; False where it has another."""
        version = old.version if old else 0
        item = job_item(new) | {"version": version + 1}
        try:
            if old is None:
                self._client.put_item(
                    TableName=self._name, Item=_typed(item), ConditionExpression="attribute_not_exists(pk)"
                )
            else:
                self._client.put_item(
                    TableName=self._name,
                    Item=_typed(item),
                    ConditionExpression="#version = :read",
                    ExpressionAttributeNames={"#version": "version"},
                    ExpressionAttributeValues=_typed({":read": version}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def plain(typed: Mapping[str, Any]) -> Item:
    """An item as DynamoDB and its streams write it ({"S": ...}), without its binary attributes."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in typed.items() if "B" not in value}


def _typed(item: Mapping[str, Any]) -> dict[str, Any]:
    write = TypeSerializer().serialize
    return {name: write(value) for name, value in item.items()}
