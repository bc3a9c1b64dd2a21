"""What is counted and what is logged: Powertools' EMF metrics, and its Logger where something went wrong.

One line for each step that goes well: the metric itself, with `event_id` and `job_id` as its metadata, so that the
lines of one job are found together. No line holds a secret, a signed URL or a body.
"""

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

UNITS = {"bytes": MetricUnit.Bytes, "seconds": MetricUnit.Seconds}

type Fields = Mapping[str, str | int | float]


class Telemetry:
    """The lines of one function. The stack is the dimension `service` of every metric."""

    def __init__(self, stack: str) -> None:
        self.log = Logger(service="dailies")
        self._stack = stack
        self._metrics = Metrics(namespace="Dailies", service=stack)

    def count(self, name: str, *dimensions: Mapping[str, str], fields: Fields | None = None, **more: float) -> None:
        """Write one metrics line: `name` once, `more` as they are named (`..._bytes`, `..._seconds`, else a count),
        under each set of dimensions. `fields` ride along without becoming dimensions."""
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
        for metric, value in more.items():
            unit = UNITS.get(metric.rpartition("_")[2], MetricUnit.Count)
            self._metrics.add_metric(name=metric, unit=unit, value=value)
        for key, field in (fields or {}).items():
            self._metrics.add_metadata(key=key, value=field)
        first, *others = dimensions or ({},)
        for key, text in first.items():
            self._metrics.add_dimension(name=key, value=text)
        for other in others:
            self._metrics.add_dimensions(service=self._stack, **other)
        self._metrics.flush_metrics()
