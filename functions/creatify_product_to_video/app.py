"""Receive Creatify's webhook for product-to-video jobs: verify, record once, answer.

POST /webhooks/creatify/product_to_videos/{token}
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` calls `cold_start.end`

import os

from botocore.session import get_session

from dailies.providers.creatify import PRODUCT_TO_VIDEOS
from dailies.steps.receive import receiver

lambda_handler = receiver(PRODUCT_TO_VIDEOS, os.environ, get_session().create_client)
