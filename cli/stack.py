"""A connection to a stack: names and clients. A local one is described by stack.json, a deployed one by its outputs."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.errors import CliError
from dailies.aws.table import Table
from local import stack as local_stack
from local.stack import StackError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

# As many connections as a list reads partitions in parallel.
CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=50
)
SIGNED = Config(signature_version="s3v4")  # links to media: accepted in every region
# The bucket's own host in its region: the global one redirects requests for a new bucket for a day.
VIRTUAL_HOST = Config(s3={"addressing_style": "virtual"})
DEFAULT_NAME = "dailies"  # samconfig.toml's


@dataclass(frozen=True)
class Stack:
    """A stack and the credentials for it.

    `webhook_base_url` is the base of the webhooks' URLs. `outputs` and `parameters` are the template's, by name.
    `endpoint_url` is the emulated AWS's for a local stack, None on AWS.
    """

    name: str
    region: str
    webhook_base_url: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    session: boto3.Session
    endpoint_url: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return self.endpoint_url is not None

    def __str__(self) -> str:
        """Its name in questions and messages."""
        return "the local stack" if self.is_local else f"{self.name} in {self.region}"

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self.session.client("cloudformation", **self._client_options)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        return self.session.client("cloudwatch", **self._client_options)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.session.client("dynamodb", **self._client_options)

    @cached_property
    def events(self) -> "EventBridgeClient":
        return self.session.client("events", **self._client_options)

    @cached_property
    def functions(self) -> "LambdaClient":
        return self.session.client("lambda", **self._client_options)

    @cached_property
    def s3(self) -> "S3Client":
        config = SIGNED if self.is_local else SIGNED.merge(VIRTUAL_HOST)
        return self.session.client("s3", **self._client_options | {"config": self._config.merge(config)})

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        return self.session.client("secretsmanager", **self._client_options)

    @cached_property
    def sns(self) -> "SNSClient":
        return self.session.client("sns", **self._client_options)

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.session.client("sqs", **self._client_options)

    @cached_property
    def sts(self) -> "STSClient":
        return self.session.client("sts", **self._client_options)

    @cached_property
    def table(self) -> Table:
        """The table, through the bundle's own code."""
        return Table(self.dynamodb, self.output("TableName"))

    @property
    def bucket_name(self) -> str:
        return self.output("MediaBucketName")

    @property
    def announces_media_found(self) -> bool:
        """Whether `Media Found` is published too."""
        return self.parameters.get("AnnounceMediaFound") == "true"

    def output(self, name: str) -> str:
        """One of the template's outputs. Raises CliError if the deployed version does not have it."""
        if name not in self.outputs:
            raise CliError(f"The stack {self.name} has no output {name}: it is an older version. Run `sam deploy`.")
        return self.outputs[name]

    def resources(self, kind: str) -> dict[str, str]:
        """The physical names of its resources of one type, by their names in the template."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for page in pages
            for found in page["StackResourceSummaries"]
            if found["ResourceType"] == kind and "PhysicalResourceId" in found  # none while it is being created
        }

    @property
    def _config(self) -> Config:
        return CONFIG.merge(Config(proxies={})) if self.is_local else CONFIG

    @property
    def _client_options(self) -> dict[str, Any]:
        return {"endpoint_url": self.endpoint_url, "config": self._config}


def local(folder: Path | None = None) -> Stack:
    """The stack that `make up` started in `folder`, by default the one of `local.stack`. Raises CliError if there is
    none."""
    folder = folder or local_stack.folder_from_environment()
    try:
        up = local_stack.read(folder)
    except StackError:
        raise CliError(
            f"No local stack in {folder}. Start one with `make up`, or name a deployed one with --stack."
        ) from None
    except (json.JSONDecodeError, KeyError):
        raise CliError(f"{folder}/stack.json is from another version. Run `make up` to write it again.") from None
    return Stack(
        name=up.stack_name,
        region=up.aws.region,
        webhook_base_url=up.webhook_base_url,
        outputs=up.outputs,
        parameters=_described(up.aws.cloudformation, up.stack_name)[1],
        session=up.aws.session,
        endpoint_url=up.aws.endpoint_url,
    )


def deployed(name: str, *, profile: str | None = None, region: str | None = None) -> Stack:
    """A stack on AWS, with the user's credentials. Raises CliError if there is no Dailies stack of that name."""
    # The AWS CLI reads AWS_REGION first, boto3 never does. Both commands have to reach the same stack.
    session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
    outputs, parameters = _described(session.client("cloudformation", config=CONFIG), name)
    if "WebhookBaseUrl" not in outputs:
        raise CliError(f"The stack {name} is not a Dailies stack. Name another with --stack.")
    return Stack(
        name=name,
        region=session.region_name,
        webhook_base_url=outputs["WebhookBaseUrl"],
        outputs=outputs,
        parameters=parameters,
        session=session,
    )


def connect(name: str | None, *, profile: str | None = None, region: str | None = None) -> Stack:
    """The stack that the options name: a deployed one if any of them is given, otherwise the local one."""
    if name or profile or region:
        return deployed(name or DEFAULT_NAME, profile=profile, region=region)
    return local()


def _described(client: "CloudFormationClient", name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The stack's outputs and parameters. Raises CliError if there is no such stack."""
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise CliError(
            f"No stack {name} in {client.meta.region_name}. Name another with --stack, or its region with --region."
        ) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
    return outputs, {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())}
