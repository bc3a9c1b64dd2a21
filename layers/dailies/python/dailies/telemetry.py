"""What is counted and what is logged: metrics in CloudWatch's embedded format, and Powertools' Logger where something
went wrong.

One line for each step that goes well: the metric itself, with `event_id` and `job_id` beside it, so that the lines of
one job are found together. No line holds a secret, a signed URL or a body.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

UNITS = {"bytes": "Bytes", "seconds": "Seconds"}

type Fields = Mapping[str, str | int | float]

NAMESPACE = "Dailies"


class Telemetry:
    """The lines of one function. The stack is the dimension `service` of every metric."""

    def __init__(self, stack: str) -> None:
        self._stack = stack

    @cached_property
    def log(self) -> "Logger":
        """Imported when something goes wrong: a function that starts need not wait for it."""
        from aws_lambda_powertools import Logger  # noqa: PLC0415

        return Logger(service="dailies")

    def count(self, name: str, *dimensions: Mapping[str, str], fields: Fields | None = None, **more: float) -> None:
        """Write one metrics line: `name` once, `more` as they are named (`..._bytes`, `..._seconds`, else a count),
        under each set of dimensions. `fields` ride along without becoming dimensions."""
        sets = [{"service": self._stack, **one} for one in dimensions or ({},)]
        metrics = {name: "Count"} | {other: UNITS.get(other.rpartition("_")[2], "Count") for other in more}
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(one) for one in sets],
            "Metrics": [{"Name": metric, "Unit": unit} for metric, unit in metrics.items()],
        }
        line: dict[str, Any] = {"_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}}
        for one in sets:
            line |= one
        line |= fields or {}
        line |= {metric: [float(value)] for metric, value in {name: 1, **more}.items()}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
