"""The table's code on a DynamoDB: who wins a race, what a condition accepts, what the index lists, what fits."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from dailies.aws.attribute_values import plain, typed
from dailies.aws.payload_store import MAX_INLINE
from dailies.aws.table import CLIENT, INDEX, MAX_KEYS, PAGE, Table
from dailies.jobs.models import Event, Job, MediaLink
from dailies.jobs.rows import SHARDS, job_pk, quarantine_item
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.contract import Limit
from dailies.steps.advance import advance
from local.aws import Aws
from resilience.compatibility.checks import Check
from testkit.support.template import resources

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME = "jobs"
CREATED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
WORKERS = 16  # fewer than a merge has attempts: for each attempt that fails, another one has succeeded
DAYS = 30


@dataclass(frozen=True)
class CheckedTable:
    """A table with the template's keys and index. `others` are further clients, as other functions have."""

    client: "DynamoDBClient"
    others: Sequence["DynamoDBClient"]

    @classmethod
    def of(cls, aws: Aws) -> "CheckedTable":
        """Create the table."""
        options: Any = {"endpoint_url": aws.endpoint_url, "config": CLIENT.merge(Config(proxies={}))}
        client, *others = (aws.session.client("dynamodb", **options) for _ in range(WORKERS + 1))
        properties = resources("AWS::DynamoDB::Table")["Table"]
        client.create_table(TableName=NAME, **{name: properties[name] for name in CREATED})
        client.get_waiter("table_exists").wait(TableName=NAME, WaiterConfig={"Delay": 1})
        return cls(client, others)

    @property
    def table(self) -> Table:
        return Table(self.client, NAME)

    def at_once[Result](self, what: Callable[[int, Table], Result]) -> list[Result]:
        """The results of WORKERS that start at the same time, each with its own client."""
        begin = threading.Barrier(WORKERS)

        def run(number: int) -> Result:
            begin.wait()
            return what(number, Table(self.others[number], NAME))

        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(run, range(WORKERS)))

    def row(self, key: dict[str, str]) -> dict[str, Any]:
        answer = self.client.get_item(TableName=NAME, Key=typed(key), ConsistentRead=True)
        return plain(answer["Item"])


def told(number: int, job_id: str, provider: str = "sync", **changed: Any) -> Event:
    """A job's event, some seconds after another's."""
    event = Event(
        event_id=f"{number:064x}",
        provider=provider,
        webhook="generation",
        job_id=job_id,
        status="processing",
        provider_status="PROCESSING",
        origin="webhook",
        received_at=f"2026-01-15T10:{number // 60 % 60:02}:{number % 60:02}.000000Z",
    )
    return replace(event, **changed)


def medium(number: int) -> MediaLink:
    return MediaLink("segment", f"https://h.example/{number}.mp4")


def _one_winner(checked: CheckedTable) -> None:
    for round_number in range(5):
        key = {"pk": f"race#{round_number}", "sk": "event"}

        def put(number: int, table: Table, key: dict[str, str] = key) -> bool:
            return table.put_once({**key, "by": number}, written_by=f"w{number}")

        won = checked.at_once(put)
        assert sum(won) == 1
        assert checked.row(key)["by"] == won.index(True)


def _own_row(checked: CheckedTable) -> None:
    key = {"pk": "own", "sk": "event"}
    assert checked.table.put_once({**key, "by": 1}, written_by="a")
    assert not checked.table.put_once({**key, "by": 2}, written_by="b")
    assert checked.table.put_once({**key, "by": 3}, written_by="a")
    assert checked.row(key)["by"] == 1


def _merges_at_once(checked: CheckedTable) -> None:
    for round_number in range(3):
        job_id = f"merge-{round_number}"

        def merged(number: int, table: Table, job_id: str = job_id) -> Job:
            return advance(table, told(number, job_id, media=(medium(number),)))

        checked.at_once(merged)
        job = checked.table.job("sync", job_id)
        assert isinstance(job, Job)
        assert {each.media_id for each in job.media} == {medium(number).media_id for number in range(WORKERS)}
        assert 0 < job.version <= WORKERS
        assert {again.version for again in checked.at_once(merged)} == {job.version}
        assert checked.table.job("sync", job_id) == job


def _old_version(checked: CheckedTable) -> None:
    first = advance(checked.table, told(1, "old"))
    second = advance(checked.table, told(2, "old", status="completed"))
    assert not checked.table.replace_job(replace(first, version=1), second)
    assert not checked.table.replace_job(None, first)
    job = checked.table.job("sync", "old")
    assert isinstance(job, Job)
    assert (job.status, job.version) == ("completed", 2)


def _allowance(checked: CheckedTable) -> None:
    limit = Limit(calls=20, seconds=60)
    granted = checked.at_once(lambda number, table: reserve_calls(table, "sync", limit, 3, 1000.0 + number / 100))
    assert sum(granted) <= limit.calls
    assert sum(granted) + reserve_calls(checked.table, "sync", limit, 100, 1001.0) == limit.calls
    assert reserve_calls(checked.table, "sync", limit, 1, 1002.0) == 0
    assert reserve_calls(checked.table, "sync", limit, 100, 1100.0) == limit.calls


def _listed(checked: CheckedTable) -> None:
    many = SHARDS * PAGE + 60  # more than a page of some shard
    events = [told(number, f"g-{number}", "listed") for number in range(many)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda event: advance(checked.table, event), events))
    moments = sorted(event.received_at for event in events)
    for newest_first in (True, False):
        found = list(checked.table.list_jobs("listed", "waiting", newest_first=newest_first))
        assert [row["updated_at"] for row in found] == sorted(moments, reverse=newest_first)
        assert {row["job_id"] for row in found} == {event.job_id for event in events}
    since, until = events[20].received_at, events[30].received_at
    some = list(checked.table.list_jobs("listed", "waiting", since=since, until=until))
    assert {row["job_id"] for row in some} == {each.job_id for each in events if since <= each.received_at <= until}


