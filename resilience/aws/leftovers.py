"""A stack's resources in an account, found in each service by the stack's name, and the deletion of retained ones."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from resilience.aws.place import Place

ROUND = 2.0  # seconds between polls
GONE = frozenset({"NoSuchBucket", "ResourceNotFoundException", "404", "NotFound"})


def found(place: Place, stack: str) -> list[str]:
    """All resources, each as `<kind> <name>`."""
    return sorted(f"{kind} {name}" for kind, look in LOOKS.items() for name in look(place, stack))


def expected(tables: list[str], buckets: list[str]) -> list[str]:
    """The resources that a deleted stack retains."""
    return sorted([*(f"table {name}" for name in tables), *(f"bucket {name}" for name in buckets)])


def settled(place: Place, stack: str, wanted: list[str], *, seconds: float = 120) -> list[str]:
    """The resources, once only the expected ones are left, or after two minutes: SQS takes one to delete a queue."""
    deadline = time.monotonic() + seconds
    while not set(there := found(place, stack)) <= set(wanted) and time.monotonic() < deadline:
        time.sleep(ROUND)
    return there


def _pages(place: Place, service: str, call: str, key: str, **arguments: Any) -> Iterator[Any]:
    for page in place.client(service).get_paginator(call).paginate(**arguments):
        yield from page.get(key, [])


def _tables(place: Place, stack: str) -> list[str]:
    return [name for name in _pages(place, "dynamodb", "list_tables", "TableNames") if name.startswith(f"{stack}-")]


def _buckets(place: Place, stack: str) -> list[str]:
    """The stack's buckets, without the test's own."""
    names = [one["Name"] for one in place.client("s3").list_buckets()["Buckets"]]
    return [name for name in names if name.startswith(f"{stack}-") and not name.startswith(f"{stack}-files-")]


def _functions(place: Place, stack: str) -> list[str]:
    names = [one["FunctionName"] for one in _pages(place, "lambda", "list_functions", "Functions")]
    return [name for name in names if name.startswith(f"{stack}-")]


def _queues(place: Place, stack: str) -> list[str]:
    urls = place.client("sqs").list_queues(QueueNamePrefix=f"{stack}-").get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


def _secrets(place: Place, stack: str) -> list[str]:
    names = [one["Name"] for one in _pages(place, "secretsmanager", "list_secrets", "SecretList")]
    return [name for name in names if name.startswith(f"{stack}/")]


def _log_groups(place: Place, stack: str) -> list[str]:
    prefixes = (f"{stack}-", f"/aws/lambda/{stack}-", f"/aws/vendedlogs/{stack}/")
    return [
        one["logGroupName"]
        for prefix in prefixes
        for one in _pages(place, "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
    ]


def _alarms(place: Place, stack: str) -> list[str]:
    pages = _pages(place, "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{stack}-")
    return [one["AlarmName"] for one in pages]


def _roles(place: Place, stack: str) -> list[str]:
    names = [one["RoleName"] for one in _pages(place, "iam", "list_roles", "Roles")]
    return [name for name in names if name.startswith(f"{stack}-")]


def _buses(place: Place, stack: str) -> list[str]:
    return [one["Name"] for one in place.client("events").list_event_buses()["EventBuses"] if one["Name"] == stack]


def _rules(place: Place, stack: str) -> list[str]:
    names = [one["Name"] for one in place.client("events").list_rules(NamePrefix=f"{stack}-")["Rules"]]
    return [name for name in names if name.startswith(f"{stack}-")]


def _apis(place: Place, stack: str) -> list[str]:
    return [one["ApiId"] for one in place.client("apigatewayv2").get_apis()["Items"] if one["Name"] == stack]


def _topics(place: Place, stack: str) -> list[str]:
    names = [one["TopicArn"].rpartition(":")[2] for one in _pages(place, "sns", "list_topics", "Topics")]
    return [name for name in names if name.startswith(f"{stack}-")]


LOOKS: dict[str, Callable[[Place, str], list[str]]] = {
    "table": _tables,
    "bucket": _buckets,
    "function": _functions,
    "queue": _queues,
    "secret": _secrets,
    "log group": _log_groups,
    "alarm": _alarms,
    "role": _roles,
    "bus": _buses,
    "rule": _rules,
    "API": _apis,
    "topic": _topics,
}


def delete_bucket(place: Place, name: str) -> None:
    """Delete a bucket with all versions in it. Does nothing if it is gone."""
    s3 = place.client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            if keys:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys, "Quiet": True})
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def delete_table(place: Place, name: str) -> None:
    """Delete a table. Does nothing if it is gone."""
    _delete(lambda: place.client("dynamodb").delete_table(TableName=name))


def delete_log_group(place: Place, name: str) -> None:
    """Delete a log group. Does nothing if it is gone."""
    _delete(lambda: place.client("logs").delete_log_group(logGroupName=name))


def _delete(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
