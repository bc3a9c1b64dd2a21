"""CloudFormation makes, changes or deletes the stack's webhook at Captions: register its URL, store the secret, answer.

CloudFormation waits for an hour for an answer, so there is one whatever happens.
"""

import os
import time
from typing import Any

import boto3

from dailies import outbound, secrets, table
from dailies.account import Account
from dailies.cloudformation import answer
from dailies.errors import HostFailed
from dailies.outbound import Network
from dailies.providers.captions import CAPTIONS, REGISTRY
from dailies.registering import Register, carry_out
from dailies.rotating import HeldSecret
from dailies.secrets import ApiSecret
from dailies.table import Table
from dailies.telemetry import Telemetry

PATIENCE = 150.0  # seconds; twice the minute that Captions counts its five calls in, and half of the time limit
PAUSES = (0, 1, 2, 4, 8)  # seconds before each try to answer

client = boto3.client("secretsmanager", config=secrets.CLIENT)
limits = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def take() -> bool:
    """A call of Captions' rate limit, where it leaves room."""
    return limits.take_calls("captions", CAPTIONS.api_limit, 1, time.time()) > 0


def place(api_url: str, api_secret: str) -> Register:
    """Captions' register at this address, by the key in this secret."""
    account = Account("captions", api_url, ApiSecret(lambda: client, api_secret), PATIENCE, take)
    return Register(account, REGISTRY, secret)


def lambda_handler(event: dict[str, Any], _context: object) -> None:
    """Safe to run again for the same event."""
    outcome = carry_out(event, place)
    if outcome.reason:
        telemetry.log.error(outcome.reason, request=event["RequestType"])
    for pause in PAUSES:
        time.sleep(pause)
        try:
            status, *_ = outbound.call(answer(event, outcome), Network())
        except HostFailed as error:
            telemetry.log.warning("CloudFormation did not take the answer", reason=error.reason)
        else:
            if status == 200:
                return
    raise HostFailed("CloudFormation did not take the answer")