def _moves(checked: CheckedTable) -> None:
    advance(checked.table, told(1, "g-1", "moves"))
    advance(checked.table, told(2, "g-1", "moves", status="failed"))
    assert list(checked.table.list_jobs("moves", "waiting")) == []
    (row,) = checked.table.list_jobs("moves", "failed")
    projection = resources("AWS::DynamoDB::Table")["Table"]["GlobalSecondaryIndexes"][0]["Projection"]
    assert row.keys() <= {"pk", "sk", "listed", "updated_at", *projection["NonKeyAttributes"]}
    assert row["status"] == "failed"


def _unlisted(checked: CheckedTable) -> None:
    checked.table.record(told(1, "g-1", "unlisted"), retention_days=DAYS, written_by="a")
    found = checked.client.scan(TableName=NAME, IndexName=INDEX)["Items"]
    assert {plain(row)["sk"] for row in found} == {"job"}


def _batch(checked: CheckedTable) -> None:
    ids = [f"b-{number}" for number in range(MAX_KEYS)]
    for number, job_id in enumerate(ids[::2]):
        advance(checked.table, told(number, job_id))
    found = checked.table.jobs("sync", [*ids, ids[0]])
    assert {job_id for job_id, job in found.items() if job} == set(ids[::2])
    assert {job_id for job_id, job in found.items() if job is None} == set(ids[1::2])


def _events(checked: CheckedTable) -> None:
    noise = Random(0)
    events = [told(number, "many", payload=noise.randbytes(150_000)) for number in range(12)]  # above a page's 1 MB
    for event in events:
        assert checked.table.record(event, retention_days=DAYS, written_by=event.event_id)
        assert not checked.table.record(event, retention_days=DAYS, written_by="another")
    advance(checked.table, events[0])
    found = list(checked.table.events("sync", "many"))
    assert {event.event_id for event in found} == {event.event_id for event in events}
    assert len(found) == len(events)


def _expiry(checked: CheckedTable) -> None:
    checked.table.record(told(1, "expires"), retention_days=DAYS, written_by="a")
    key = {"pk": job_pk("sync", "expires"), "sk": f"event#{1:064x}"}
    named = resources("AWS::DynamoDB::Table")["Table"]["TimeToLiveSpecification"]["AttributeName"]
    stored = checked.client.get_item(TableName=NAME, Key=typed(key))["Item"]
    assert stored[named].keys() == {"N"}
    assert stored[named]["N"].isdigit()
    kept = quarantine_item("q", "generation", provider="sync", received_at="2026-01-15", reason="r", proof="p")
    checked.table.put_once(kept, written_by="a")
    assert named not in checked.row({"pk": kept["pk"], "sk": kept["sk"]})


def _time_to_live(checked: CheckedTable) -> None:
    wanted = resources("AWS::DynamoDB::Table")["Table"]["TimeToLiveSpecification"]
    checked.client.update_time_to_live(TableName=NAME, TimeToLiveSpecification=wanted)
    found = checked.client.describe_time_to_live(TableName=NAME)["TimeToLiveDescription"]
    assert found["AttributeName"] == wanted["AttributeName"]
    assert found["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}


def _largest(checked: CheckedTable) -> None:
    key = {"pk": "large", "sk": "event"}
    assert checked.table.put_once({**key, "payload": bytes(MAX_INLINE + 40 * 1024)}, written_by="a")
    try:
        checked.table.put_once({"pk": "larger", "sk": "event", "payload": bytes(400 * 1024)}, written_by="a")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException"  # noqa: PT017
    else:
        raise AssertionError("more than 400 KB fit")


def _values(checked: CheckedTable) -> None:
    for number, job_id in enumerate(("é ?", "😀" * 255, "a#b", "..", "\x00\x01", " ")):
        event = told(number, job_id, provider_status="", error=None)
        checked.table.record(event, retention_days=DAYS, written_by="a")
        job = advance(checked.table, event)
        assert checked.table.job("sync", job_id) == replace(job, version=1)
        assert [each.event_id for each in checked.table.events("sync", job_id)] == [event.event_id]


CHECKS = (
    Check(f"of {WORKERS} equal puts at once one wins, and its row stays", _one_winner),
    Check(
        "who wrote a row knows it when it puts it again, and nobody else does",
        _own_row,
        {"dynalite": "a refused put does not show the row that is there (ReturnValuesOnConditionCheckFailure)"},
    ),
    Check(f"{WORKERS} merges into one job at once lose nothing, and again change nothing", _merges_at_once),
    Check("a row is not written over with an older version read", _old_version),
    Check(f"{WORKERS} that take calls at once take no more than the limit, and all of it", _allowance),
    Check("a list has each job once, in the order of its news, page after page", _listed, long=True),
    Check("a job is in one list, with what the index projects", _moves),
    Check("what is no job is in no list", _unlisted),
    Check("a hundred jobs are read by one call", _batch),
    Check("a job's events are read page after page, each recorded once", _events),
    Check("an event expires by a number, a quarantined one never", _expiry),
    Check(
        "the template's attribute is taken for a time to live",
        _time_to_live,
        {"dynalite": "there is no UpdateTimeToLive"},
    ),
    Check("the largest row fits, one above 400 KB does not", _largest),
    Check("a job may be called anything", _values),
)
