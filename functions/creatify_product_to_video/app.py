"""Creatify calls when a product-to-video job moves: prove it, record it once, answer.

POST /webhooks/creatify/product_to_videos/{token}
"""

import gc

gc.disable()  # while all is imported: a fifth of a cold start; `receiver` turns it on again

import os

from botocore.session import get_session

from dailies.providers.creatify import PRODUCT_TO_VIDEOS
from dailies.receiving import receiver

lambda_handler = receiver(PRODUCT_TO_VIDEOS, os.environ, get_session().create_client)
