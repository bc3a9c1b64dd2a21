"""Converts between plain values and DynamoDB's typed ones ({"S": ...}). Pure.

boto3's serializer does the same, but takes a tenth of a receiver's time, and importing it imports all of boto3.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dailies.jobs.rows import Item


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row in DynamoDB's form.

    TypeError for a value that is no str, bool, int, Decimal, bytes, dict, list or tuple.
    """
    return {name: _typed(value) for name, value in item.items()}


def plain(row: Mapping[str, Any]) -> Item:
    """A row from DynamoDB's form, as its API and its streams return it. Binary attributes are left out.

    Numbers become Decimal. TypeError for a set, which our rows do not contain.
    """
    return {name: _plain(value) for name, value in row.items() if "B" not in value}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():  # before int, its base class
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case dict():
            return {"M": typed(value)}
        case list() | tuple():
            return {"L": [_typed(item) for item in value]}
    raise TypeError(f"a row cannot store a value of type {type(value).__name__}")


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
            raise TypeError(f"our rows do not contain sets: {kind}")
    return content
