"""The template watches metrics that the functions emit, and an alarm notifies the owner.

local/alarm_evaluator.py, which runs beside every local stack, evaluates the alarms. AWS's own metrics are compared by
name.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local import deploy, logs
from local.alarm_evaluator import of_line
from local.stack import Stack
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.sync import sync_generation
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.template import on_jobs, resources, target, template
from testkit.support.wait import wait_for

NAMESPACE = "Dailies/dailies"
ALARM, QUERY = "AWS::CloudWatch::Alarm", "AWS::Logs::QueryDefinition"
# Each with its dimension, as AWS documents them. HTTP APIs have other metrics than REST APIs.
OF_AWS = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesDelayed"): "QueueName",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/Lambda", "IteratorAge"): "FunctionName",
    ("AWS/Lambda", "AsyncEventsDropped"): "FunctionName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Duration"): "FunctionName",
    ("AWS/Lambda", "Invocations"): "FunctionName",
    ("AWS/ApiGateway", "5xx"): "ApiId",
    ("AWS/ApiGateway", "Count"): "ApiId",
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): "TableName",
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): "TableName",
}
# From log lines, each with its namespace.
OF_A_FILTER = {
    made["MetricName"]: made["MetricNamespace"]
    for each in resources("AWS::Logs::MetricFilter").values()
    for made in each["MetricTransformations"]
}
OF_AN_ACCOUNT = {("AWS/Lambda", "Throttles")}  # without a dimension
OF_AN_INDEX = {("AWS/DynamoDB", "ConsumedWriteCapacityUnits"), ("AWS/DynamoDB", "ConsumedReadCapacityUnits")}
OF_LAMBDA = {"type", "errorType"}  # fields of its error lines: `platform.report`, an uncaught error
OF_THE_LOGGER = {"level", "message", "error"}  # `error` is ours: tests/unit/aws/test_queues.py
OF_A_QUERY = {
    *("fields", "filter", "sort", "stats", "limit", "by", "as", "in", "or", "and", "like", "asc", "desc"),
    *("count", "latest", "max", "bin", "ispresent", "1d", "50"),
}

type Metric = tuple[str, frozenset[str]]


@pytest.fixture(scope="module")
def topic(stack: Stack, alarms: None) -> str:
    """The URL of a queue that receives the alarms' notifications, as the owner's address does."""
    sns: Any = stack.aws.session.client("sns", endpoint_url=stack.aws.endpoint_url)
    url = stack.aws.sqs.create_queue(QueueName="hears-alarms")["QueueUrl"]
    arn = stack.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic_arn,) = (topic["TopicArn"] for topic in sns.list_topics()["Topics"])
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": {**statement, "Resource": arn}}
    stack.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    for alarm in resources(ALARM):  # an alarm that went off for another test goes off again
        stack.aws.cloudwatch.set_alarm_state(
            AlarmName=deploy.resources(stack.aws)[alarm], StateValue="OK", StateReason="from now on, we listen"
        )
    return url


@pytest.fixture(scope="module", autouse=True)
def wrong(topic: str, owner: Owner, providers: Providers, listener: Listener) -> None:
    """One of each event that our alarms watch: a good job, a medium that is no medium, deliveries that are forged or
    unreadable, and invalid messages and rows.
    """
    job, link = providers.job, providers.link
    good = sync_generation(
        "completed", job("alarm-watched"), providers.sync, output_url=link(job("alarm-watched"), "generation.mp4")
    )
    page = captions_creator(
        "success", job("alarm-page"), providers.captions, url=link(job("alarm-page"), "operation.mp4", "html-page")
    )
    forged = [sync_generation("failed", job(f"forged-{n}"), "whsec_nobodys") for n in range(4)]
    unread = providers.proven("captions/creator", b'{"event":"creator.success"}')
    results = [answer.result for answer in providers.send_all([good, page, *forged])]
    assert results == ["recorded", "recorded", *["unverified"] * 4]
    assert providers.send(unread, stored_as="quarantined").result == "quarantined"
    owner.send("ArchiveQueueUrl", "names nothing")
    owner.put_row({"pk": f"job#sync#{job('poison')}", "sk": "event#1"})
    listener.hears(job("alarm-watched"), "Job Settled")
    listener.hears(job("alarm-page"), "Job Needs Attention")


class TestTheOwnerHears:
    @pytest.mark.parametrize(
        "alarm",
        ["UnverifiedAlarm", "QuarantineAlarm", "AttentionAlarm", "ArchiveDeadLettersAlarm", "AdvanceFailuresAlarm"],
    )
    def test_an_alarm_notifies_the_owners_address(self, alarm: str, stack: Stack, topic: str) -> None:
        self.wait_until_it_goes_off(stack, alarm)
        name = deploy.resources(stack.aws)[alarm]
        wait_for(
            f"{alarm} is told",
            lambda: list(self.notifications(stack, topic)),
            lambda messages: (name, "ALARM") in messages,
        )

    @pytest.mark.parametrize(
        ("alarm", "function", "failed_runs"),
        [("ReconcileFailsAlarm", "Reconcile", 8), ("FetchSyncSecretAlarm", "FetchSyncSecret", 61)],
    )
    def test_an_alarm_goes_off_when_most_runs_of_a_schedule_fail(
        self, alarm: str, function: str, failed_runs: int, stack: Stack, topic: str
    ) -> None:
        """On this stack each runs every minute. The failures are put as metric data, without waiting for them."""
        failed: Any = {
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": stack.functions[function]}],
            "Values": [1.0] * failed_runs,
        }
        stack.aws.cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[failed])
        self.wait_until_it_goes_off(stack, alarm)

    def test_an_alarm_whose_step_is_not_behind_is_quiet(self, stack: Stack) -> None:
        assert self.state(stack, "ArchiveLagAlarm") == "OK"

    def wait_until_it_goes_off(self, stack: Stack, alarm: str) -> None:
        wait_for(f"{alarm} rings", lambda: self.state(stack, alarm), lambda state: state == "ALARM")

    def state(self, stack: Stack, alarm: str) -> str:
        name = deploy.resources(stack.aws)[alarm]
        (found,) = stack.aws.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found["StateValue"]

    def notifications(self, stack: Stack, topic: str) -> Iterator[tuple[str, str]]:
        """Alarm messages stay in the queue, since each test looks for its own. OK messages are deleted: a read returns
        at most ten messages.
        """
        answer = stack.aws.sqs.receive_message(QueueUrl=topic, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in answer.get("Messages", ()):
            alarm = json.loads(json.loads(message["Body"])["Message"])
            if alarm["NewStateValue"] == "OK":
                stack.aws.sqs.delete_message(QueueUrl=topic, ReceiptHandle=message["ReceiptHandle"])
            yield alarm["AlarmName"], alarm["NewStateValue"]


@pytest.fixture(scope="module")
def lines(stack: Stack, wrong: None) -> dict[str, list[dict[str, Any]]]:
    """The JSON lines that each function logged in the whole run."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in stack.log_groups}

    def look() -> list[str]:
        for each in found.values():
            each.clear()
        for line in logs.lines(stack.aws, stack.log_groups, 0):
            if line.message.startswith("{"):
                found[line.function].append(json.loads(line.message))
        return [name for name in ("Advance", "Archive") if not any("Failed" in line for line in found[name])]

    wait_for("all has failed that fails", look, lambda missing: missing == [])
    return found


