"""A stack of one part of the template: a resource and all that it refers to, as it is deployed in the whole one."""

import json
from typing import Any

from local.aws import Aws
from tests.waiting import wait_for


def part(whole: dict[str, Any], resource: str, **properties: Any) -> dict[str, Any]:
    """The part of a processed template that makes this resource, some of its properties set to other values. What is
    only to be there before or after it is left out, and all goes with the stack."""
    resources = json.loads(json.dumps(whole["Resources"]))
    resources[resource]["Properties"] |= properties
    wanted: dict[str, Any] = {}
    names = [resource]
    while names:
        if (name := names.pop()) in resources and name not in wanted:
            made = wanted[name] = resources[name]
            made.pop("DependsOn", None)
            made["DeletionPolicy"] = "Delete"
            names += _references(made)
    return {**{section: whole[section] for section in ("Parameters", "Conditions")}, "Resources": wanted}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        named = [value[kind] for kind in ("Ref", "Fn::GetAtt") if kind in value]
        names = [name if isinstance(name, str) else name[0] for name in named]
        return names + [found for each in value.values() for found in _references(each)]
    return [found for each in value for found in _references(each)] if isinstance(value, list) else []


class SmallStack:
    """That stack on the emulated AWS. `events` are what went wrong, as CloudFormation tells it."""

    def __init__(self, aws: Aws, name: str, template: dict[str, Any]) -> None:
        self.name = name
        self._client = aws.cloudformation
        self._template = template

    def create(self, **parameters: str) -> str:
        """The status that it comes to."""
        return self._deploy(self._client.create_stack, parameters)

    def update(self, **parameters: str) -> str:
        """The same."""
        return self._deploy(self._client.update_stack, parameters)

    def delete(self) -> None:
        """Returns when it is gone."""
        self._client.delete_stack(StackName=self.name)
        wait_for(f"{self.name} is gone", self._status, lambda status: status in ("", "DELETE_COMPLETE"))

    def failures(self) -> list[str]:
        """Why what could not be made or changed could not."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]

    def resource(self, name: str) -> str:
        """Its physical id."""
        found = self._client.describe_stack_resource(StackName=self.name, LogicalResourceId=name)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def _deploy(self, deploy: Any, parameters: dict[str, str]) -> str:
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        deploy(
            StackName=self.name,
            TemplateBody=json.dumps(self._template),
            Parameters=given,
            Capabilities=["CAPABILITY_IAM"],
        )
        return wait_for(self.name, self._status, lambda status: not status.endswith("IN_PROGRESS"))

    def _status(self) -> str:
        try:
            (found,) = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except self._client.exceptions.ClientError:
            return ""
        return found["StackStatus"]
