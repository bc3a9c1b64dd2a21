"""Sync calls when a generation has completed or failed: prove it, record it once, answer.

POST /webhooks/sync/generation
"""

import gc

gc.disable()  # while all is imported: a fifth of a cold start; `receiver` turns it on again

import os

from botocore.session import get_session

from dailies.providers.sync import GENERATION
from dailies.receiving import receiver

lambda_handler = receiver(GENERATION, os.environ, get_session().create_client)
