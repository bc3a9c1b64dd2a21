"""Receive Sync's webhook for generations: verify, record once, answer.

POST /webhooks/sync/generation
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` calls `cold_start.end`

import os

from botocore.session import get_session

from dailies.providers.sync import GENERATION
from dailies.steps.receive import receiver

lambda_handler = receiver(GENERATION, os.environ, get_session().create_client)
