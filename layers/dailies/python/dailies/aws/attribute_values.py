"""DynamoDB's typed values ({"S": ...}) and plain ones: pure, both ways.

boto3's own serializer does as much; it is a tenth of a receiver's time, and importing it imports all of boto3.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dailies.jobs.rows import Item


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row as DynamoDB takes it. TypeError where a value is of none of the types that our rows have."""
    return {name: _typed(value) for name, value in item.items()}


def plain(row: Mapping[str, Any]) -> Item:
    """A row as DynamoDB and its streams write it, without its binary attributes."""
    return {name: _plain(value) for name, value in row.items() if "B" not in value}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():  # before int: it is one
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case dict():
            return {"M": typed(value)}
        case list() | tuple():
            return {"L": [_typed(item) for item in value]}
    raise TypeError(f"no attribute: {type(value).__name__}")


def _plain(value: Mapping[str, Any]) -> Any:
    (kind, content), *_ = value.items()
    match kind:
        case "N":
            return Decimal(content)
        case "M":
            return {name: _plain(item) for name, item in content.items()}
        case "L":
            return [_plain(item) for item in content]
        case "NULL":
            return None
        case "SS" | "NS" | "BS":
            raise TypeError(f"no attribute of ours: {kind}")
    return content
