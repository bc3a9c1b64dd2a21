"""CloudWatch for a local stack: metrics from log lines and queues, and the alarms' state.

The emulated CloudWatch stores metrics and alarms, but AWS's own metrics and evaluation are missing. `make up` runs this
beside it. Of AWS's own metrics there are the queues' counts and those of Lambda that the emulator provides. Alarms on
other metrics do not change here.
"""

import json
import operator
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from local import logs, stack
from local.aws import Aws

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef, MetricDataQueryTypeDef, MetricDatumTypeDef

NAME = "cloudwatch"
PAUSE = 3.0  # seconds between polls: short for a user, long for the processors
MAX_AT_ONCE = 500  # values; PutMetricData accepts 1,000
BREACHES = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
QUEUE_COUNTS = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}

type Datum = tuple[str, "MetricDatumTypeDef"]


def of_line(message: str) -> Iterator[Datum]:
    """The metrics in a log line, each with its namespace, in the embedded metric format. Most lines have none."""
    if '"_aws"' not in message:
        return
    line: dict[str, Any] = json.loads(message)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": str(line[name])} for name in names]
            for metric in directive["Metrics"]:
                value = line[metric["Name"]]
                yield (
                    directive["Namespace"],
                    {
                        "MetricName": metric["Name"],
                        "Dimensions": dimensions,  # type: ignore[typeddict-item]
                        "Timestamp": datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC),
                        "Values": value if isinstance(value, list) else [value],
                        "Unit": metric.get("Unit", "None"),
                    },
                )


def of_queues(aws: Aws) -> Iterator[Datum]:
    """For each queue, the number of waiting messages and of messages in flight."""
    for url in aws.sqs.list_queues().get("QueueUrls", []):
        told: Mapping[Any, str] = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        dimensions = [{"Name": "QueueName", "Value": url.rpartition("/")[2]}]
        for attribute, metric in QUEUE_COUNTS.items():
            datum: Any = {"MetricName": metric, "Dimensions": dimensions, "Value": float(told[attribute])}
            yield "AWS/SQS", datum


def put(aws: Aws, data: list[Datum]) -> None:
    """Send metrics to the emulated CloudWatch."""
    for namespace, of_one in groupby(sorted(data, key=operator.itemgetter(0)), key=operator.itemgetter(0)):
        for some in batched(of_one, MAX_AT_ONCE, strict=False):
            aws.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum for _, datum in some])


def judge(aws: Aws) -> None:
    """Set each alarm's state from its metric. A change notifies the alarm's topics."""
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate()
    alarms = sorted((alarm for page in pages for alarm in page["MetricAlarms"]), key=_span)
    for _, of_one_span in groupby(alarms, key=_span):
        for alarm, values in _values(aws, list(of_one_span)):
            is_beyond = BREACHES[alarm["ComparisonOperator"]]
            breaching = [value for value in values if is_beyond(value, alarm["Threshold"])]
            state: Literal["ALARM", "OK"] = "ALARM" if len(breaching) >= alarm["EvaluationPeriods"] else "OK"
            if state != alarm["StateValue"]:
                reason = f"{alarm['MetricName']} of the last periods beyond {alarm['Threshold']:g}: {breaching}"
                aws.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=reason)


def _span(alarm: "MetricAlarmTypeDef") -> int:
    """The seconds that an alarm evaluates."""
    return alarm["Period"] * alarm["EvaluationPeriods"]


def _values(aws: Aws, alarms: list["MetricAlarmTypeDef"]) -> Iterator[tuple["MetricAlarmTypeDef", list[float]]]:
    """The values in the periods that these alarms of one span evaluate, the current one included. A period without a
    value is left out: all alarms of the template treat missing data so, except the one on functions that do not run,
    which does not change here."""
    now = datetime.now(UTC)
    queries: list[MetricDataQueryTypeDef] = [
        {
            "Id": f"alarm{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": alarm["Namespace"],
                    "MetricName": alarm["MetricName"],
                    "Dimensions": alarm["Dimensions"],
                },
                "Period": alarm["Period"],
                "Stat": alarm["Statistic"],
            },
        }
        for number, alarm in enumerate(alarms)
    ]
    answer = aws.cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=now - timedelta(seconds=_span(alarms[0])),
        EndTime=now + timedelta(seconds=1),
    )
    values = {result["Id"]: list(result["Values"]) for result in answer["MetricDataResults"]}
    return ((alarm, values[query["Id"]]) for alarm, query in zip(alarms, queries, strict=True))


def publish_lines(aws: Aws, log_groups: Mapping[str, str]) -> None:
    """Send the metrics of all new log lines for as long as the emulator responds."""
    try:
        for some in logs.looks(aws, log_groups, logs.now(), PAUSE):
            put(aws, [datum for line in some for datum in of_line(line.message)])
    except (BotoCoreError, ClientError):
        return


def main() -> None:
    running = stack.read(stack.folder_from_environment())
    Thread(target=publish_lines, args=(running.aws, running.log_groups), daemon=True).start()
    try:
        while True:
            put(running.aws, list(of_queues(running.aws)))
            judge(running.aws)
            time.sleep(PAUSE)
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"cloudwatch: the emulated AWS does not respond: {error}") from None


if __name__ == "__main__":
    main()
