"""AWS for the fast tests: moto in this process, and the functions as Lambda loads them.

moto keeps what it is given and answers as AWS does; races and integrity are proven on the stack (tests/stack.py).
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from dailies.attributes import plain, typed
from dailies.merging import merge
from dailies.models import Event
from dailies.rows import Item, event_item, job_item
from tests import quick_moto
from tests.clients import lent_clients
from tests.template import resources

if TYPE_CHECKING:
    from types import ModuleType

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

quick_moto.hurry()

FUNCTIONS = Path(__file__).parents[1] / "functions"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
# Nobody listens there; one try, so that the test does not wait.
UNREACHABLE = "http://127.0.0.1:1"
ONE_TRY = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
TABLE, BUCKET, BUS, SECRET = "dailies-table", "dailies-bucket", "dailies-bus", "dailies/signing"

# What makes the table what it is; the rest of its properties does not matter here.
KEYS = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}

# What functions work with; all others are receivers.
NEEDS = {
    "advance": ("dynamodb", "sqs"),
    "announce": ("s3", "sqs", "events"),
    "archive": ("dynamodb", "sqs"),
    "track": ("dynamodb", "sqs"),
}


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function of its invocation."""

    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        """As at the start of a function with the longest time limit."""
        return 900_000


class Cloud:
    """An account with what the template makes, each thing made when it is first needed, and a look into it."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self._patched = patched

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """With the table."""
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            **{name: value for name, value in resources("AWS::DynamoDB::Table")["Table"].items() if name in KEYS},
        )
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """With the bucket."""
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        """With the queues: `failures` (of whichever function), `found` (the archive's), `told` (what the bus heard)."""
        client = boto3.client("sqs")
        for name in ("failures", "found", "told"):
            client.create_queue(QueueName=name)
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        """With the bus, and a rule that hears all that we say."""
        client = boto3.client("events")
        client.create_event_bus(Name=BUS)
        client.put_rule(Name="all", EventBusName=BUS, EventPattern='{"source":["dailies"]}')
        queue = self.sqs.get_queue_attributes(QueueUrl=self.queue_url("told"), AttributeNames=["QueueArn"])
        client.put_targets(
            Rule="all", EventBusName=BUS, Targets=[{"Id": "told", "Arn": queue["Attributes"]["QueueArn"]}]
        )
        return client

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """Without secrets."""
        return boto3.client("secretsmanager")

    def queue_url(self, name: str) -> str:
        """Of `failures`, `found` or `told`."""
        return f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}"

    @property
    def environment(self) -> dict[str, str]:
        """What the template puts into the functions' environments."""
        return {
            "STACK_NAME": "dailies",
            "TABLE_NAME": TABLE,
            "BUCKET_NAME": BUCKET,
            "BUS_NAME": BUS,
            "ANNOUNCE_MEDIA_FOUND": "false",
            "FAILURE_QUEUE_URL": self.queue_url("failures"),
            "ARCHIVE_QUEUE_URL": self.queue_url("found"),
            "ARCHIVE_TRIES": "3",
            "ARCHIVE_BACKOFF_SECONDS": "1",
            "MAX_MEDIA_BYTES": "104857600",
            "PRIVATE_MEDIA_HOSTS": "127.0.0.1",
            "CREATIFY_MEDIA_HOSTS": "creatify.ai",
            **{f"{name}_API_SECRET_ID": f"dailies/{name.lower()}/api" for name in ("SYNC", "CREATIFY", "CAPTIONS")},
            **{f"{name}_API_URL": UNREACHABLE for name in ("SYNC", "CREATIFY", "CAPTIONS")},
            "SIGNING_SECRET_ID": SECRET,
            "SIGNATURE_TOLERANCE_SECONDS": str(10**10),  # the recorded signatures hold whenever the tests run
            "ACCEPT_BARE_SYNC_SIGNATURE": "true",
            "MAX_BODY_BYTES": "1048576",
            "ROTATION_GRACE_HOURS": "24",
            "RETENTION_DAYS": "90",
            "RECONCILE_QUIET_SECONDS": "0",
            "SILENT_AFTER_HOURS": "24",
        }

    def set_secret(self, value: str) -> None:
        """Make the signing secret, or make this value its current version."""
        if self.secretsmanager.list_secrets()["SecretList"]:
            self.secretsmanager.put_secret_value(SecretId=SECRET, SecretString=value)
        else:
            self.secretsmanager.create_secret(Name=SECRET, SecretString=value)

    def typed_rows(self) -> list[dict[str, Any]]:
        """All rows of the table, as DynamoDB writes them."""
        return [dict(item) for item in self.dynamodb.scan(TableName=TABLE)["Items"]]

    def rows(self) -> list[Item]:
        """All rows of the table, without their payloads."""
        return [plain(item) for item in self.typed_rows()]

    def put(self, items: Iterable[Item]) -> None:
        """Put rows, in as few calls as there can be."""
        for some in batched(items, 25, strict=False):
            puts: list[Any] = [{"PutRequest": {"Item": typed(item)}} for item in some]
            self.dynamodb.batch_write_item(RequestItems={TABLE: puts})

    def put_events(self, events: Iterable[Event]) -> None:
        """Each is the only event of its job: its row and the job's, as `record` and `advance` would put them."""
        self.put(
            row
            for event in events
            for row in (event_item(event, expires_at=2_000_000_000), job_item(merge(None, event)) | {"version": 1})
        )

    def objects(self) -> dict[str, bytes]:
        """All objects of the bucket."""
        keys = [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def failed(self) -> list[tuple[str, Any]]:
        """What was put into the failure queue since it was last asked for: each reason with its work."""
        return [
            (message["MessageAttributes"]["reason"]["StringValue"], json.loads(message["Body"]))
            for message in self._emptied("failures")
        ]

    def queued(self) -> list[dict[str, Any]]:
        """The media that the archive's queue was given since it was last asked for."""
        return [json.loads(message["Body"])["detail"] for message in self._emptied("found")]

    def told(self) -> list[tuple[str, Any]]:
        """What the bus was told since it was last asked for: each detail-type with its detail."""
        bodies = [json.loads(message["Body"]) for message in self._emptied("told")]
        return [(body["detail-type"], body["detail"]) for body in bodies]

    def function(self, name: str, **environment: str) -> "ModuleType":
        """functions/<name>/app.py as Lambda loads it for a new environment: the template's, but for these."""
        for service in NEEDS.get(name, ("dynamodb", "s3")):
            getattr(self, service)  # is made now, where it is not there yet
        for variable, value in {**self.environment, **environment}.items():
            self._patched.setenv(variable, value)
        if "AWS_ACCESS_KEY_ID" in environment:
            self._patched.setattr(boto3, "DEFAULT_SESSION", None)  # it has read the account's own credentials
        spec = spec_from_file_location(f"functions.{name}.app", FUNCTIONS / name / "app.py")
        assert spec
        assert spec.loader
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _emptied(self, name: str) -> Iterator[Any]:
        queue = self.queue_url(name)
        while messages := self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield from messages


@contextmanager
def account() -> Iterator[Cloud]:
    """An account while the context lasts. boto3's own session is left as it was."""
    with mock_aws(), pytest.MonkeyPatch.context() as patched, lent_clients():
        for name, value in ACCOUNT.items():
            patched.setenv(name, value)
        yield Cloud(patched)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An account of this test's own."""
    with account() as made:
        yield made
