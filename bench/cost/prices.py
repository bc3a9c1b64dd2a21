"""AWS's billing units and list prices."""

from dataclasses import dataclass, fields
from math import ceil
from typing import Self

PRICED = "2026-11-25, us-east-1, on demand, arm64, without free tiers"
MILLION = 1_000_000
MONTH = 730 * 3600  # seconds
SECRET, ALARM = 0.40, 0.10  # dollars a month
# Dollars of SnapStart: for each GB-second that a version's snapshot is cached, and for a GB restored. AWS lists one
# price, not one for each architecture.
SNAPSHOT_GB_SECOND, RESTORED_GB = 0.0000015046, 0.0001397998


@dataclass(frozen=True, slots=True)
class Usage:
    """The billed usage of one operation. `writes` and `reads` are DynamoDB's units (1 KB, 4 KB), the index's included;
    `gb_seconds` are Lambda's, `messages` are SQS requests."""

    requests: int = 0
    invocations: int = 0
    gb_seconds: float = 0
    writes: int = 0
    reads: float = 0
    events: int = 0
    messages: int = 0
    objects: int = 0
    secrets: int = 0
    log_bytes: int = 0

    def __add__(self, other: Self) -> "Usage":
        return Usage(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Usage)})


@dataclass(frozen=True, slots=True)
class Priced:
    """A billed item: its words in the page, and dollars for a million."""

    words: str
    dollars: float


PRICES = {
    "requests": Priced("HTTP API requests", 1.00),
    "invocations": Priced("Lambda invocations", 0.20),
    "gb_seconds": Priced("Lambda GB-seconds", 13.3334),
    "writes": Priced("DynamoDB write units", 0.625),
    "reads": Priced("DynamoDB read units", 0.125),
    "events": Priced("EventBridge events", 1.00),
    "messages": Priced("SQS requests", 0.40),
    "objects": Priced("S3 PUTs and parts", 5.00),
    "secrets": Priced("Secrets Manager calls", 5.00),
    "log_bytes": Priced("log bytes", 0.50 / 1000),  # $0.50 a GB
}


def dollars(usage: Usage) -> float:
    """Dollars for a million of this usage."""
    return float(sum(getattr(usage, name) * priced.dollars for name, priced in PRICES.items()))


def a_month(usage: Usage, times: float) -> float:
    """Dollars a month for this usage at `times` a month."""
    return dollars(usage) * times / MILLION


def write_units(row_bytes: int) -> int:
    """The write units that DynamoDB bills for a row of this size, in the table or in an index."""
    return ceil(row_bytes / 1024)
