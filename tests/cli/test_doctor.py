"""The doctor's findings about AWS: responses have AWS's own shapes, checked by botocore's Stubber."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli import doctor
from cli.doctor import Finding
from cli.stack import Stack

UUID = "91eaeb7e-c976-1234-9451-8709db01f137"
TOPIC = "arn:aws:sns:us-east-1:123456789012:dailies-AlarmTopic-1"
ALARM = {"AlarmName": "dailies-TrackFailuresAlarm-1", "StateValue": "OK"}
WELL = [("ok", "Lambda reads the streams and the queue")]
CLIENTS = {"cloudformation": "cloudformation", "cloudwatch": "cloudwatch", "functions": "lambda", "sns": "sns"}


class Account:
    """A stack on AWS whose services return what a test sets."""

    def __init__(self) -> None:
        session: Any = boto3.Session("a", "b", region_name="us-east-1")
        self.stack = Stack("dailies", "us-east-1", "https://a1", {}, {"ArchiveConcurrency": "5"}, session)
        self.stubs = {name: Stubber(session.client(service)) for name, service in CLIENTS.items()}
        for name, stub in self.stubs.items():
            self.stack.__dict__[name] = stub.client  # the stack's attributes for clients that were already created

    def has(self, kind: str, **resources: str) -> None:
        """The stack's resources of this type."""
        found = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": called,
                "ResourceType": kind,
                "LastUpdatedTimestamp": "2026-11-30T00:00:00Z",
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name, called in resources.items()
        ]
        self.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": found})

    def answers(self, name: str, operation: str, answer: dict[str, Any]) -> None:
        self.stubs[name].add_response(operation, answer)
        self.stubs[name].activate()

    def runs_at_once(self, most: int) -> None:
        self.answers("functions", "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": most}})


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    yield made
    for stub in made.stubs.values():
        stub.assert_no_pending_responses()


def words(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(one.status, one.message) for one in found]


class TestAlarms:
    def alarms(self, account: Account, *alarms: dict[str, Any]) -> list[tuple[str, str]]:
        account.has("AWS::CloudWatch::Alarm", TrackFailuresAlarm=ALARM["AlarmName"])
        account.answers("cloudwatch", "describe_alarms", {"MetricAlarms": list(alarms)})
        return words(doctor._alarms(account.stack))

    def test_alarms_without_an_action_are_found(self, account: Account) -> None:
        found = self.alarms(account, ALARM)
        assert found == [("ok", "none in alarm"), ("warning", "no alarm notifies anybody")]

    def test_alarms_with_an_action_are_ok(self, account: Account) -> None:
        assert self.alarms(account, {**ALARM, "AlarmActions": [TOPIC]}) == [("ok", "none in alarm")]

    def test_an_alarm_is_shown_with_its_description(self, account: Account) -> None:
        in_alarm = {**ALARM, "StateValue": "ALARM", "AlarmActions": [TOPIC], "AlarmDescription": "It waits."}
        assert self.alarms(account, in_alarm) == [("error", "in alarm: It waits.")]

    @pytest.mark.parametrize(
        ("arn", "expected"),
        [
            ("PendingConfirmation", [("error", "a@b.c has not confirmed the subscription: it gets no alarms")]),
            (f"{TOPIC}:{UUID}", []),
        ],
    )
    def test_an_unconfirmed_address_is_found(self, account: Account, arn: str, expected: list[tuple[str, str]]) -> None:
        account.has("AWS::SNS::Topic", AlarmTopic=TOPIC)
        subscriptions = [{"SubscriptionArn": arn, "Endpoint": "a@b.c", "Protocol": "email", "TopicArn": TOPIC}]
        account.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": subscriptions})
        assert words(doctor._mail(account.stack)) == expected


class TestConcurrency:
    @pytest.mark.parametrize(
        ("limit", "archive", "status"), [(10, 5, "warning"), (100, 33, "ok"), (100, 34, "warning"), (1000, 20, "ok")]
    )
    def test_an_account_with_a_low_limit_for_its_archive_is_found(
        self, account: Account, limit: int, archive: int, status: str
    ) -> None:
        account.runs_at_once(limit)
        stack = replace(account.stack, parameters={"ArchiveConcurrency": str(archive)})
        stack.__dict__["functions"] = account.stack.functions
        ((found, message),) = words(doctor._concurrency(stack))
        assert found == status
        assert str(limit) in message


class TestMappings:
    @pytest.mark.parametrize(
        ("state", "result", "expected"),
        [
            ("Enabled", "OK", WELL),
            ("Enabled", "No records processed", WELL),
            ("Updating", "OK", WELL),
            ("Disabled", "OK", [("error", "disabled: its records are not processed")]),
            ("Enabled", "PROBLEM: Function call failed", [("error", "PROBLEM: Function call failed")]),
        ],
    )
    def test_a_mapping_that_does_not_work_is_found(
        self, account: Account, state: str, result: str, expected: list[tuple[str, str]]
    ) -> None:
        account.has("AWS::Lambda::EventSourceMapping", AdvanceNewEvent=UUID)
        answer = {"UUID": UUID, "State": state, "LastProcessingResult": result}
        account.answers("functions", "get_event_source_mapping", answer)
        assert words(doctor._mappings(account.stack)) == expected
