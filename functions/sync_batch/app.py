"""Sync calls when a batch has completed or failed: prove it, record it once, answer.

POST /webhooks/sync/batch
"""

import os

import boto3

from dailies.providers.sync import BATCH
from dailies.receiving import receiver

lambda_handler = receiver(BATCH, os.environ, boto3.client)
