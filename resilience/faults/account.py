"""The account: the real stack on the emulated AWS, with its pollers off. The cases receive the records instead, each
case its own, by the prefix of its job ids."""

import base64
import json
import re
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import boto3
from boto3.dynamodb.types import Binary, TypeDeserializer
from botocore.exceptions import ClientError

from dailies.providers import every_provider
from local.aws import CONFIG
from local.bus_queue import listening_queue
from local.stack import Stack
from resilience.faults.grants import SESSION, lend
from resilience.faults.invoking import Function
from simulators.provider_apis import ProviderApis
from simulators.webhook_server import Webhook
from testkit.support.template import signing_secrets

CASE = re.compile(r"case\d{5}-")
POLL_SECONDS = 0.06  # each poll uses the processors that the cases run on
PROVING = tuple(dict.fromkeys(signing_secrets().values()))  # the secrets that sign calls
FAILURE_QUEUES = (
    "AdvanceFailureQueueUrl",
    "AnnounceFailureQueueUrl",
    "ArchiveDeadLetterQueueUrl",
    "TrackFailureQueueUrl",
)
WAKES = ("TrackSubmittedJob", "ReconcileSweep", "FetchSyncSecret")  # the rules that would invoke functions
FORGET_SECONDS = 0.5
MOVED = ", moved by SQS"  # a message without attempts left
KEEPERS = ("RegisterCaptionsWebhook", "RotateCaptionsSecret", "RotateCreatifyToken", "FetchSyncSecret")
MAX_READ = 5 * 1024 * 1024  # bytes of an object: hundreds of cases have one of twenty megabytes

type Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A poller's input for a function: a record of the stream, or a message of the archive's queue."""

    function: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A version of an object: its size in bytes, and its content if that is at most MAX_READ."""

    version: str
    size: int
    content: bytes = b""

    @property
    def digest(self) -> str:
        """The content's digest."""
        return sha256(self.content).hexdigest()


