"""Submit jobs from your own function, with Dailies' webhook in them. The function needs the stack's layer.

    import boto3
    from dailies.submit import Bus, Table, every_api, every_provider, submit

    settings = {"SYNC_API_URL": "https://api.sync.so", "SYNC_API_SECRET_ID": "dailies/sync/api"}
    table = Table(boto3.client("dynamodb"), "<the stack's TableName>")
    sync = every_provider()["sync"]
    api = every_api({"sync": sync}, settings, boto3.client("secretsmanager"), table)["sync"]
    bus = Bus(boto3.client("events"), "<the stack's BusName>")

    submitted = submit(api, "generate", {"model": "lipsync-2", "input": [...]}, webhook=url, bus=bus)
    submitted.job_id, submitted.answer

Its role needs `dynamodb:GetItem` and `dynamodb:PutItem` on the table, which has the count of the provider's rate limit,
`secretsmanager:GetSecretValue` on the secret, and `events:PutEvents` on the bus.
"""

from dailies.aws.bus import Bus
from dailies.aws.table import Table
from dailies.errors import NotSubmitted
from dailies.provider_api.client import every_api
from dailies.providers import every_provider
from dailies.steps.submit import Submitted, submit

__all__ = ["Bus", "NotSubmitted", "Submitted", "Table", "every_api", "every_provider", "submit"]
