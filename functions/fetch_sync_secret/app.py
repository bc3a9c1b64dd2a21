"""On a schedule: what signs Sync's calls now, by its API, becomes the current signing secret where it is not.

Without an API key nothing is asked, and a secret that was set by hand stays.
"""

import os

import boto3

from dailies.aws import secrets
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import ApiSecret
from dailies.aws.telemetry import Telemetry
from dailies.provider_api.account import Account
from dailies.providers.sync import ask_signing_secret, read_signing_secret

api_url = os.environ["SYNC_API_URL"]
client = boto3.client("secretsmanager", config=secrets.CLIENT)
api_key = ApiSecret(lambda: client, os.environ["SYNC_API_SECRET_ID"])
secret = HeldSecret(client, os.environ["SIGNING_SECRET_ID"])
telemetry = Telemetry(os.environ["STACK_NAME"])


def lambda_handler(_event: object, _context: object) -> None:
    """One call to Sync each run, for which `SYNC.api_limit` leaves room; what goes wrong is mended by the next one."""
    account = Account("sync", api_url, api_key, patience=0)
    if account.credentials() and secret.use(account.call(ask_signing_secret, read_signing_secret)):
        telemetry.count("NewSecrets", {"provider": "sync"})
