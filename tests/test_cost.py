"""What is billed of a delivery and of an archived medium is what bench/cost.py counts, and docs/cost.md says.

The functions run as they do, and what they ask of AWS is recorded at botocore's own door, and at the S3 stand-in's.
"""

from dataclasses import replace
from typing import Any

import pytest
from botocore.client import BaseClient

from bench import cost
from bench.cost import COPIED, MERGED, RECEIVED, SETTLED, TOLD, Usage
from dailies.models import Media
from local.media import padded
from local.sink import Sink
from tests.cloud import Cloud, Context
from tests.desk import Archive
from tests.recorded import event, secret

LOG_SLACK = 80  # bytes: ids and figures differ
TWENTY_MB = 20_000_000
INDEXED = ("pk", "sk", "listed", "updated_at", "provider", "webhook", "job_id", "status", "provider_status", "stage")


class Bill:
    """What was asked of AWS since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._capsys = capsys

    def usage(self) -> Usage:
        """Units of what was recorded, and forgets it. What only Lambda and the bus do themselves is not in it."""
        calls, self.calls = self.calls, []
        puts = [asked["Item"] for name, asked in calls if name == "PutItem"]
        return Usage(
            writes=sum(cost.write_units(size(item)) + index_writes(item, calls) for item in puts),
            reads=sum(name in ("GetItem", "Query") for name, _ in calls),
            events=sum(len(asked["Entries"]) for name, asked in calls if name == "PutEvents"),
            messages=sum(name == "SendMessage" for name, _ in calls),
            objects=sum(name == "PutObject" for name, _ in calls),
            log_bytes=len("".join(self._capsys.readouterr())),
        )


def index_writes(item: dict[str, Any], calls: list[tuple[str, dict[str, Any]]]) -> int:
    """Of the index: one for a row that is new there, two for one that changes its place, none for rows without one."""
    if "listed" not in item:
        return 0
    new = any("attribute_not_exists" in asked.get("ConditionExpression", "") for _, asked in calls if "Item" in asked)
    assert size({name: item[name] for name in INDEXED if name in item}) < 1024
    return 1 if new else 2


def size(item: dict[str, Any]) -> int:
    """Bytes of a row as DynamoDB counts them: names and values in UTF-8, numbers half a byte a digit, 3 for a container
    and 1 for each of its members. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: dict[str, Any]) -> int:
    ((kind, told),) = value.items()
    match kind:
        case "S":
            return len(told.encode())
        case "N":
            return len(told) // 2 + 2
        case "B":
            return len(told)
        case "M":
            return 3 + size(told) + len(told)
        case "L":
            return 3 + sum(_size(one) + 1 for one in told)
        case _:
            return 1


@pytest.fixture
def bill(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bill:
    recorded = Bill(capsys)
    asked_for = BaseClient._make_api_call  # type: ignore[attr-defined]

    def record(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        recorded.calls.append((operation, parameters))
        return asked_for(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return recorded


def same(measured: Usage, counted: Usage, *, beside: int) -> None:
    """`beside`: log bytes that are not the function's own."""
    assert (measured.writes, measured.reads, measured.events, measured.objects) == (
        *(counted.writes, counted.reads, counted.events, counted.objects),
    )
    assert measured.log_bytes <= counted.log_bytes - beside + LOG_SLACK


@pytest.mark.parametrize("name", cost.WRITES)
def test_a_delivery_is_one_write_and_one_line(cloud: Cloud, bill: Bill, name: str) -> None:
    webhook = name.partition("_")[0]
    cloud.set_secret(secret(webhook))
    receive = cloud.function(name.partition("/")[0]).lambda_handler
    as_on_lambda = Context("8f507cfc-xmpl-4697-b07a-ac58fc914c95")
    receive({**event(name), "body": "{}"}, as_on_lambda)  # warm: the secret is known
    bill.usage()
    receive(event(name), as_on_lambda)
    assert [operation for operation, _ in bill.calls] == ["PutItem"]
    counted = replace(RECEIVED, writes=cost.WRITES[name])
    same(bill.usage(), counted, beside=cost.PLATFORM_LOG_BYTES + cost.ACCESS_LOG_BYTES)


def test_its_job_row_is_a_read_and_two_writes_and_it_tells_two_events(cloud: Cloud, bill: Bill) -> None:
    advance, announce = cloud.function("advance"), cloud.function("announce")
    bill.usage()
    advance.lambda_handler(event("advance/webhook"), None)
    same(bill.usage(), MERGED, beside=cost.PLATFORM_LOG_BYTES)
    announce.lambda_handler(event("announce/completed"), None)
    same(bill.usage(), TOLD, beside=cost.PLATFORM_LOG_BYTES)


def test_a_job_that_settles_moves_in_the_index_and_writes_its_page(cloud: Cloud, bill: Bill) -> None:
    advance, announce = cloud.function("advance"), cloud.function("announce")
    advance.lambda_handler(event("advance/webhook"), None)
    bill.usage()
    advance.lambda_handler(event("advance/receipt"), None)
    announce.lambda_handler(event("announce/archived"), None)
    same(bill.usage(), SETTLED, beside=2 * cost.PLATFORM_LOG_BYTES)


def test_a_medium_of_20_mb_is_one_object_a_read_and_a_write(archive_at_work: Archive, s3: Sink, bill: Bill) -> None:
    host = archive_at_work.apis.host
    host.add("/g-1/large.mp4", padded(host.media["generation.mp4"].content, TWENTY_MB), "video/mp4")
    told = archive_at_work.generation()
    told = archive_at_work.retold(told, Media("output", host.url("/g-1/large.mp4")))
    bill.usage()
    s3.calls.clear()
    assert archive_at_work.try_medium(told, "output", tries=1)
    assert dict(s3.calls) == {"PutObject": COPIED.objects}
    measured = bill.usage()
    assert (measured.writes, measured.reads) == (COPIED.writes, COPIED.reads)
    assert measured.log_bytes <= COPIED.log_bytes - cost.PLATFORM_LOG_BYTES + LOG_SLACK


@pytest.mark.parametrize(("name", "usage", "most"), [(name, *sum_) for name, sum_ in cost.SUMS.items()])
def test_a_million_costs_no_more_than_it_may(name: str, usage: Usage, most: float) -> None:
    assert cost.dollars(usage) <= most


def test_the_page_is_what_the_counts_and_prices_make() -> None:
    assert cost.PAGE.read_text() == cost.page()
    assert set(cost.PRICES) == set(Usage.__slots__)  # every unit of a usage has a price
