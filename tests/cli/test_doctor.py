"""What the doctor says of what AWS alone knows: its answers are AWS's own shapes, held by botocore's Stubber."""

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
    """A stack on AWS, whose services answer what a test says."""

    def __init__(self) -> None:
        session: Any = boto3.Session("a", "b", region_name="us-east-1")
        self.stack = Stack("dailies", "us-east-1", "https://a1", {}, {"ArchiveConcurrency": "5"}, session)
        self.stubs = {name: Stubber(session.client(service)) for name, service in CLIENTS.items()}
        for name, stub in self.stubs.items():
            self.stack.__dict__[name] = stub.client  # where the stack keeps a client once it has one

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
    return [(one.word, one.said) for one in found]


class TestAlarms:
    def alarms(self, account: Account, *alarms: dict[str, Any]) -> list[tuple[str, str]]:
        account.has("AWS::CloudWatch::Alarm", TrackFailuresAlarm=ALARM["AlarmName"])
        account.answers("cloudwatch", "describe_alarms", {"MetricAlarms": list(alarms)})
        return words(doctor._alarms(account.stack))

    def test_those_that_tell_nobody_are_told(self, account: Account) -> None:
        found = self.alarms(account, ALARM)
        assert found == [("ok", "quiet"), ("look", "nobody is told when one rings")]

    def test_those_that_tell_somebody_are_quiet(self, account: Account) -> None:
        assert self.alarms(account, {**ALARM, "AlarmActions": [TOPIC]}) == [("ok", "quiet")]

    def test_one_that_rings_is_told_with_what_it_means(self, account: Account) -> None:
        rings = {**ALARM, "StateValue": "ALARM", "AlarmActions": [TOPIC], "AlarmDescription": "It waits."}
        assert self.alarms(account, rings) == [("wrong", "rings: It waits.")]

    @pytest.mark.parametrize(
        ("arn", "expected"),
        [
            ("PendingConfirmation", [("wrong", "a@b.c has not answered AWS's question: no alarm is mailed")]),
            (f"{TOPIC}:{UUID}", []),
        ],
    )
    def test_an_address_that_has_not_said_yes_is_told(
        self, account: Account, arn: str, expected: list[tuple[str, str]]
    ) -> None:
        account.has("AWS::SNS::Topic", AlarmTopic=TOPIC)
        subscriptions = [{"SubscriptionArn": arn, "Endpoint": "a@b.c", "Protocol": "email", "TopicArn": TOPIC}]
        account.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": subscriptions})
        assert words(doctor._mail(account.stack)) == expected


class TestConcurrency:
    @pytest.mark.parametrize(
        ("most", "archive", "word"), [(10, 5, "look"), (100, 33, "ok"), (100, 34, "look"), (1000, 20, "ok")]
    )
    def test_an_account_that_is_small_for_its_archive_is_told(
        self, account: Account, most: int, archive: int, word: str
    ) -> None:
        account.runs_at_once(most)
        stack = replace(account.stack, parameters={"ArchiveConcurrency": str(archive)})
        stack.__dict__["functions"] = account.stack.functions
        ((told, said),) = words(doctor._concurrency(stack))
        assert told == word
        assert str(most) in said


class TestMappings:
    @pytest.mark.parametrize(
        ("state", "result", "expected"),
        [
            ("Enabled", "OK", WELL),
            ("Enabled", "No records processed", WELL),
            ("Updating", "OK", WELL),
            ("Disabled", "OK", [("wrong", "is Disabled: nothing of it is worked on")]),
            ("Enabled", "PROBLEM: Function call failed", [("wrong", "PROBLEM: Function call failed")]),
        ],
    )
    def test_one_that_does_not_work_is_told(
        self, account: Account, state: str, result: str, expected: list[tuple[str, str]]
    ) -> None:
        account.has("AWS::Lambda::EventSourceMapping", AdvanceNewEvent=UUID)
        answer = {"UUID": UUID, "State": state, "LastProcessingResult": result}
        account.answers("functions", "get_event_source_mapping", answer)
        assert words(doctor._mappings(account.stack)) == expected
