"""Creatify calls when a product-to-video job moves: prove it, record it once, answer.

POST /webhooks/creatify/product_to_videos/{token}
"""

import os

import boto3

from dailies.providers.creatify import PRODUCT_TO_VIDEOS
from dailies.receiving import receiver

lambda_handler = receiver(PRODUCT_TO_VIDEOS, os.environ, boto3.client)
