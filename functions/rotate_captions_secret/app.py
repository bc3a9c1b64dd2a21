"""Rotate the secret of the webhook at Captions. Secrets Manager calls once per step; Captions creates the value."""

import os
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import secrets, table
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.outbound.connection import Network
from dailies.provider_api.client import ProviderApi
from dailies.provider_api.retry import Patience
from dailies.providers.captions import CAPTIONS, REGISTRY
from dailies.steps.register_webhook import WebhookRegistrar
from dailies.steps.rotate_secret import rotate

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 60.0  # of the time limit, for requests that hang

webhook_url = os.environ["WEBHOOK_URL"]
client = boto3.client("secretsmanager", config=secrets.CLIENT)
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
captions = ProviderApi(
    provider=CAPTIONS,
    base_url=os.environ["CAPTIONS_API_URL"],
    secret=ApiSecret(lambda: client, os.environ["CAPTIONS_API_SECRET_ID"]),
    network=Network(),
    table=Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"]),
)


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Safe to repeat for the same step."""
    patience = Patience(context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS)
    registrar = WebhookRegistrar(captions, REGISTRY, secret, patience)
    rotate(event["Step"], event["ClientRequestToken"], secret, registrar.rotation(webhook_url))
