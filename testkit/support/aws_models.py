"""Validates a recorded AWS request (local/request_log.py) by AWS's own description of the operation, from an untrimmed
botocore. The functions' botocore lacks the operations that they do not call, and their DynamoDB checks are off
(`parameter_validation`)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# REST: parameters are in the path, the query and the headers; each operation has a function by its name.
REST = frozenset({"s3"})


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


def wrong_with(record: Mapping[str, Any]) -> str:
    """The errors in a request of the log (`service`, `operation`, `request`); empty if there are none."""
    service, operation = record["service"], record["operation"]
    if operation not in model(service).operation_names:
        return f"{service} has no operation {operation!r}"
    if service in REST:
        return ""
    shape = model(service).operation_model(operation).input_shape
    if shape is None:
        return ""
    report = ParamValidator().validate(record["request"]["body"], shape)
    return f"{service} {operation}: {report.generate_report()}" if report.has_errors() else ""
