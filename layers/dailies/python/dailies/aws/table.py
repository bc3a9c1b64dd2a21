"""The table: the few calls on it. How its rows look: `rows`."""

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from dailies import timestamps
from dailies.aws.attribute_values import plain, typed
from dailies.aws.payload_store import MAX_INLINE, compressed
from dailies.jobs.models import Event, Job, ListName
from dailies.jobs.rows import SHARDS, Item, event_item, event_of, job_item, job_of, job_pk, list_key
from dailies.timestamps import Timestamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CLIENT = Config(
    parameter_validation=False,  # DynamoDB checks as much; checking here first costs a tenth of the call
    user_agent="dailies",  # botocore composes its own anew twice in a call, for another tenth
    connect_timeout=1,
    read_timeout=2,  # three tries and their pauses end well before the receivers' time
    retries={"mode": "standard", "total_max_attempts": 3},
)
INDEX = "jobs"
MAX_KEYS = 100  # that one BatchGetItem takes
BATCH_TRIES = 4  # at what DynamoDB leaves unprocessed, as it does at its limit
BATCH_PAUSE = 0.2  # seconds after the first of them; doubles
PAGE = 50  # jobs of the index in one read: ten kilobytes


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
                Item=typed({**item, "written_by": written_by}),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            there: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
            return bool(there.get("written_by") == {"S": written_by})
        return True

    def get(self, key: Item) -> Item | None:
        """The row under a key, as it is now; None where there is none."""
        answer = self._client.get_item(TableName=self._name, Key=typed(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def put_versioned(self, item: Item, version: int) -> bool:
        """Write a row over the `version` that was read, 0 where there was none; False where it changed since."""
        item = typed({**item, "version": version + 1})
        try:
            if not version:
                self._client.put_item(TableName=self._name, Item=item, ConditionExpression="attribute_not_exists(pk)")
            else:
                self._client.put_item(
                    TableName=self._name,
                    Item=item,
                    ConditionExpression="#version = :read",
                    ExpressionAttributeNames={"#version": "version"},
                    ExpressionAttributeValues=typed({":read": version}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def record(self, event: Event, *, retention_days: int, written_by: str) -> bool:
        """Put the row of an event that we made ourselves; whether it was not there yet. An answer of an API that is too
        large for a row is no job's, and is left out."""
        expires_at = int(timestamps.seconds(event.received_at)) + retention_days * timestamps.DAY
        payload = compressed(event.payload)
        kept = {"payload": payload} if event.payload and len(payload) <= MAX_INLINE else {}
        return self.put_once(event_item(event, expires_at=expires_at, **kept), written_by=written_by)

    def job(self, provider: str, job_id: str) -> Job | None:
        """The job as it is now."""
        row = self.get({"pk": job_pk(provider, job_id), "sk": "job"})
        return job_of(row) if row else None

    def replace_job(self, old: Job | None, new: Job) -> bool:
        """Write a job's row where it still has the version that was read; False where it has another one by now."""
        return self.put_versioned(job_item(new), old.version if old else 0)

    def events(self, provider: str, job_id: str) -> Iterator[Event]:
        """The job's recorded events, without payloads, in no order. A row that cannot be read is passed over: advance
        has put it, whole, into its failure queue."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues=typed({":pk": job_pk(provider, job_id), ":event": "event#"}),
            ConsistentRead=True,
        )
        read = (_event(item) for page in pages for item in page["Items"])
        return (event for event in read if event)

    def jobs(self, provider: str, job_ids: Sequence[str]) -> dict[str, Job | None]:
        """These jobs, at most MAX_KEYS, perhaps as they stood a moment ago; None where there is none. Those that
        DynamoDB does not get at within BATCH_TRIES are left out."""
        rows: dict[str, Job | None] = {}
        left = [{"pk": job_pk(provider, job_id), "sk": "job"} for job_id in dict.fromkeys(job_ids)]
        for number in range(BATCH_TRIES if left else 0):
            if number:
                from dailies.backoff import backoff  # noqa: PLC0415  receivers import this module and never get here

                time.sleep(backoff(BATCH_PAUSE, number))
            answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": list(map(typed, left))}})
            jobs = [job_of(plain(row)) for row in answer["Responses"].get(self._name, ())]
            rows |= {job_pk(provider, job.job_id): job for job in jobs}
            left = [plain(key) for key in answer["UnprocessedKeys"].get(self._name, {"Keys": ()})["Keys"]]
            if not left:
                break
        unread = {key["pk"] for key in left}
        keys = {job_id: job_pk(provider, job_id) for job_id in job_ids}
        return {job_id: rows.get(key) for job_id, key in keys.items() if key not in unread}

    def list_jobs(
        self,
        provider: str,
        standing: ListName,
        *,
        since: Timestamp = "",
        until: Timestamp = "~",
        newest_first: bool = True,
    ) -> Iterator[Item]:
        """The jobs of a list, in the order of their last news: what the index holds of each. Read as far as it is
        asked for, a page of each shard at a time; the index may be a moment behind.

        `since` and `until` bound `updated_at`, both included.
        """
        shards = [
            self._shard(list_key(provider, standing, shard), since or " ", until, newest_first=newest_first)
            for shard in range(SHARDS)
        ]
        return heapq.merge(*shards, key=lambda item: (item["updated_at"], item["pk"]), reverse=newest_first)

    def _shard(self, partition: str, since: Timestamp, until: Timestamp, *, newest_first: bool) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=INDEX,
            KeyConditionExpression="listed = :listed AND updated_at BETWEEN :since AND :until",
            ExpressionAttributeValues=typed({":listed": partition, ":since": since, ":until": until}),
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": PAGE},
        )
        return (plain(item) for page in pages for item in page["Items"])


def _event(row: Mapping[str, Any]) -> Event | None:
    try:
        return event_of(plain(row))
    except (KeyError, TypeError):
        return None
