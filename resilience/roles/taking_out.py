"""Removes a grant from its role while the stack runs: something fails as expected; once the grant is restored, it
works."""

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from local import deploy
from local.stack import Stack
from resilience.roles.flows import Ground
from resilience.roles.grants import Grant, less
from resilience.roles.needs import FLOWS
from simulators.provider_apis import ProviderApis

type Outcomes = Mapping[Grant, BaseException | None]
"""What came of each flow: None where it failed without the grant and worked with it."""


def outcomes(ground: Ground, wanted: Iterable[Grant]) -> Outcomes:
    """The results for these grants: a role's one after the other, the roles in parallel. The stack has all optional
    functions."""
    physical = deploy.resources(ground.stack.aws)
    of_roles: dict[str, list[Grant]] = {}
    for grant in wanted:
        of_roles.setdefault(grant.role, []).append(grant)

    def outcome(on: Ground, grant: Grant) -> BaseException | None:
        steps = FLOWS[grant.key](on, re.sub(r"\W+", "-", f"without {grant}").strip("-"))
        try:
            with without(on.stack, physical[grant.role], grant):
                next(steps)
            assert next(steps, "at its end") == "at its end"
        except BaseException as error:  # noqa: BLE001  pytest's own too; whoever asked raises or prints it
            return error
        return None

    def outcomes_of(role: str) -> list[tuple[Grant, BaseException | None]]:
        on = replace(ground, function=role.removesuffix("Role"))
        return [(grant, outcome(on, grant)) for grant in of_roles[role]]

    with always_a_new_minute(ground.stack, ground.apis), ThreadPoolExecutor(len(of_roles)) as threads:
        return dict(pair for found in threads.map(outcomes_of, of_roles) for pair in found)


@contextmanager
def without(stack: Stack, role_name: str, grant: Grant) -> Iterator[None]:
    """The role without this grant."""
    iam = stack.aws.iam
    (name,) = iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    policy: Any = iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
    lessened = {**policy, "Statement": less(policy["Statement"], grant)}
    try:
        iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=json.dumps(lessened))
        yield
    finally:
        iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=json.dumps(policy))


@contextmanager
def always_a_new_minute(stack: Stack, apis: ProviderApis) -> Iterator[None]:
    """Captions' five requests a minute are shared by several functions' flows: its limit is off, and the stack's own
    count restarts each second."""
    key = {"pk": {"S": "allowance#captions"}, "sk": {"S": "allowance"}}
    over = threading.Event()

    def forget() -> None:
        while not over.wait(1):
            stack.aws.dynamodb.delete_item(TableName=stack.outputs["TableName"], Key=key)

    limits, apis.captions.part.gate.limits = apis.captions.part.gate.limits, []
    thread = threading.Thread(target=forget)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        apis.captions.part.gate.limits = limits
