"""A new stack takes over the table and the bucket of a deleted one, as in docs/recovery.md.

The stack has only these two resources; the emulator's import follows AWS's documentation.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator_gaps import processed_template
from local.retained import CHANGE_SET, NAMED_BY, change_set
from local.stack import Stack
from testkit.support.wait import wait_for

NAME = "retained"
ROW = {"pk": {"S": "job#sync#kept"}, "sk": {"S": "job"}}


class Retained:
    """A stack of the resources that outlive it."""

    def __init__(self, stack: Stack) -> None:
        self.client: Any = stack.aws.cloudformation
        whole = processed_template(stack.aws, stack.stack_name)
        self.template = {
            **{section: whole[section] for section in ("Parameters", "Conditions")},
            "Resources": {name: whole["Resources"][name] for name in NAMED_BY},
            "Outputs": {name: {"Value": {"Ref": name}} for name in NAMED_BY},
        }

    def deploy(self, how: Any) -> str:
        how(StackName=NAME, TemplateBody=json.dumps(self.template))
        return self.rests()

    def rests(self) -> str:
        """Its final status."""
        return wait_for(f"{NAME} rests", self.status, lambda status: not status.endswith("IN_PROGRESS"))

    def status(self) -> str:
        try:
            (found,) = self.client.describe_stacks(StackName=NAME)["Stacks"]
        except self.client.exceptions.ClientError:
            return "gone"
        return str(found["StackStatus"])

    def names(self) -> dict[str, str]:
        """The names of its resources in AWS."""
        (found,) = self.client.describe_stacks(StackName=NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


@pytest.fixture
def retained(stack: Stack) -> Iterator[Retained]:
    made = Retained(stack)
    assert made.deploy(made.client.create_stack) == "CREATE_COMPLETE"
    yield made
    made.client.delete_stack(StackName=NAME)


def test_what_a_deleted_stack_has_left_is_the_new_ones(stack: Stack, retained: Retained) -> None:
    names = retained.names()
    stack.aws.dynamodb.put_item(TableName=names["Table"], Item=ROW)
    retained.client.delete_stack(StackName=NAME)
    wait_for(f"{NAME} is gone", retained.status, lambda status: status in ("gone", "DELETE_COMPLETE"))

    retained.client.create_change_set(**change_set(NAME, names, {}))
    wait_for(
        "the change set is there",
        lambda: retained.client.describe_change_set(StackName=NAME, ChangeSetName=CHANGE_SET)["ExecutionStatus"],
        lambda status: status == "AVAILABLE",
    )
    retained.client.execute_change_set(StackName=NAME, ChangeSetName=CHANGE_SET)
    status = wait_for(f"{NAME} is imported", retained.status, lambda found: found.endswith("COMPLETE"))
    assert status == "IMPORT_COMPLETE"

    assert retained.deploy(retained.client.update_stack) == "UPDATE_COMPLETE"
    assert retained.names() == names
    assert stack.aws.dynamodb.get_item(TableName=names["Table"], Key=ROW)["Item"] == ROW
