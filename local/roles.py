"""The roles of a deployed stack: their statements in the template and in IAM, all names resolved."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.aws import Aws

ROLE = "AWS::IAM::Role"

type Statements = list[dict[str, Any]]


@dataclass(frozen=True)
class Role:
    """A role in IAM (`name`), and its statements in the order of its policies in the template."""

    name: str
    template: Statements
    deployed: Statements


def deployed_roles(aws: Aws, template: Mapping[str, Any], physical: Mapping[str, str]) -> dict[str, Role]:
    """The roles by logical name. `template` is the processed one; `physical` has the stack's physical names."""
    return {
        name: Role(
            physical[name],
            [one for policy in resource["Properties"]["Policies"] for one in policy["PolicyDocument"]["Statement"]],
            [
                one
                for policy in resource["Properties"]["Policies"]
                for one in statements(aws, physical[name], policy["PolicyName"])
            ],
        )
        for name, resource in template["Resources"].items()
        if resource["Type"] == ROLE and name in physical  # some depend on a condition
    }


def statements(aws: Aws, role: str, policy: str) -> Statements:
    """The statements of one policy of a role."""
    document: Any = aws.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    found: Statements = document["Statement"]
    return found


def append(roles: Mapping[str, Role], log: Path) -> None:
    """Append them to a request log (local/request_log.py)."""
    line = json.dumps({"roles": {name: asdict(role) for name, role in roles.items()}}, separators=(",", ":"))
    with log.open("a") as file:
        file.write(f"{line}\n")
