"""template.yaml as plain values: a CloudFormation tag (!Ref X) becomes a dict ({"Ref": "X"})."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FUNCTION = "AWS::Serverless::Function"


class _Loader(yaml.CSafeLoader):
    """Reads the short forms of intrinsic functions as the long ones."""


def _long_form(loader: yaml.CSafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _long_form)


@cache
def template() -> dict[str, Any]:
    """The complete template. It is shared: do not change it."""
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_bytes(), _Loader)
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of one type, by logical name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def functions() -> dict[str, dict[str, Any]]:
    """The functions' properties by logical name."""
    return resources(FUNCTION)


def on_jobs() -> set[str]:
    """The functions that process jobs: all except those that change secrets."""
    return {
        name
        for name in functions()
        if not any("secretsmanager:PutSecretValue" in actions(one) for one in statements(roles()[f"{name}Role"]))
    }


def roles() -> dict[str, dict[str, Any]]:
    """The roles' properties by logical name."""
    return resources("AWS::IAM::Role")


def function_roles() -> dict[str, dict[str, Any]]:
    """The roles of the functions; CodeDeploy has one of its own."""
    principals = {name: role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] for name, role in roles().items()}
    return {name: role for name, role in roles().items() if principals[name] == {"Service": "lambda.amazonaws.com"}}


def receivers() -> dict[str, str]:
    """The webhooks' functions, each with its webhook, as `sync/generation`."""
    return {name: "/".join(route["Path"].split("/")[2:4]) for name, route in events("HttpApi")}


def signing_secrets() -> dict[str, str]:
    """The name of the secret that verifies a webhook's calls, without the stack's prefix, by webhook."""
    secrets = resources("AWS::SecretsManager::Secret")
    kept = {name: functions()[name]["Environment"]["Variables"]["SIGNING_SECRET_ID"] for name in receivers()}
    names = {name: secrets[target(secret)]["Name"]["Fn::Sub"] for name, secret in kept.items()}
    return {webhook: names[name].partition("/")[2] for name, webhook in receivers().items()}


def queues() -> dict[str, dict[str, Any]]:
    """The queues' properties by logical name."""
    return resources("AWS::SQS::Queue")


def folder(name: str) -> Path:
    """The folder of a function: SyncGeneration is in functions/sync_generation."""
    return ROOT / "functions" / re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def events(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """The function's name and the properties of each event source of one type."""
    return [
        (name, event["Properties"])
        for name, function in functions().items()
        for event in function.get("Events", {}).values()
        if event["Type"] == kind
    ]


def target(value: dict[str, Any]) -> str:
    """The logical name in a Ref or a GetAtt."""
    ((kind, name),) = value.items()
    return str(name[0] if kind == "Fn::GetAtt" else name)


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    """All statements of a role's policies."""
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement, one or several."""
    return as_list(statement["Action"])


def as_list(value: Any) -> list[Any]:
    """A list, also for the single value that CloudFormation accepts instead."""
    return value if isinstance(value, list) else [value]
