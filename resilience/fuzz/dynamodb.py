"""DynamoDB's limits: a row that it would reject is a delivery that can never be stored.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dailies.aws.attribute_values import plain

MAX_BYTES = 400 * 1024  # of a row; its JSON is a little longer
MAX_KEY = {"pk": 2048, "sk": 1024}  # bytes
MAX_DIGITS = 38
NUMBERS = (Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125"))


def over_the_wire(row: dict[str, Any]) -> dict[str, Any]:
    """A row, as `typed` makes it, as DynamoDB returns it. Raises AssertionError if DynamoDB would reject it."""
    assert len(json.dumps(row, default=str).encode()) < MAX_BYTES, "a row that is too large"
    for name, most in MAX_KEY.items():
        assert 1 <= len(row[name]["S"].encode()) <= most, "a key of no length or of too much"
    for kind, value in _values(row):
        match kind:
            case "S":
                value.encode()  # invalid UTF-8 cannot be sent
            case "N":
                number = Decimal(value)
                assert len(number.normalize().as_tuple().digits) <= MAX_DIGITS, "a number of too many digits"
                assert not number or NUMBERS[0] <= abs(number) <= NUMBERS[1], "a number out of range"
    return plain(row)


def _values(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """All values in a row with their types, nested ones too."""
    for typed in row.values():
        for kind, value in typed.items():
            match kind:
                case "M":
                    yield from _values(value)
                case "L":
                    yield from _values({str(at): one for at, one in enumerate(value)})
                case _:
                    yield kind, value
