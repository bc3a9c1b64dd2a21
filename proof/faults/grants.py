"""What the functions' roles may do that no story has made them do: a call that the matrix has missed, or a grant that
nobody needs."""

import json
from collections.abc import Iterable, Iterator

from proof.faults.account import Account
from proof.faults.calls import AT_A_VERSION, Call, about

# What goes over no gate: Lambda itself asks it in the function's name, as its poller or to write what it prints.
OF_LAMBDA = frozenset({
    *(f"dynamodb:{action}" for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")),
    *(f"sqs:{action}" for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    *(f"logs:{action}" for action in ("CreateLogStream", "PutLogEvents")),
})  # fmt: skip
# The permissions that go by another name than their call.
PERMISSIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListParts": "s3:ListMultipartUploadParts",
}


def unused(account: Account, calls: Iterable[Call]) -> list[str]:
    """Each permission of a function, on each secret and queue apart, that none of these calls has needed."""
    needed = {(call.function, permission(call), _where(call.service, call.about)) for call in calls}
    granted = {(name, *each) for name in account.functions for each in _granted(account, name)}
    return sorted(" ".join(each).rstrip() for each in granted - needed)


def permission(call: Call) -> str:
    """IAM's name for what a call needs."""
    action = f"{call.service}:{call.operation}{'Version' if call.about.endswith(AT_A_VERSION) else ''}"
    return PERMISSIONS.get(action, action)


def _granted(account: Account, function: str) -> Iterator[tuple[str, str]]:
    for statement in account.grants(function):
        for action in _each(statement["Action"]):
            for resource in _each(statement["Resource"]):
                if action not in OF_LAMBDA:
                    service = action.partition(":")[0]
                    yield action, _where(service, _named(service, resource))


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _named(service: str, arn: str) -> str:
    """What a resource is, as a call's `about` tells it."""
    said = {"sqs": {"QueueUrl": arn.replace(":", "/")}, "secretsmanager": {"SecretId": arn}}.get(service)
    return about(service, "", {}, {}, json.dumps(said).encode()) if said else ""


def _where(service: str, what: str) -> str:
    """Only a secret and a queue are told apart: a row and an object are of one table and one bucket."""
    return what if service in ("sqs", "secretsmanager") else ""
