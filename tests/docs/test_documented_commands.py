"""Each `aws ...` command in a document exists: its service, its operation or waiter, and its options."""

import re

import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import get_session

from testkit.support.template import ROOT

DOCUMENTS = (
    "README.md",
    "docs/configuration.md",
    "docs/data-model.md",
    "docs/hardening.md",
    "docs/local.md",
    "docs/missed-webhooks.md",
    "docs/operations.md",
    "docs/providers/captions.md",
    "docs/providers/creatify.md",
    "docs/providers/sync.md",
    "docs/recovery.md",
)
OF_THE_CLI = {"--query", "--output", "--profile", "--region", "--endpoint-url", "--cli-input-json"}
OF_THE_CLI_ALONE = {"s3", "configure"}  # services without a description
CALLED_OTHERWISE = {"s3api": "s3"}
COMMAND = re.compile(r"\baws ([a-z0-9]+) ([a-z][a-z0-9-]+)((?:[^`\n|;&)]|\\\n)*)")


def typed() -> list[tuple[str, str, str]]:
    """Service, operation and arguments, once each. Continued lines are joined."""
    texts = [re.sub(r"\\\n\s*", " ", (ROOT / name).read_text()) for name in DOCUMENTS]
    found = {match.groups() for text in texts for match in COMMAND.finditer(text)}
    return sorted((service, operation, rest) for service, operation, rest in found if service not in OF_THE_CLI_ALONE)


SESSION = get_session()


def taken(service: str, operation: str, rest: str) -> set[str]:
    """The options of an operation or a waiter. Raises an error if AWS has neither."""
    name = CALLED_OTHERWISE.get(service, service)
    model = SESSION.get_service_model(name)
    if operation == "wait":
        waiters = SESSION.get_waiter_model(name)
        by_name = {xform_name(each, "-"): each for each in waiters.waiter_names}
        called = waiters.get_waiter(by_name[rest.split(maxsplit=1)[0]]).operation
    else:
        called = {xform_name(each, "-"): each for each in model.operation_names}[operation]
    shape = model.operation_model(called).input_shape
    return {f"--{xform_name(member, '-')}" for member in (shape.members if shape else ())}


@pytest.mark.parametrize(("service", "operation", "rest"), typed())
def test_a_command_and_its_options_are_there(service: str, operation: str, rest: str) -> None:
    options = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", rest))
    assert options <= taken(service, operation, rest) | OF_THE_CLI


def test_the_commands_of_the_runbooks_are_among_them() -> None:
    found = {(service, operation) for service, operation, _ in typed()}
    assert {("dynamodb", "restore-table-to-point-in-time"), ("cloudformation", "create-change-set")} <= found
    assert ("cloudformation", "wait") in found
    with pytest.raises(KeyError):
        taken("dynamodb", "restore-table", "")
    with pytest.raises(UnknownServiceError):
        taken("dynamo", "list-tables", "")
