"""CloudFormation makes, changes or deletes the stack's webhook at Captions: register its URL, store the secret, answer.

CloudFormation waits for an hour for an answer, so there is one whatever happens.
"""

import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3

from dailies.aws import secrets, table
from dailies.aws.custom_resource import answer
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.errors import ApiUnavailable
from dailies.outbound import api
from dailies.outbound.connection import Network
from dailies.provider_api.account import Account, taking
from dailies.providers.captions import CAPTIONS, REGISTRY
from dailies.steps.register_webhook import LAST_LOOK_SECONDS, WebhookRegistrar, carry_out

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 100.0  # of the time limit: a call that hangs, taking back what was made, and the answer
# By so much a creation gives up before a deletion that began with it, which looks last LAST_LOOK_SECONDS before its own
# end: what the creation registers last, by a call that hangs, is there then.
CREATION_SECONDS = LAST_LOOK_SECONDS + 60
PAUSES = (0, 1, 2, 4, 8)  # seconds before each try to answer

client = boto3.client("secretsmanager", config=secrets.CLIENT)
take = taking(Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"]), CAPTIONS)
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def place(api_url: str, api_secret: str, *, patience: float) -> WebhookRegistrar:
    """Captions' register at this address, by the key in this secret."""
    account = Account("captions", api_url, ApiSecret(lambda: client, api_secret), patience, take)
    return WebhookRegistrar(account, REGISTRY, secret)


@telemetry.log.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Safe to run again for the same event."""
    patience = context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS
    if event["RequestType"] == "Create":
        patience -= CREATION_SECONDS
    outcome = carry_out(event, partial(place, patience=patience))
    if outcome.reason:
        telemetry.log.error(outcome.reason, request=event["RequestType"])
    if outcome.problem:
        telemetry.count("UncheckedWebhooks", {"provider": "captions"}, fields={"problem": outcome.problem})
    for pause in PAUSES:
        time.sleep(pause)
        try:
            status, *_ = api.call(answer(event, outcome), Network())
        except ApiUnavailable as error:
            telemetry.log.warning("CloudFormation did not take the answer", reason=error.reason)
        else:
            if status == 200:
                return
    raise ApiUnavailable("CloudFormation did not take the answer")
