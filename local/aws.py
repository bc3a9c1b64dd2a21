"""The emulated AWS as its owner: the endpoint, the key with all permissions, and clients with that key."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

# Everything is on the loopback: no proxy from the environment, no retry. Fifty calls at once have a connection each.
CONFIG = Config(proxies={}, retries={"total_max_attempts": 1}, max_pool_connections=50)
# Nor the user's own profile and configuration, even if the named profile does not exist.
NO_PROFILE = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}


@dataclass(frozen=True)
class Aws:
    """An endpoint and an identity. A client is made at its first use, and threads may share it."""

    endpoint_url: str
    region: str
    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str | None = None

    @property
    def port(self) -> int:
        return int(self.endpoint_url.rsplit(":", 1)[1])

    @cached_property
    def session(self) -> boto3.Session:
        return boto3.Session(
            botocore_session=botocore.session.Session(session_vars=NO_PROFILE),
            aws_access_key_id=self.aws_access_key_id,
            aws_secret_access_key=self.aws_secret_access_key,
            aws_session_token=self.aws_session_token,
            region_name=self.region,
        )

    @cached_property
    def apigatewayv2(self) -> "ApiGatewayV2Client":
        return self.session.client("apigatewayv2", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        return self.session.client("cloudwatch", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.session.client("dynamodb", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def events(self) -> "EventBridgeClient":
        return self.session.client("events", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def iam(self) -> "IAMClient":
        return self.session.client("iam", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def functions(self) -> "LambdaClient":
        return self.session.client("lambda", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        return self.session.client("logs", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def s3(self) -> "S3Client":
        return self.session.client("s3", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        return self.session.client("secretsmanager", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.session.client("sqs", endpoint_url=self.endpoint_url, config=CONFIG)

    @cached_property
    def sts(self) -> "STSClient":
        return self.session.client("sts", endpoint_url=self.endpoint_url, config=CONFIG)
