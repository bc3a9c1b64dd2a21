"""A recorded request of AWS (local/request_log.py) against AWS's own description of the operation, as an untrimmed
botocore has it: the functions carry one without the operations that they do not call, and DynamoDB's checks are off
there (`parameter_validation`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

# REST: parameters are in the path, the query and the headers; each operation is held by its name.
REST = frozenset({"s3"})


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


def wrong_with(record: Mapping[str, Any]) -> str:
    """What is wrong with a request of the log (`service`, `operation`, `request`); empty where nothing is."""
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
