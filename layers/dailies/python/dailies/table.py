"""The table: the few calls on it. How its rows look: `rows`."""

import gzip
import heapq
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from dailies import clock
from dailies.allowance import Limit, Taken, take
from dailies.attributes import plain, typed
from dailies.clock import Moment
from dailies.errors import VersionConflict
from dailies.merging import merge
from dailies.models import Event, Job, Standing
from dailies.rows import SHARDS, Item, event_item, event_of, job_item, job_of, job_pk, listed

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
MOST_KEYS = 100  # that one BatchGetItem takes
BATCH_TRIES = 4  # at what DynamoDB leaves unprocessed, as it does at its limit
BATCH_PAUSE = 0.1  # seconds; doubles
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
                Item=typed({**item, "written_by": written_by}),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            there: Mapping[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
            return bool(there.get("written_by") == {"S": written_by})
        return True

    def record(self, event: Event, *, retention_days: int, written_by: str) -> bool:
        """Put the row of an event that we made ourselves; whether it was not there yet. An answer of an API that is too
        large for a row is no job's, and is left out."""
        expires_at = int(clock.seconds(event.received_at)) + retention_days * clock.DAY
        payload = compressed(event.payload)
        kept = {"payload": payload} if event.payload and len(payload) <= MOST_INLINE else {}
        return self.put_once(event_item(event, expires_at=expires_at, **kept), written_by=written_by)

    def job(self, provider: str, job_id: str) -> Job | None:
        """The job as it stands now."""
        answer = self._client.get_item(
            TableName=self._name, Key=typed({"pk": job_pk(provider, job_id), "sk": "job"}), ConsistentRead=True
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
        """These jobs, at most MOST_KEYS, perhaps as they stood a moment ago; None where there is none. Those that
        DynamoDB does not get at within BATCH_TRIES are left out."""
        rows: dict[str, Job | None] = {}
        left = [{"pk": job_pk(provider, job_id), "sk": "job"} for job_id in dict.fromkeys(job_ids)]
        for number in range(BATCH_TRIES if left else 0):
            if number:
                time.sleep(BATCH_PAUSE * 2**number * random.uniform(0.5, 1.5))  # noqa: S311  no secret
            answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": list(map(typed, left))}})
            jobs = [job_of(plain(row)) for row in answer["Responses"].get(self._name, ())]
            rows |= {job_pk(provider, job.job_id): job for job in jobs}
            left = [plain(key) for key in answer["UnprocessedKeys"].get(self._name, {"Keys": ()})["Keys"]]
            if not left:
                break
        unread = {key["pk"] for key in left}
        keys = {job_id: job_pk(provider, job_id) for job_id in job_ids}
        return {job_id: rows.get(key) for job_id, key in keys.items() if key not in unread}

    def take_calls(self, provider: str, limit: Limit, wanted: int, now: float) -> int:
        """Take calls of a provider's API from its rate limit, which all functions share: how many there is room for;
        none where others overtook us MOST_TRIES times: they have taken what there was."""
        key = typed({"pk": f"allowance#{provider}", "sk": "allowance"})
        for _ in range(MOST_TRIES):
            answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
            row: Item = plain(answer["Item"]) if "Item" in answer else {"version": 0, "taken": []}
            before = [Taken(float(at), int(calls)) for at, calls in row["taken"]]
            granted, taken = take(before, limit, wanted, now)
            if not granted or self._put_versioned(
                {**plain(key), "taken": [[str(one.at), one.calls] for one in taken]}, int(row["version"])
            ):
                return granted
        return 0

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
            ExpressionAttributeValues=typed({":listed": partition, ":since": since, ":until": until}),
            ScanIndexForward=not newest_first,
            PaginationConfig={"PageSize": PAGE},
        )
        return (plain(item) for page in pages for item in page["Items"])

    def _replace(self, old: Job | None, new: Job) -> bool:
        """Write the row where it still has the version that we read; False where it has another."""
        return self._put_versioned(job_item(new), old.version if old else 0)

    def _put_versioned(self, item: Item, version: int) -> bool:
        """Write a row over the version that was read, 0 where there was none; False where it has another by now."""
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


def _event(row: Mapping[str, Any]) -> Event | None:
    try:
        return event_of(plain(row))
    except (KeyError, TypeError):
        return None
