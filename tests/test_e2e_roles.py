"""Each action of each role is needed on each resource: taken out, something fails as it should; given back, that works.

One thread for each role takes them out, one after the other; the tests then tell what came of each.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dailies.bucket import delivery_key
from dailies.providers import every_provider
from local import deploy
from local.apis import ProviderApis
from local.stack import Stack
from tests.empty_aws import acting_as
from tests.functions import RECEIVERS
from tests.listener import Listener
from tests.owner import Owner
from tests.providers import Providers
from tests.role_actions import FLOWS
from tests.role_flows import Ground
from tests.template import Grant, actions, as_list, functions, grants, roles

LAMBDAS_POLLER = "used by Lambda's own poller; the emulator's does without"
LAMBDA_ITSELF = "used by Lambda itself to write what a function prints; the emulator does without"
NOT_TRIED = {
    **{
        (role, f"dynamodb:{action}", "Table.StreamArn"): LAMBDAS_POLLER
        for role in ("AdvanceRole", "AnnounceRole")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    },
    **{
        ("ArchiveRole", f"sqs:{action}", "ArchiveQueue"): LAMBDAS_POLLER
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    },
    **{
        (f"{function}Role", f"logs:{action}", f"{function}Logs"): LAMBDA_ITSELF
        for function in functions()
        for action in ("CreateLogStream", "PutLogEvents")
    },
}
TRIED = [grant for grant in grants() if grant.key not in NOT_TRIED]

type Outcomes = Mapping[tuple[str, str, str], BaseException | None]


@contextmanager
def without(stack: Stack, role_name: str, grant: Grant) -> Iterator[None]:
    """The role with all that its statements say but for this one."""
    iam = stack.aws.iam
    (name,) = iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    policy: Any = iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
    less: Any = {**policy, "Statement": [*policy["Statement"]]}
    statement = less["Statement"].pop(grant.statement)
    others = [action for action in actions(statement) if action != grant.action]
    elsewhere = [arn for place, arn in enumerate(as_list(statement["Resource"])) if place != grant.place]
    less["Statement"] += [{**statement, "Action": others}] if others else []
    less["Statement"] += [{**statement, "Action": grant.action, "Resource": elsewhere}] if elsewhere else []
    try:
        iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=json.dumps(less))
        yield
    finally:
        iam.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=json.dumps(policy))


@contextmanager
def always_a_new_minute(stack: Stack, apis: ProviderApis) -> Iterator[None]:
    """The flows of several functions share Captions' five calls a minute: its limit is off, and the stack's own count
    begins anew each second."""
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


@pytest.fixture(scope="module")
def outcomes(
    registered: Stack, stack_apis: ProviderApis, providers: Providers, owner: Owner, listener: Listener
) -> Outcomes:
    """What came of each flow, by role, action and resource: None where it failed without it and worked with it."""
    stack = registered  # with all functions that there can be
    physical = deploy.resources(stack.aws)

    def outcome(on: Ground, grant: Grant) -> BaseException | None:
        steps = FLOWS[grant.key](on, re.sub(r"\W+", "-", f"without {' '.join(grant.key)}").strip("-"))
        try:
            with without(stack, physical[grant.role], grant):
                next(steps)
            assert next(steps, "at its end") == "at its end"
        except BaseException as error:  # noqa: BLE001  pytest's own too: the grant's test raises it
            return error
        return None

    def outcomes_of(role: str) -> Outcomes:
        on = Ground(stack, providers, owner, listener, stack_apis, role.removesuffix("Role"))
        return {grant.key: outcome(on, grant) for grant in TRIED if grant.role == role}

    with always_a_new_minute(stack, stack_apis), ThreadPoolExecutor(len(roles())) as threads:
        return {key: outcome for found in threads.map(outcomes_of, roles()) for key, outcome in found.items()}


@pytest.mark.parametrize(("role", "action", "resource"), [grant.key for grant in TRIED])
def test_without_it_something_fails_and_with_it_that_works(
    role: str, action: str, resource: str, outcomes: Outcomes
) -> None:
    if error := outcomes[role, action, resource]:
        raise error


@pytest.mark.parametrize(("name", "webhook"), RECEIVERS.items())
def test_a_receiver_may_put_bodies_of_its_own_provider_only(
    name: str, webhook: str, stack: Stack, providers: Providers
) -> None:
    role = stack.aws.functions.get_function_configuration(FunctionName=stack.functions[name])["Role"]
    s3, bucket = acting_as(stack.aws, role).s3, stack.outputs["MediaBucketName"]

    def may_put(key: str) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return False
        return True

    everything = {
        delivery_key(provider, providers.job(name), quarantined=quarantined)
        for provider in every_provider()
        for quarantined in (False, True)
    }
    own = {key for key in everything if f"/{webhook.partition('/')[0]}/" in key}
    assert {key for key in everything | {f"deliveries/{providers.run}.gz"} if may_put(key)} == own


def test_every_grant_is_tried_or_is_not_for_a_reason_that_is_told() -> None:
    assert {grant.key for grant in grants()} >= set(NOT_TRIED)
    assert sorted(FLOWS) == sorted(grant.key for grant in TRIED)
