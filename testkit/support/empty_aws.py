"""Short functions to create and read a table, a queue, a role or a function in an empty AWS account.

The caller chooses the names. Each resource stays until the module's tests end.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import Aws

PATIENCE = 20.0  # max seconds for asynchronous work: streams, queues, rules; about one on an idle machine
ANYONE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
# A function that logs its input, and returns the result that it is given.
TELLS = """
import json, os, sys, time

def lambda_handler(event, context):
    print(json.dumps(event))
    time.sleep(float(os.environ.get("SLEEP", "0")))
    bad = [r for r in event.get("Records", []) if r.get("body") == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad], "path": sys.path, "event": event}
"""


def role(aws: Aws, name: str, *statements: dict[str, Any]) -> str:
    """Create a role with only these permissions; its ARN."""
    arn = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ANYONE))["Role"]["Arn"]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        aws.iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=json.dumps(policy))
    return arn


def acting_as(aws: Aws, role_arn: str) -> Aws:
    """The same AWS with the role's identity."""
    given = aws.sts.assume_role(RoleArn=role_arn, RoleSessionName="conformance")["Credentials"]
    return Aws(aws.endpoint_url, aws.region, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def refusal(call: Callable[[], object]) -> str:
    """The error code of a call that AWS rejects."""
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


def table(aws: Aws, name: str) -> str:
    """Create a table with our keys and stream; the stream's ARN."""
    description = aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    return description["LatestStreamArn"]


def queue(aws: Aws, name: str, **attributes: str) -> tuple[str, str]:
    """Create a queue; its URL and ARN."""
    url = aws.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
    return url, aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def function(aws: Aws, name: str, code: str = TELLS, **options: Any) -> str:
    """Create a function with this source; its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("app.py", code)
    return aws.functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.lambda_handler",
        Role=role(aws, f"role-of-{name}"),
        Code={"ZipFile": packed.getvalue()},
        **options,
    )["FunctionArn"]


def told(aws: Aws, log_group: str) -> list[dict[str, Any]]:
    """The inputs that a logging function received."""
    try:
        events = aws.logs.filter_log_events(logGroupName=log_group)["events"]
    except aws.logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(event["message"]) for event in events if event["message"].startswith("{")]


def wait_for[T](look: Callable[[], T]) -> T:
    """Poll `look` until it returns something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)
    return found


def received(aws: Aws, url: str) -> list[str]:
    """Receive and delete a queue's messages; their bodies."""
    bodies = []
    for message in aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        bodies.append(message["Body"])
    return bodies
