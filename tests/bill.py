"""What AWS bills of the functions at work: what they ask of it, what they log, how often they are woken. Lambda adds no
lines of its own to those of a run that goes well: `SystemLogLevel`.

The functions run as they do, and are recorded at botocore's own door. What the table's stream hands on from one to the
next is handed on here, by the template's own filters, each record to an invocation of its own.
"""

import json
from collections.abc import Callable
from functools import cache
from math import ceil
from typing import Any

import pytest
from botocore.client import BaseClient

from bench.cost.assumed import gb_seconds
from bench.cost.prices import Usage, write_units
from tests.cloud import Cloud, Context
from tests.template import events, folder, functions, resources

type Row = dict[str, Any]

ON_LAMBDA = Context("8f507cfc-xmpl-4697-b07a-ac58fc914c95")
READ_UNIT = 4096  # bytes

MEGABYTES = {folder(name).name: function["MemorySize"] for name, function in functions().items()}
FILTERS = {
    folder(name).name: [json.loads(each["Pattern"]) for each in stream["FilterCriteria"]["Filters"]]
    for name, stream in events("DynamoDB")
}
(_index,) = resources("AWS::DynamoDB::Table")["Table"]["GlobalSecondaryIndexes"]
INDEX_KEY = tuple(key["AttributeName"] for key in _index["KeySchema"])
INDEXED = {"pk", "sk", *INDEX_KEY, *_index["Projection"]["NonKeyAttributes"]}


class Bill:
    """What was asked of AWS: `calls`, the operations of the last invocation. `found`: the media that went into the
    archive's queue."""

    def __init__(self, cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
        self.calls: list[str] = []
        self.found: list[dict[str, Any]] = []
        self._records: list[tuple[str, Row]] = []
        self._rows: dict[tuple[str, str], Row] = {}
        self._usage = Usage()
        self._at_work = False
        self._handler = cache(lambda name: cloud.function(name).lambda_handler)  # warm from the second time on
        self._capsys = capsys

    def of(self, name: str, event: dict[str, Any]) -> Usage:
        """An invocation of a function; its time as it is assumed of the calls that it makes."""
        handler = self._handler(name)
        usage = self.woken(lambda: handler(event, ON_LAMBDA))
        usage += Usage(gb_seconds=gb_seconds(MEGABYTES[name], max(1, len(self.calls))))
        return usage + Usage(requests=1, log_bytes=len(_line_of_the_api(event))) if "routeKey" in event else usage

    def woken(self, work: Callable[[], object]) -> Usage:
        """The work of an invocation, but for its time."""
        self._usage = Usage()
        self.calls.clear()
        self._capsys.readouterr()
        self._at_work = True
        work()
        self._at_work = False
        logged = "".join(self._capsys.readouterr())
        return self._usage + Usage(invocations=1, log_bytes=len(logged.encode()))

    def of_what_follows(self) -> Usage:
        """What the table's stream wakes, until it has no more."""
        total = Usage()
        while self._records:
            name, record = self._records.pop(0)
            total += self.of(name, {"Records": [record]})
        return total

    def largest_row(self) -> int:
        """Bytes of the largest event row."""
        return max(size(row) for (_, sk), row in self._rows.items() if sk.startswith("event#"))

    def heard(self, operation: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        """A call that AWS has taken."""
        self.calls.append(operation)
        match operation:
            case "PutItem":
                self._usage += Usage(writes=self._put(asked["Item"]))
            case "GetItem" | "Query":
                rows = answer["Items"] if operation == "Query" else [answer.get("Item", {})]
                units = max(1, ceil(sum(map(size, rows)) / READ_UNIT))
                self._usage += Usage(reads=units if asked.get("ConsistentRead") else units / 2)
            case "PutEvents":
                self._usage += Usage(events=len(asked["Entries"]))
            case "SendMessage":  # it is a part of what the video costs: bench.cost.assumed.PER_MESSAGE
                self.found.append(json.loads(asked["MessageBody"])["detail"])
            case "PutObject":
                self._usage += Usage(objects=1)
            case "DescribeSecret" | "GetSecretValue":
                self._usage += Usage(secrets=1)
            case _ if self._at_work:
                raise AssertionError(f"say here what is billed of {operation}")

    def _put(self, row: Row) -> int:
        """Write units of a row, its entry in the index included; the stream hands it on."""
        key = (row["pk"]["S"], row["sk"]["S"])
        old = self._rows.get(key, {})
        self._rows[key] = row
        images = {"NewImage": row, **({"OldImage": old} if old else {})}
        record = {
            "eventName": "MODIFY" if old else "INSERT",
            "dynamodb": {"Keys": {name: row[name] for name in ("pk", "sk")}, **images},
        }
        for function, filters in FILTERS.items():
            self._records += [(function, record) for pattern in filters if _matches(pattern, record)]
        return write_units(max(size(old), size(row))) + _index_units(_entry(old), _entry(row))


@pytest.fixture
def bill(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bill:
    """All that is asked through botocore is on it."""
    recorded = Bill(cloud, capsys)
    ask = BaseClient._make_api_call  # type: ignore[attr-defined]

    def record(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        answer = ask(client, operation, parameters)
        recorded.heard(operation, parameters, answer)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return recorded


def size(row: Row) -> int:
    """Bytes of a row as DynamoDB counts them: names and values in UTF-8, numbers half a byte a digit, 3 for a container
    and 1 for each of its members. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in row.items())


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


def _entry(row: Row) -> Row:
    """What the index holds of a row; nothing of one that lacks its keys."""
    return {name: row[name] for name in INDEXED if name in row} if row.keys() >= set(INDEX_KEY) else {}


def _index_units(old: Row, new: Row) -> int:
    """One for an entry that is new or changes, two for one that moves: it is deleted and put."""
    if old == new:
        return 0
    if [old.get(name) for name in INDEX_KEY] == [new.get(name) for name in INDEX_KEY]:
        return write_units(max(size(old), size(new)))
    return write_units(size(old)) + write_units(size(new))


def _matches(pattern: Any, record: Any) -> bool:
    """Whether a record is as a filter of Lambda's wants it: values that are equal, or begin so."""
    if isinstance(pattern, dict):
        return all(_matches(each, record.get(name)) for name, each in pattern.items())
    return any(record.startswith(each["prefix"]) if isinstance(each, dict) else record == each for each in pattern)


def _line_of_the_api(event: dict[str, Any]) -> str:
    """As the template has it."""
    (api,) = resources("AWS::Serverless::HttpApi").values()
    line = str(api["AccessLogSettings"]["Format"]) + "\n"
    for name, told in {
        "requestId": event["requestContext"]["requestId"],
        "routeKey": event["routeKey"],
        "status": "200",
        "responseLatency": "12",
        "integrationErrorMessage": "-",
        "identity.sourceIp": event["requestContext"]["http"]["sourceIp"],
    }.items():
        line = line.replace(f"$context.{name}", told)
    assert "$context" not in line
    return line
