"""Register, change or delete the stack's webhook at Captions, as CloudFormation asks, and store its secret.

CloudFormation waits an hour for an answer, so the function answers after errors too.
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
from dailies.errors import ApiUnavailable, DailiesError
from dailies.outbound import api
from dailies.outbound.connection import Network
from dailies.provider_api.client import ProviderApi
from dailies.provider_api.retry import Patience
from dailies.providers.captions import CAPTIONS, REGISTRY
from dailies.steps.register_webhook import LAST_LOOK_SECONDS, WebhookRegistrar, carry_out

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

LAST_SECONDS = 100.0  # of the time limit, for a request that hangs, for cleaning up, and for the answer
# How much earlier a creation gives up than a deletion that began at the same time. The deletion looks for the last time
# LAST_LOOK_SECONDS before its end. It then finds a webhook that the creation's last request registered, even if that
# request hung.
CREATION_SECONDS = LAST_LOOK_SECONDS + 60
PAUSES = (0, 1, 2, 4, 8)  # seconds before each attempt to answer

client = boto3.client("secretsmanager", config=secrets.CLIENT)
limits = Table(boto3.client("dynamodb", config=table.CLIENT), os.environ["TABLE_NAME"])
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def registrar_of(api_url: str, api_secret: str, *, patience: float) -> WebhookRegistrar:
    """The registrar for the API at this URL, with the key in this secret. `patience`: seconds."""
    captions = ProviderApi(
        provider=CAPTIONS,
        base_url=api_url,
        secret=ApiSecret(lambda: client, api_secret),
        network=Network(),
        table=limits,
    )
    return WebhookRegistrar(captions, REGISTRY, secret, Patience(patience))


@telemetry.log.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> None:
    """Safe to repeat for the same event."""
    patience = context.get_remaining_time_in_millis() / 1000 - LAST_SECONDS
    if event["RequestType"] == "Create":
        patience -= CREATION_SECONDS
    outcome = carry_out(event, partial(registrar_of, patience=patience))
    if outcome.reason:
        telemetry.log.error(outcome.reason, request=event["RequestType"])
    if outcome.problem:
        telemetry.count("UncheckedWebhooks", {"provider": "captions"}, fields={"problem": outcome.problem})
    for pause in PAUSES:
        time.sleep(pause)
        try:
            status, *_ = api.call(answer(event, outcome), Network())
        except ApiUnavailable as error:
            telemetry.log.warning("CloudFormation did not accept the answer", reason=error.reason)
        else:
            if status == 200:
                return
    raise DailiesError(f"CloudFormation did not accept the answer in {len(PAUSES)} attempts")
