"""The roles at run time: one grant of each is removed and restored, and a receiver may write only where its role says.
tests/e2e/test_requests.py checks that every grant is needed.
"""

import pytest
from botocore.exceptions import ClientError

from dailies.jobs.object_keys import delivery_key
from dailies.providers import every_provider
from local.stack import Stack
from resilience.roles.flows import Ground
from resilience.roles.grants import grants
from resilience.roles.needs import ONE_OF_EACH_ROLE
from resilience.roles.taking_out import Outcomes, outcomes
from simulators.provider_apis import ProviderApis
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.empty_aws import acting_as
from testkit.support.functions import RECEIVERS
from testkit.support.template import function_roles, statements

TRIED = [
    grant
    for grant in grants({name: statements(role) for name, role in function_roles().items()})
    if ONE_OF_EACH_ROLE.get(grant.role) == grant.key[1:]
]


@pytest.fixture(scope="module")
def came(stack: Stack, stack_apis: ProviderApis, providers: Providers, owner: Owner, listener: Listener) -> Outcomes:
    """The result of each. All roles at once: they mostly wait."""
    return outcomes(Ground(stack, providers, owner, listener, stack_apis), TRIED)


@pytest.mark.parametrize("role", sorted(function_roles()))
def test_without_a_grant_its_function_fails_and_with_it_works(role: str, came: Outcomes) -> None:
    (error,) = [error for grant, error in came.items() if grant.role == role]
    if error:
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
