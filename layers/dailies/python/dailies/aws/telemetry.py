"""Metrics and log lines, both JSON on standard output.

A step that succeeds writes one short line, as log bytes are a part of a delivery's cost. The line is a metric in
CloudWatch's embedded format if an alarm, a chart or a bill needs it. It names the event and the job, so that all lines
about a job can be found. No line holds a secret, a signed URL or a body.

Warnings and errors go through Powertools' Logger.

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

UNITS = ("Bytes", "Seconds")  # the end of a metric's name is its unit; other metrics are counts
EVENT_ID = 12  # characters of an event's id in a line, as many as `dailies job` shows and accepts

type Fields = Mapping[str, str | int | float]


class Telemetry:
    """The metrics and log lines of one function. `stack`: the stack's name, for the metrics' namespace."""

    def __init__(self, stack: str) -> None:
        self._namespace = f"Dailies/{stack}"

    @cached_property
    def log(self) -> "Logger":
        """Powertools' Logger. Asynchronous functions decorate their handler with its `inject_lambda_context`, so each
        line has the request's id. It is imported here, as neither a receiver nor the command uses it."""
        from aws_lambda_powertools import Logger  # noqa: PLC0415

        return Logger(service="dailies")

    def note(self, **fields: str | float) -> None:
        """Write a line without a metric."""
        _write(fields)

    def count(self, name: str, *dimensions: Mapping[str, str], fields: Fields | None = None, **more: float) -> None:
        """Write a line with metrics: `name` with the value 1, and `more` by their names.

        Names in `...Bytes` and `...Seconds` have that unit; other metrics are counts. All metrics are published under
        each set of `dimensions`, or without dimensions if none is given. `fields` are other fields of the line.
        """
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
