"""A connection to a stack: its names, its clients. The local one by its stack.json, a deployed one by its outputs."""

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

from cli.errors import Refusal
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

# As many connections as a list asks its partitions at once.
CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=50
)
SIGNED = Config(signature_version="s3v4")  # links to media: the way that every region takes
# ... for the bucket's own host in its region: the global one answers a new bucket with redirects for a day.
OF_ITS_OWN_HOST = Config(s3={"addressing_style": "virtual"})
DEFAULT_NAME = "dailies"  # samconfig.toml's


@dataclass(frozen=True)
class Stack:
    """A stack and the credentials that reach it.

    `webhook_base_url` is where the providers call. `outputs` and `parameters` are the template's, by name.
    `endpoint_url` is None on AWS, and the emulated AWS's where the stack is a local one.
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
        """Whether it is on this machine."""
        return self.endpoint_url is not None

    def __str__(self) -> str:
        """As a question or an answer names it."""
        return "the local stack" if self.is_local else f"{self.name} in {self.region}"

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self.session.client("cloudformation", **self._how)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        return self.session.client("cloudwatch", **self._how)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.session.client("dynamodb", **self._how)

    @cached_property
    def events(self) -> "EventBridgeClient":
        return self.session.client("events", **self._how)

    @cached_property
    def functions(self) -> "LambdaClient":
        return self.session.client("lambda", **self._how)

    @cached_property
    def s3(self) -> "S3Client":
        config = SIGNED if self.is_local else SIGNED.merge(OF_ITS_OWN_HOST)
        return self.session.client("s3", **self._how | {"config": self._config.merge(config)})

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        return self.session.client("secretsmanager", **self._how)

    @cached_property
    def sns(self) -> "SNSClient":
        return self.session.client("sns", **self._how)

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.session.client("sqs", **self._how)

    @cached_property
    def sts(self) -> "STSClient":
        return self.session.client("sts", **self._how)

    @cached_property
    def table(self) -> Table:
        """The bundle's own calls on the table."""
        return Table(self.dynamodb, self.output("TableName"))

    @property
    def bucket_name(self) -> str:
        return self.output("MediaBucketName")

    @property
    def announces_media_found(self) -> bool:
        """Whether its bus is told of found media too."""
        return self.parameters.get("AnnounceMediaFound") == "true"

    def output(self, name: str) -> str:
        """One of the template's outputs; a Refusal where the deployed version has none of that name."""
        if name not in self.outputs:
            raise Refusal(f"the stack {self.name} has no output {name}: deploy this version first (`sam deploy`)")
        return self.outputs[name]

    def resources(self, kind: str) -> dict[str, str]:
        """Its resources of a type: what each is called in AWS, by its name in the template."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for page in pages
            for found in page["StackResourceSummaries"]
            if found["ResourceType"] == kind and "PhysicalResourceId" in found  # it is being made where it has none
        }

    @property
    def _config(self) -> Config:
        return CONFIG.merge(Config(proxies={})) if self.is_local else CONFIG

    @property
    def _how(self) -> dict[str, Any]:
        return {"endpoint_url": self.endpoint_url, "config": self._config}


def local(folder: Path | None = None) -> Stack:
    """The stack that `make up` brought up: of this folder, else of the one that DAILIES_LOCAL names, or `.local`."""
    folder = folder or local_stack.folder_from_environment()
    try:
        up = local_stack.read(folder)
    except StackError:
        raise Refusal(
            f"no local stack in {folder}; start one with `make up`, or name a deployed one with --stack"
        ) from None
    except (json.JSONDecodeError, KeyError):
        raise Refusal(f"{folder}/stack.json is of another version; `make up` writes it anew") from None
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
    """A stack on AWS, by the user's own credentials. A Refusal where there is none of that name."""
    # The AWS CLI looks at AWS_REGION first, boto3 never: a line of the one beside a line of ours means the same stack.
    session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
    outputs, parameters = _described(session.client("cloudformation", config=CONFIG), name)
    if "WebhookBaseUrl" not in outputs:
        raise Refusal(f"the stack {name} is not a Dailies stack; name another with --stack")
    return Stack(
        name=name,
        region=session.region_name,
        webhook_base_url=outputs["WebhookBaseUrl"],
        outputs=outputs,
        parameters=parameters,
        session=session,
    )


def connect(name: str | None, *, profile: str | None = None, region: str | None = None) -> Stack:
    """The stack that the options mean: a deployed one where any of them is given, else the local one."""
    if name or profile or region:
        return deployed(name or DEFAULT_NAME, profile=profile, region=region)
    return local()


def _described(client: "CloudFormationClient", name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The stack's outputs and its parameters."""
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise Refusal(
            f"no stack {name} in {client.meta.region_name}; name it with --stack, its place with --region"
        ) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
    return outputs, {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())}
