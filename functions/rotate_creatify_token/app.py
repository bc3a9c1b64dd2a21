"""Rotate the token in the URL of Creatify's webhooks. Secrets Manager calls once per step; we create the value."""

import os
from typing import Any

import boto3

from dailies.aws import secrets
from dailies.aws.secret_versions import HeldSecret
from dailies.providers.creatify import new_token, webhook_url
from dailies.steps.rotate_secret import RotationStrategy, rotate

secret = HeldSecret(boto3.client("secretsmanager", config=secrets.CLIENT), os.environ["SIGNING_SECRET_ID"])
url = os.environ["WEBHOOK_URL"]
strategy = RotationStrategy(create=new_token, test=lambda token: webhook_url(url, token))


def lambda_handler(event: dict[str, Any], _context: object) -> None:
    """Safe to repeat for the same step."""
    rotate(event["Step"], event["ClientRequestToken"], secret, strategy)
