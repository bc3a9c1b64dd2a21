"""The DynamoDB table. `jobs.rows` converts its rows."""

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
    parameter_validation=False,  # DynamoDB validates too; botocore's validation takes a tenth of the call
    user_agent="dailies",  # botocore composes its own twice in each call, another tenth
    connect_timeout=1,  # second
    read_timeout=2,  # seconds; three attempts and their pauses end well before the receivers' timeout
    retries={"mode": "standard", "total_max_attempts": 3},
)
INDEX = "jobs"
MAX_KEYS = 100  # DynamoDB's limit for one BatchGetItem
MAX_BATCH_ATTEMPTS = 4  # to read keys that DynamoDB returns unprocessed, as it does when it throttles
BATCH_PAUSE = 0.2  # seconds after the first attempt; doubles
PAGE = 50  # jobs in one read of the index: 10 KB


class Table:
    """The table `name`. All calls are safe to repeat. Botocore's errors pass through."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def put_once(self, item: Item, *, written_by: str) -> bool:
        """Write a row unless its key has one. Return whether this call wrote it.

        `written_by` identifies the call. If AWS's answer was lost and the SDK's retry finds the row that the first
        attempt wrote, the result is True.
        """
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
        """Read a row consistently, without its binary attributes. None if the key has no row."""
        answer = self._client.get_item(TableName=self._name, Key=typed(key), ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def put_versioned(self, item: Item, version: int) -> bool:
        """Write a row if its version is still `version`, 0 for no row. False if it has changed. The new version is one
        higher."""
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
        """Write the row of an event that Dailies created, as `put_once` does. It expires after `retention_days`.

        A payload that is too large for a row is left out: no API returns one for a single job.
        """
        expires_at = int(timestamps.seconds(event.received_at)) + retention_days * timestamps.DAY
        payload = compressed(event.payload)
        kept = {"payload": payload} if event.payload and len(payload) <= MAX_INLINE else {}
        return self.put_once(event_item(event, expires_at=expires_at, **kept), written_by=written_by)

    def job(self, provider: str, job_id: str) -> Job | None:
        """Read a job consistently. None if there is none."""
        row = self.get({"pk": job_pk(provider, job_id), "sk": "job"})
        return job_of(row) if row else None

    def replace_job(self, old: Job | None, new: Job) -> bool:
        """Write a job's row if it still has the version of `old`, None for no row. False if it has changed."""
        return self.put_versioned(job_item(new), old.version if old else 0)

    def events(self, provider: str, job_id: str) -> Iterator[Event]:
        """Read a job's events consistently, without payloads, in no order.

        Malformed rows are skipped: advance has sent each of them to its failure queue.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues=typed({":pk": job_pk(provider, job_id), ":event": "event#"}),
            ConsistentRead=True,
        )
        read = (_event(item) for page in pages for item in page["Items"])
        return (event for event in read if event)

    def jobs(self, provider: str, job_ids: Sequence[str]) -> dict[str, Job | None]:
        """Read up to MAX_KEYS jobs by id, eventually consistent. The value is None if there is no such job.

        Ids that DynamoDB returns unprocessed at all MAX_BATCH_ATTEMPTS are left out.
        """
        rows: dict[str, Job | None] = {}
        left = [{"pk": job_pk(provider, job_id), "sk": "job"} for job_id in dict.fromkeys(job_ids)]
        for number in range(MAX_BATCH_ATTEMPTS if left else 0):
            if number:
                from dailies.backoff import backoff  # noqa: PLC0415  receivers import this module but never wait here

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
        list_name: ListName,
        *,
        since: Timestamp = "",
        until: Timestamp = "~",
        newest_first: bool = True,
    ) -> Iterator[Item]:
        """Read a list's jobs in the order of `updated_at`: the attributes that the index has.

        `since` and `until` bound `updated_at`, both included. Pages are read on demand, one per shard at a time. The
        index is eventually consistent.
        """
        shards = [
            self._shard(list_key(provider, list_name, shard), since or " ", until, newest_first=newest_first)
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
