"""What is counted and what is logged: metrics in CloudWatch's embedded format, plain JSON lines, and Powertools' Logger
where something went wrong.

One line for each step that goes well, as short as it can be: log bytes are a part of what a delivery costs. It is a
metric where an alarm, a chart or a bill follows it, with the ids beside it, so that the lines of one job are found
together. No line holds a secret, a signed URL or a body.

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

UNITS = ("Bytes", "Seconds")  # a metric's name ends with its unit; the others are counts
EVENT_ID = 12  # characters of an event's id in a line, as many as `dailies job` shows and takes

type Fields = Mapping[str, str | int | float]


class Telemetry:
    """The lines of one function. Each stack has a namespace of its own for its metrics."""

    def __init__(self, stack: str) -> None:
        self._namespace = f"Dailies/{stack}"

    @cached_property
    def log(self) -> "Logger":
        """Imported when something goes wrong: a function that starts need not wait for it."""
        from aws_lambda_powertools import Logger  # noqa: PLC0415

        return Logger(service="dailies")

    def note(self, **fields: str | float) -> None:
        """Write one line that is no metric."""
        _write(fields)

    def count(self, name: str, *dimensions: Mapping[str, str], fields: Fields | None = None, **more: float) -> None:
        """Write one metrics line: `name` once, `more` as they are named (`...Bytes`, `...Seconds`, else a count), under
        each set of dimensions. `fields` ride along without becoming dimensions."""
        sets = dimensions or ({},)
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [list(one) for one in sets],
            "Metrics": [_metric(metric) for metric in (name, *more)],
        }
        line: dict[str, Any] = {"_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}}
        for one in sets:
            line |= one
        _write({**line, **(fields or {}), name: 1, **more})


def _metric(name: str) -> dict[str, str]:
    units = [{"Unit": unit} for unit in UNITS if name.endswith(unit)]
    return {"Name": name} | (units[0] if units else {})


def _write(line: Fields | Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
