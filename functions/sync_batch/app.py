"""Sync calls when a batch has completed or failed: prove it, record it once, answer.

POST /webhooks/sync/batch
"""

import gc

gc.disable()  # while all is imported: a fifth of a cold start; `receiver` turns it on again

import os

from botocore.session import get_session

from dailies.providers.sync import BATCH
from dailies.receiving import receiver

lambda_handler = receiver(BATCH, os.environ, get_session().create_client)
