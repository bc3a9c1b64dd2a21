"""Receive Sync's webhook for batches: verify, record once, answer.

POST /webhooks/sync/batch
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` calls `cold_start.end`

import os

from botocore.session import get_session

from dailies.providers.sync import BATCH
from dailies.steps.receive import receiver

lambda_handler = receiver(BATCH, os.environ, get_session().create_client)
