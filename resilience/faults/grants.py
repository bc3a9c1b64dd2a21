"""The roles in the matrix: they get access to the cases' secrets, and a scenario must need each of their grants."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.aws import Aws
from local.roles import Role
from resilience.roles.grants import as_list
from resilience.roles.recording import Check, read, unused

LENT = "secrets-of-the-cases"
"""The policy that is not the template's: what a role may do with the stack's secret, it may with those of the cases."""
SESSION = "proof"
SUFFIX = re.compile(r"-[^-]{6}$")  # in a secret's ARN
OF_A_CASE = re.compile(r"-case\d{5}-.*")


def lend(aws: Aws, role: str) -> None:
    """Let a role use the cases' secrets too."""
    (name,) = [name for name in aws.iam.list_role_policies(RoleName=role)["PolicyNames"] if name != LENT]
    policy: Any = aws.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    lent = [
        {**statement, "Resource": f"{SUFFIX.sub('', str(statement['Resource']))}-case*"}
        for statement in policy["Statement"]
        if ":secret:" in str(statement["Resource"])
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": lent})
    aws.iam.put_role_policy(RoleName=role, PolicyName=LENT, PolicyDocument=document)


def never_needed(folder: Path) -> list[str]:
    """The grants that no request of a scenario needed: a missing request, or a superfluous grant. `folder` is the
    stack's."""
    recording = read(folder, of=lambda session, _: session == SESSION)
    secrets = {SUFFIX.sub("", arn): arn for arn in _secrets(recording.roles)}

    def of_the_stack(check: Check) -> Check:
        """The same for the stack's secret, if it is for a case's."""
        return replace(check, resource=secrets.get(OF_A_CASE.sub("", check.resource), check.resource))

    checks = {(of_the_stack(check), decision, digest) for check, decision, digest in recording.checks}
    return unused([replace(recording, checks=frozenset(checks))])


def _secrets(roles: Mapping[str, list[Role]]) -> Iterator[str]:
    for versions in roles.values():
        for statement in versions[-1].deployed:
            yield from (arn for arn in as_list(statement["Resource"]) if ":secret:" in arn)
