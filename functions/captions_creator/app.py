"""Captions calls when an operation of its creator succeeds or fails: prove it, record it once, answer.

POST /webhooks/captions/creator
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` ends it

import os

from botocore.session import get_session

from dailies.providers.captions import CREATOR
from dailies.steps.receive import receiver

lambda_handler = receiver(CREATOR, os.environ, get_session().create_client)
