"""The AWS requests of a stack's functions, as recorded by local/request_log.py, compared with their roles.

The decisions are made again here: by ministack's policy evaluator, and by the roles in the template.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate, parse_policy_document

from local.roles import Role
from local.up import REQUESTS
from resilience.roles.grants import Grant, Statement, grants, less, of_lambda, only

ALLOW = "Allow"


@dataclass(frozen=True)
class Check:
    """A permission check of a request: an action on a resource (ARN), with the values of condition keys (as JSON)."""

    role: str
    action: str
    resource: str
    context: str

    def decide(self, statements: list[ParsedStatement]) -> str:
        """Allow, Deny or ImplicitDeny."""
        account = "000000000000"
        context = EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{self.role}/function",
            principal_type="AssumedRole",
            principal_account=account,
            action=self.action,
            resource_arn=self.resource,
            region="us-east-1",
            service_context=json.loads(self.context),
        )
        return str(evaluate(context, [statements]).decision)

    def __str__(self) -> str:
        return f"{self.role} {self.action} on {self.resource}"


@dataclass(frozen=True)
class Recording:
    """One stack's recording: its roles by logical name, each as after each deployment that changed it; its functions'
    checks with their decisions and policies; `policies` by their digest. `unchecked` are requests without an IAM
    decision."""

    roles: Mapping[str, list[Role]]
    checks: frozenset[tuple[Check, str, str]]
    policies: Mapping[str, list[ParsedStatement]]
    unchecked: frozenset[str]

    def disagreements(self) -> Iterator[str]:
        """The checks with another decision at run time than here."""
        for check, decision, digest in self.checks:
            if (here := check.decide(self.policies[digest])) != decision:
                yield f"{check}: {decision} at run time, {here} here"

    def not_allowed(self) -> Iterator[str]:
        """The checks that the role in the template does not allow."""
        for check in {check for check, _, _ in self.checks}:
            if not any(check.decide(parsed(role.deployed)) == ALLOW for role in self.roles[check.role]):
                yield str(check)

    def refused(self) -> Iterator[tuple[Check, Grant | None]]:
        """The denied requests, and the grant that was removed from the role at that time, if that is the reason."""
        for check, decision, digest in self.checks:
            if decision != ALLOW:
                grants = (grant for grant in self.grants if self.needs(check, grant))
                yield check, next((grant for grant in grants if self.policies[digest] in self._without(grant)), None)

    def used(self) -> set[Grant]:
        """The grants that an allowed request needed."""
        allowed = {check for check, decision, _ in self.checks if decision == ALLOW}
        return {grant for grant in self.grants if any(self.needs(check, grant) for check in allowed)}

    def needs(self, check: Check, grant: Grant) -> bool:
        """Whether only this grant of the role allows it."""
        return (check.role, check.action) == (grant.role, grant.action) and any(
            check.decide(parsed([only(role.deployed, grant)])) == ALLOW
            and check.decide(parsed(less(role.deployed, grant))) != ALLOW
            for role in self.roles[grant.role]
        )

    @cached_property
    def grants(self) -> list[Grant]:
        """All grants of the template."""
        return grants({name: versions[-1].template for name, versions in self.roles.items()})

    def _without(self, grant: Grant) -> list[list[ParsedStatement]]:
        return [parsed(less(role.deployed, grant)) for role in self.roles[grant.role]]


def parsed(statements: list[Statement]) -> list[ParsedStatement]:
    """The statements in the evaluator's format."""
    found: list[ParsedStatement] = parse_policy_document({"Statement": statements})
    return found


def is_functions(session: str, role: str) -> bool:
    """Whether it is Lambda's session for the role's function. A test's own sessions have other names."""
    return f"-{role.removesuffix('Role')}-" in session


def read(folder: Path, of: Callable[[str, str], bool] = is_functions) -> Recording:
    """Read the recording in a stack's folder, for these sessions (by their names and the roles')."""
    roles: dict[str, list[Role]] = {}
    for line in lines(folder / REQUESTS, beginning='{"roles"'):
        for name, each in line["roles"].items():
            versions = roles.setdefault(name, [])
            versions += [role for role in [Role(**each)] if role not in versions]
    names = {versions[-1].name: name for name, versions in roles.items()}
    checks: set[tuple[Check, str, str]] = set()
    policies: dict[str, list[ParsedStatement]] = {}
    unchecked: set[str] = set()
    for line in lines(folder / REQUESTS):
        if "statements" in line:
            policies[line["policies"]] = [ParsedStatement(**each) for each in line["statements"]]
        elif (name := names.get(line.get("role", ""))) and of(line["session"], name):
            if not line["checks"]:
                unchecked.add(f"{name} {line['service']} {line['operation']} {line['request']['path']}")
            for each in line["checks"]:
                check = Check(name, each["action"], each["resource"], json.dumps(each["context"], sort_keys=True))
                checks.add((check, each["decision"], each["policies"]))
    return Recording(roles, frozenset(checks), policies, frozenset(unchecked))


def lines(path: Path, beginning: str = "") -> Iterator[dict[str, Any]]:
    """A log's lines with this prefix. It may still be written: its last line may be incomplete."""
    with path.open() as log:
        for line in log:
            if line.startswith(beginning) and line.endswith("\n"):
                yield json.loads(line)


def unused(recordings: Iterable[Recording]) -> list[str]:
    """The grants that no function of these stacks has used, except those that only Lambda itself uses."""
    recordings = list(recordings)
    granted = {grant for each in recordings for grant in each.grants if not of_lambda(grant)}
    return sorted(map(str, granted.difference(*(each.used() for each in recordings))))