@dataclass
class Found:
    """A case's data in the account at the end."""

    rows: list[Row] = field(default_factory=list)
    versions: dict[str, list[Stored]] = field(default_factory=lambda: defaultdict(list))
    heard: list[dict[str, Any]] = field(default_factory=list)
    failed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Account:
    """The account, read with the owner's key."""

    def __init__(self, stack: Stack, apis: ProviderApis, formation: Webhook, folder: Path) -> None:
        self.stack = stack
        self.apis = apis
        self.formation = formation  # the endpoint for CloudFormation's responses
        self.aws = stack.aws
        self.table = stack.outputs["TableName"]
        self.bucket = stack.outputs["MediaBucketName"]
        self.work: dict[str, SimpleQueue[Work]] = defaultdict(SimpleQueue)
        self.heard: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._filters: dict[str, list[Any]] = {}
        self.crowded: set[str] = set()
        self.ever_secret: set[str] = {apis.sync.signing_secret}
        self._switch_pollers_off()
        for name in KEEPERS:
            config = self.aws.functions.get_function_configuration(FunctionName=stack.functions[name])
            lend(self.aws, config["Role"].rpartition("/")[2])
        self.secrets = self._set_secrets()
        for api in (apis.sync, apis.creatify, apis.captions):
            api.part.gate.limits = []
        self.functions = {name: self._function(name, folder) for name in stack.functions}
        self.max_receives = self._most_receives()
        self._listener = listening_queue(
            self.aws.sqs, self.aws.events, stack.outputs["BusName"], "proof-listener", "proof-listener"
        )
        self._ended = threading.Event()

    def _most_receives(self) -> int:
        """The number of receives after which SQS moves a message to the dead-letter queue."""
        asked = self.aws.sqs.get_queue_attributes(
            QueueUrl=self.stack.outputs["ArchiveQueueUrl"], AttributeNames=["RedrivePolicy"]
        )
        return int(json.loads(asked["Attributes"]["RedrivePolicy"])["maxReceiveCount"])

    # ---- before -----------------------------------------------------------------------------------------------------

    def _switch_pollers_off(self) -> None:
        named = {physical: name for name, physical in self.stack.functions.items()}
        for mapping in self.aws.functions.list_event_source_mappings()["EventSourceMappings"]:
            function = named[mapping["FunctionArn"].rpartition(":")[2]]
            if "FilterCriteria" in mapping:
                filters = mapping["FilterCriteria"]["Filters"]
                self._filters[function] = [json.loads(each["Pattern"]) for each in filters]
            self.aws.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

        for bus in ("default", self.stack.outputs["BusName"]):
            for rule in self.aws.events.list_rules(EventBusName=bus)["Rules"]:
                if any(name in rule["Name"] for name in WAKES):
                    self.aws.events.disable_rule(Name=rule["Name"], EventBusName=bus)

    def _set_secrets(self) -> dict[str, str]:
        client, name = self.aws.secretsmanager, self.stack.stack_name
        for each in PROVING:
            if not each.endswith("/token"):  # the stack makes these
                client.put_secret_value(SecretId=f"{name}/{each}", SecretString=f"whsec_{secrets.token_urlsafe(24)}")
        for api in (self.apis.sync, self.apis.creatify, self.apis.captions):
            secret_id = f"{name}/{api.part.provider}/api"
            client.put_secret_value(SecretId=secret_id, SecretString=json.dumps(api.credentials))
            self.ever_secret |= set(api.credentials.values())
        found = {each: client.get_secret_value(SecretId=f"{name}/{each}")["SecretString"] for each in PROVING}
        self.ever_secret |= set(found.values())
        return found

    def _function(self, name: str, folder: Path) -> Function:
        config = self.aws.functions.get_function_configuration(FunctionName=self.stack.functions[name])
        lent = self.aws.sts.assume_role(RoleArn=config["Role"], RoleSessionName=SESSION)["Credentials"]
        own = {
            "AWS_ACCESS_KEY_ID": lent["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": lent["SecretAccessKey"],
            "AWS_SESSION_TOKEN": lent["SessionToken"],
            "AWS_DEFAULT_REGION": self.aws.region,
        }
        environment = {**config["Environment"]["Variables"], **own}
        return Function(name, folder / "build" / name / "app.py", environment, float(config["Timeout"]))

    # ---- during the cases -------------------------------------------------------------------------------------------

    @contextmanager
    def polling(self) -> Iterator[None]:
        """While the context is open, collects work in `work` and bus events in `heard`."""
        loops = (self._poll_stream, self._poll_archive_queue, self._poll_bus, self._forget_calls)
        with ThreadPoolExecutor(len(loops)) as threads:
            running = [threads.submit(loop) for loop in loops]
            try:
                yield
            finally:
                self._ended.set()
        for each in running:
            each.result()

    def _poll_stream(self) -> None:
        client: Any = boto3.client(
            "dynamodbstreams",
            endpoint_url=self.aws.endpoint_url,
            region_name=self.aws.region,
            aws_access_key_id=self.aws.aws_access_key_id,
            aws_secret_access_key=self.aws.aws_secret_access_key,
            config=CONFIG,
        )
        arn = self.aws.dynamodb.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        shards = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterators = [
            client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
            for shard in shards
        ]
        following = [iterator["ShardIterator"] for iterator in iterators]
        while not self._ended.wait(POLL_SECONDS):
            for number, iterator in enumerate(following):
                answer = client.get_records(ShardIterator=iterator, Limit=1000)
                following[number] = answer["NextShardIterator"]
                for record in answer["Records"]:
                    self._hand_on(json.loads(json.dumps(record, default=_as_lambda_has_it)), arn)

    def _hand_on(self, record: dict[str, Any], arn: str) -> None:
        case = CASE.search(record["dynamodb"]["Keys"]["pk"]["S"])
        for function, filters in self._filters.items():
            if case and any(_matches(each, record) for each in filters):
                self.work[case[0]].put(Work(function, {**record, "eventSourceARN": arn}))

    def _poll_archive_queue(self) -> None:
        for message in self._messages(self.stack.outputs["ArchiveQueueUrl"]):
            case = CASE.search(message["Body"])
            if case:
                self.work[case[0]].put(Work("Archive", message))

    def _poll_bus(self) -> None:
        for message in self._messages(self._listener):
            told = json.loads(message["Body"])
            case = CASE.search(told["detail"]["job_id"])
            if case:
                self.heard[case[0]].append(told)
            self.aws.sqs.delete_message(QueueUrl=self._listener, ReceiptHandle=message["ReceiptHandle"])

    def _forget_calls(self) -> None:
        """Reset the providers' rate limits each half second instead of each minute: hundreds of cases share them."""
        while not self._ended.wait(FORGET_SECONDS):
            for provider in every_provider().keys() - self.crowded:
                self.aws.dynamodb.delete_item(TableName=self.table, Key=_allowance(provider))

    def make_room(self) -> None:
        """Reset Captions' rate limit now, which is five requests a minute."""
        self.aws.dynamodb.delete_item(TableName=self.table, Key=_allowance("captions"))

    @contextmanager
    def without_room(self, provider: str) -> Iterator[None]:
        """While the context is open, the provider's rate limit is exhausted."""
        self.crowded.add(provider)
        time.sleep(FORGET_SECONDS)  # lets a concurrent reset finish
        taken = {"L": [{"L": [{"S": str(time.time())}, {"N": "1000000"}]}]}
        item = {**_allowance(provider), "taken": taken, "version": {"N": "1"}}
        self.aws.dynamodb.put_item(TableName=self.table, Item=item)
        try:
            yield
        finally:
            self.aws.dynamodb.delete_item(TableName=self.table, Key=_allowance(provider))
            self.crowded.discard(provider)

    def _messages(self, url: str) -> Iterator[Any]:
        while not self._ended.wait(POLL_SECONDS):
            answer = self.aws.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
            )
            yield from answer.get("Messages", ())

    def archived(self, message: Mapping[str, Any]) -> None:
        """Delete the processed message."""
        self.aws.sqs.delete_message(
            QueueUrl=self.stack.outputs["ArchiveQueueUrl"], ReceiptHandle=message["ReceiptHandle"]
        )

    def time_is_over(self, message: Mapping[str, Any]) -> None:
        """Make the message visible, as if its visibility timeout were over."""
        with suppress(
            ClientError
        ):  # it is visible already: the function had set the time, and only the response was lost
            self.aws.sqs.change_message_visibility(
                QueueUrl=self.stack.outputs["ArchiveQueueUrl"],
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=0,
            )

    def job(self, provider: str, job_id: str) -> Row:
        """A job row; empty if there is none."""
        answer = self.aws.dynamodb.get_item(
            TableName=self.table, Key={"pk": {"S": f"job#{provider}#{job_id}"}, "sk": {"S": "job"}}, ConsistentRead=True
        )
        return _plain(answer.get("Item", {}))

    # ---- at the end -------------------------------------------------------------------------------------------------

    def found(self, cases: Mapping[str, str]) -> dict[str, Found]:
        """The account's data, by case. `cases`: by event id, for rows that do not belong to a job."""
        found: dict[str, Found] = defaultdict(Found)
        for page in self.aws.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            for item in page["Items"]:
                row = _plain(item)
                named = CASE.search(row["pk"])
                if case := named[0] if named else cases.get(row.get("event_id", "")):
                    found[case].rows.append(row)
        for listing in self.aws.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for version in listing.get("Versions", ()):
                if named := CASE.search(version["Key"]):
                    found[named[0]].versions[version["Key"]].append(self._stored(version))
        for case_id, told in self.heard.items():
            found[case_id].heard = told
        for name in FAILURE_QUEUES:
            wanted: Any = {"QueueUrl": self.stack.outputs[name], "MessageAttributeNames": ["reason"]}
            while messages := self.aws.sqs.receive_message(**wanted, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    if named := CASE.search(message["Body"]):
                        by_sqs = "" if "MessageAttributes" in message else MOVED  # which has no reason
                        found[named[0]].failed[name + by_sqs].add(message["Body"])
        return found

    def _stored(self, version: Any) -> Stored:
        """A listed object, with its content if it is small enough."""
        name, size = version["VersionId"], version["Size"]
        if size > MAX_READ:
            return Stored(name, size)
        answer = self.aws.s3.get_object(Bucket=self.bucket, Key=version["Key"], VersionId=name)
        return Stored(name, size, answer["Body"].read())


def _allowance(provider: str) -> dict[str, Any]:
    return {"pk": {"S": f"allowance#{provider}"}, "sk": {"S": "allowance"}}


def _plain(item: Any) -> Row:
    read = TypeDeserializer().deserialize
    values = {name: read(value) for name, value in item.items()}
    return {name: bytes(value) if isinstance(value, Binary) else value for name, value in values.items()}  # type: ignore[call-overload]


def _as_lambda_has_it(value: Any) -> Any:
    """Bytes as base64, times as seconds."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(type(value))


def _matches(pattern: Any, record: Any) -> bool:
    """Whether a record matches one of Lambda's filters: values are equal, or have the prefix."""
    if isinstance(pattern, dict):
        return isinstance(record, dict) and all(_matches(each, record.get(name)) for name, each in pattern.items())
    return any(
        isinstance(record, str) and record.startswith(each["prefix"]) if isinstance(each, dict) else record == each
        for each in pattern
    )
