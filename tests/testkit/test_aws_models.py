"""Which requests AWS describes, and which it does not."""

from typing import Any

import pytest

from testkit.support.aws_models import wrong_with


def record(service: str, operation: str, body: Any = None) -> dict[str, Any]:
    return {"service": service, "operation": operation, "request": {"body": body}}


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [
        ("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "a"}}, "ConsistentRead": True}),
        ("sqs", "SendMessage", {"QueueUrl": "https://q", "MessageBody": "b", "DelaySeconds": 60}),
        ("events", "PutEvents", {"Entries": [{"Source": "dailies", "DetailType": "d", "Detail": "{}"}]}),
        ("s3", "UploadPart", None),
    ],
)
def test_what_aws_describes_is_right(service: str, operation: str, body: Any) -> None:
    assert wrong_with(record(service, operation, body)) == ""


@pytest.mark.parametrize(
    ("service", "operation", "body", "expected"),
    [
        ("dynamodb", "GetItem", {"Key": {"pk": {"S": "a"}}}, "Missing required parameter"),
        ("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": 1}}}, "Invalid type"),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": {}, "Expires": 1}, "Unknown parameter"),
        ("sqs", "SendMessage", {"QueueUrl": "https://q", "MessageBody": "b", "DelaySeconds": "60"}, "Invalid type"),
        ("secretsmanager", "PutSecret", {}, "has no operation"),
        ("s3", "", None, "has no operation"),
    ],
)
def test_an_undescribed_request_is_reported(service: str, operation: str, body: Any, expected: str) -> None:
    assert expected in wrong_with(record(service, operation, body))
