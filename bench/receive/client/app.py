"""The comparison for a cold start: a handler that makes one boto3 client for DynamoDB, and nothing else."""

from typing import Any

import boto3

client = boto3.client("dynamodb")


def lambda_handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return at once, without a call."""
    return {"statusCode": 200, "body": client.meta.region_name}
