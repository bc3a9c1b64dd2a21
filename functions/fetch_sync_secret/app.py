"""Fetch the signing secret from Sync's API on a schedule, and make it the current one if it has changed.

Without an API key the function does nothing. A secret that was set by hand is kept.
"""

import os

import boto3

from dailies.aws import secrets
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import ApiSecret
from dailies.aws.telemetry import Telemetry
from dailies.errors import NoCredentials
from dailies.outbound.connection import Network
from dailies.provider_api.client import ProviderApi
from dailies.provider_api.retry import ONCE
from dailies.providers.sync import SYNC, get_signing_secret, read_signing_secret

client = boto3.client("secretsmanager", config=secrets.CLIENT)
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
telemetry = Telemetry(os.environ["STACK_NAME"])
# Without a table: a run sends one request, for which `SYNC.api_limit` leaves room.
sync = ProviderApi(
    provider=SYNC,
    base_url=os.environ["SYNC_API_URL"],
    secret=ApiSecret(lambda: client, os.environ["SYNC_API_SECRET_ID"]),
    network=Network(),
)


def lambda_handler(_event: object, _context: object) -> None:
    """Run once. After a failed run, the next one on the schedule does the work."""
    try:
        signing_secret = sync.call(get_signing_secret, read_signing_secret, retry=ONCE)
    except NoCredentials:
        return
    if secret.use(signing_secret):
        telemetry.count("NewSecrets", {"provider": "sync"})
