"""Captions calls when an operation of its creator succeeds or fails: prove it, record it once, answer.

POST /webhooks/captions/creator
"""

import os

import boto3

from dailies.providers.captions import CREATOR
from dailies.receiving import receiver

lambda_handler = receiver(CREATOR, os.environ, boto3.client)
