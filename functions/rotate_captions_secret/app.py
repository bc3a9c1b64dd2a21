"""Secrets Manager rotates the secret of the webhook at Captions, a step with each call: Captions makes the new one."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import secrets, table
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.provider_api.account import Account, taking
from dailies.providers.captions import CAPTIONS, REGISTRY
from dailies.steps.register_webhook import WebhookRegistrar, rotation
from dailies.steps.rotate_secret import rotate

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 60.0  # of the time limit, for calls that hang

api_url, webhook_url = os.environ["CAPTIONS_API_URL"], os.environ["WEBHOOK_URL"]
client = boto3.client("secretsmanager", config=secrets.CLIENT)
api_key = ApiSecret(lambda: client, os.environ["CAPTIONS_API_SECRET_ID"])
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
take = taking(Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"]), CAPTIONS)


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Safe to run again for the same step."""
    patience = context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS
    account = Account("captions", api_url, api_key, patience, take)
    way = rotation(WebhookRegistrar(account, REGISTRY, secret), webhook_url)
    rotate(event["Step"], event["ClientRequestToken"], secret, way)
