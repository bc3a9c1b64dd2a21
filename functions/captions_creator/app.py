"""Receive Captions' webhook for creator operations: verify, record once, answer.

POST /webhooks/captions/creator
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` calls `cold_start.end`

import os

from botocore.session import get_session

from dailies.providers.captions import CREATOR
from dailies.steps.receive import receiver

lambda_handler = receiver(CREATOR, os.environ, get_session().create_client)
