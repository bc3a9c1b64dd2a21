"""Sync calls when a generation has completed or failed: prove it, record it once, answer.

POST /webhooks/sync/generation
"""

import os

import boto3

from dailies.providers.sync import GENERATION
from dailies.receiving import receiver

lambda_handler = receiver(GENERATION, os.environ, boto3.client)