@pytest.fixture(scope="module")
def emitted(lines: dict[str, list[dict[str, Any]]]) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """The metrics of all these lines, each with its dimensions."""
    return {
        (datum["MetricName"], frozenset((d["Name"], d["Value"]) for d in datum["Dimensions"]))
        for some in lines.values()
        for line in some
        for namespace, datum in of_line(json.dumps(line))
        if namespace == NAMESPACE
    }


class TestWhatIsWatched:
    @pytest.mark.parametrize("alarm", sorted(resources(ALARM)))
    def test_an_alarm_watches_an_emitted_metric(
        self, alarm: str, stack: Stack, emitted: set[tuple[str, frozenset[tuple[str, str]]]]
    ) -> None:
        watched = resources(ALARM)[alarm]
        dimensions = {d["Name"]: d["Value"] for d in watched["Dimensions"]}
        if watched["MetricName"] in OF_A_FILTER:
            assert (watched["Namespace"], dimensions) == (OF_A_FILTER[watched["MetricName"]], {})
        elif watched["Namespace"] == {"Fn::Sub": "Dailies/${AWS::StackName}"}:
            assert (watched["MetricName"], frozenset(dimensions.items())) in emitted
        elif (watched["Namespace"], watched["MetricName"]) in OF_AN_ACCOUNT:
            assert not dimensions
        else:
            ((name, value),) = dimensions.items()
            assert OF_AWS[watched["Namespace"], watched["MetricName"]] == name
            assert target(value) in template()["Resources"]

    def test_the_dashboard_shows_emitted_metrics_and_every_alarm(
        self, stack: Stack, emitted: set[tuple[str, frozenset[tuple[str, str]]]]
    ) -> None:
        (name,) = (entry["DashboardName"] for entry in stack.aws.cloudwatch.list_dashboards()["DashboardEntries"])
        board = json.loads(stack.aws.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
        own_metrics = {(metric, frozenset(name for name, _ in dimensions)) for metric, dimensions in emitted}
        shown = list(self.shown(board))
        ours = {metric for metric in shown if metric[0] == NAMESPACE}
        assert ours
        assert ours <= {(NAMESPACE, metric, names) for metric, names in own_metrics}
        for namespace, metric, names in shown:
            if namespace != NAMESPACE:
                of_index = {"GlobalSecondaryIndexName"} if (namespace, metric) in OF_AN_INDEX else set()
                assert {OF_AWS[namespace, metric]} <= names <= {OF_AWS[namespace, metric]} | of_index
        (alarms,) = (w["properties"]["alarms"] for w in board["widgets"] if w["type"] == "alarm")
        physical = deploy.resources(stack.aws)
        assert {arn.rpartition(":")[2] for arn in alarms} == {physical[alarm] for alarm in resources(ALARM)}

    def test_the_dashboard_shows_the_time_of_every_function_that_works_on_jobs(self) -> None:
        body = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
        (times,) = (w for w in json.loads(body)["widgets"] if "Duration" in json.dumps(w))
        assert set(re.findall(r"\$\{(\w+)\}", json.dumps(times["properties"]["metrics"]))) == on_jobs()

    def shown(self, board: Any) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Namespace, metric and dimension names of everything that is drawn."""
        for widget in board["widgets"]:
            above: list[str] = []
            for metric in widget["properties"].get("metrics", ()):
                if isinstance(metric[0], dict):
                    search = re.match(r"SEARCH\('\{\"(.*?)\",(.*?)\} MetricName=\"(\w+)\"", metric[0]["expression"])
                    assert search, metric
                    yield search[1], search[3], frozenset(search[2].split(","))
                else:
                    above = written_out([part for part in metric if isinstance(part, str)], above)
                    yield above[0], above[1], frozenset(above[2::2])

    @pytest.mark.parametrize("query", sorted(resources(QUERY)))
    def test_a_saved_query_uses_only_fields_of_the_log_lines(
        self, query: str, lines: dict[str, list[dict[str, Any]]]
    ) -> None:
        saved = resources(QUERY)[query]
        text = re.sub(r'"[^"]*"|/[^/]*/', "", saved["QueryString"])
        named = set(re.findall(r"(?<![\w.@])\w+(?![\w.])", text)) - OF_A_QUERY
        named -= set(re.findall(r" as (\w+)", text))
        groups = {target(group) for group in saved["LogGroupNames"]}
        if groups == {"ApiLogs"}:
            has = set(json.loads(template()["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"]))
        else:
            some = [line for group in groups for line in lines[group.removesuffix("Logs")]]
            has = {key for line in some for key in line}
            has |= OF_THE_LOGGER | OF_LAMBDA
        assert named - has == set()
        assert named

    def test_every_function_that_works_on_a_job_names_it_in_its_lines(
        self, lines: dict[str, list[dict[str, Any]]], providers: Providers
    ) -> None:
        named = {
            name
            for name, some in lines.items()
            for line in some
            if line.get("job_id") == providers.job("alarm-watched")
        }
        assert named == {"SyncGeneration", "Advance", "Announce", "Archive"}
        assert {target(group) for group in resources(QUERY)["JobQuery"]["LogGroupNames"]} == {
            f"{name}Logs" for name in on_jobs()
        }

    def test_an_event_has_the_same_id_in_all_functions_log_lines(
        self, lines: dict[str, list[dict[str, Any]]], providers: Providers
    ) -> None:
        def ids(name: str) -> set[str]:
            return {line["event_id"] for line in lines[name] if line.get("job_id") == providers.job("alarm-watched")}

        assert len(ids("SyncGeneration")) == 1
        assert ids("SyncGeneration") < ids("Advance")  # which also saw the receipt


def written_out(metric: list[str], above: list[str]) -> list[str]:
    """A dashboard's metric without its shorthands: "." is the item above, "..." is all items above up to there."""
    if metric[0] == "...":
        metric = [*above[: len(above) - len(metric) + 1], *metric[1:]]
    return [above[place] if part == "." else part for place, part in enumerate(metric)]
