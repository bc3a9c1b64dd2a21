"""The roles' permissions in the smallest units: one action on one resource."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

type Statement = dict[str, Any]

LAMBDAS_POLLER = "Lambda's own poller uses it; the emulator's does without"
LAMBDA_ITSELF = "Lambda itself uses it to write what a function prints; the emulator does without"


class Grant(NamedTuple):
    """A role's permission for one action on one resource, and its place: the role's statement, and the index of its
    resource."""

    role: str
    action: str
    resource: str
    statement: int
    place: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Its unique name."""
        return self.role, self.action, self.resource

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.resource}"


def grants(roles: Mapping[str, Iterable[Statement]]) -> list[Grant]:
    """The grants of the roles' statements as in the template, by the roles' logical names."""
    return [
        Grant(role, action, named(resource), number, place)
        for role, statements in roles.items()
        for number, statement in enumerate(statements)
        for action in as_list(statement["Action"])
        for place, resource in enumerate(as_list(statement["Resource"]))
    ]


def named(resource: Mapping[str, Any] | str) -> str:
    """The name of a statement's resource: a logical name, with the attribute (`Table.StreamArn`) if that is not the
    whole, or the path (`media/*`). If a condition chooses between two, it is the first."""
    if isinstance(resource, str):  # "*"
        return resource
    ((kind, value),) = resource.items()
    match kind:
        case "Fn::If":
            return named(value[1])
        case "Fn::Sub":
            return str(value.partition("/")[2])
        case "Fn::GetAtt" if value[1] not in ("Arn", "Id"):
            return ".".join(value)
        case "Fn::GetAtt":
            return str(value[0])
        case _:
            return str(value)


def of_lambda(grant: Grant) -> str:
    """The reason why no request of the function itself uses a grant; empty if one must."""
    service, _, action = grant.action.partition(":")
    if service == "logs" and grant.resource == f"{grant.role.removesuffix('Role')}Logs":
        return LAMBDA_ITSELF
    stream = ("DescribeStream", "GetRecords", "GetShardIterator")
    queue = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    of_stream = action == "ListStreams" or (grant.resource == "Table.StreamArn" and action in stream)
    if of_stream or (service == "sqs" and action in queue):
        return LAMBDAS_POLLER
    return ""


def only(statements: list[Statement], grant: Grant) -> Statement:
    """A statement with only this grant. `statements` are the role's as in IAM."""
    statement = statements[grant.statement]
    return {**statement, "Action": grant.action, "Resource": as_list(statement["Resource"])[grant.place]}


def less(statements: list[Statement], grant: Grant) -> list[Statement]:
    """The statements without this grant."""
    left = [*statements]
    statement = left.pop(grant.statement)
    others = [action for action in as_list(statement["Action"]) if action != grant.action]
    elsewhere = [arn for place, arn in enumerate(as_list(statement["Resource"])) if place != grant.place]
    left += [{**statement, "Action": others}] if others else []
    left += [{**statement, "Action": grant.action, "Resource": elsewhere}] if elsewhere else []
    return left


def as_list(value: Any) -> list[Any]:
    """A list, also for the single value that IAM accepts instead."""
    return value if isinstance(value, list) else [value]
