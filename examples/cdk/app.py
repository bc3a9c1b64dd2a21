"""Dailies in a CDK app, and a queue of your own that gets an event for each job that is done with.

`sam package` makes `packaged.yaml`, which this reads. CDK includes no SAM template: resources that SAM itself makes are
not in it, and others name them. So SAM's own translator is asked first, as CloudFormation would ask it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]


class NoManagedPolicies:
    """What SAM's translator looks managed policies up in: the template names none."""

    def load(self) -> dict[str, str]:
        """No policy has an ARN."""
        return {}


class Dailies(cdk.Stack):
    """The bundle as a stack; its bus is named after it."""

    def __init__(self, scope: Construct, name: str, *, packaged: Path, parameters: Mapping[str, str]) -> None:
        super().__init__(scope, name, stack_name=name)
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the translator wants one; its result is of none
        template = transform(yaml_parse(packaged.read_text()), {}, NoManagedPolicies())
        with NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(template, file)
            file.flush()
            self.template = CfnInclude(self, "Bundle", template_file=file.name, parameters=parameters)


class Videos(cdk.Stack):
    """What is yours: a rule on the bus, and a queue that it fills."""

    def __init__(self, scope: Construct, name: str, *, dailies: Dailies) -> None:
        super().__init__(scope, name)
        self.add_stack_dependency(dailies)
        queue = sqs.Queue(self, "Settled", enforce_ssl=True)
        events.Rule(
            self,
            "JobSettled",
            event_bus=events.EventBus.from_event_bus_name(self, "Bus", dailies.stack_name),
            event_pattern=events.EventPattern(source=["dailies"], detail_type=["Job Settled"]),
            targets=[targets.SqsQueue(queue)],
        )


def main() -> None:
    """The app, by the parameters that `sam deploy` would read too."""
    packaged = Path(os.environ.get("PACKAGED", ROOT / "packaged.yaml"))
    parameters = Path(os.environ.get("PARAMETERS", ROOT / "parameters.yaml"))
    given: dict[str, Any] = yaml_parse(parameters.read_text()) or {}
    app = cdk.App()
    dailies = Dailies(app, "dailies", packaged=packaged, parameters={name: str(value) for name, value in given.items()})
    Videos(app, "videos", dailies=dailies)
    app.synth()


if __name__ == "__main__":
    main()
