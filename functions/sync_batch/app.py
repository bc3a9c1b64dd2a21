"""Sync calls when a batch has completed or failed: prove it, record it once, answer.

POST /webhooks/sync/batch
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` ends it

import os

from botocore.session import get_session

from dailies.providers.sync import BATCH
from dailies.steps.receive import receiver

lambda_handler = receiver(BATCH, os.environ, get_session().create_client)
