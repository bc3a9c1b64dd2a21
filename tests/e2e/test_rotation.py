"""A secret is rotated: old and new verify meanwhile. A removed secret, and one that was never set, verify nothing.

All three secrets rotate at the same time. Their functions restart before and after, so that the secrets they hold are
from here.
"""

import secrets
from collections.abc import Iterator, Mapping

import pytest

from local.stack import Stack
from simulators.provider_calls.call import Call
from testkit.fixtures.provider_client import NOT_SET, SECRET_OF, WEBHOOKS, Providers
from testkit.support.functions import RECEIVERS, start_anew
from testkit.support.wait import wait_for

NAMES = sorted(set(SECRET_OF.values()))

type Values = Mapping[str, str]


class Rotation:
    """The three secrets in Secrets Manager: their versions at each stage."""

    def __init__(self, stack: Stack, providers: Providers) -> None:
        self._stack = stack
        self._client = stack.aws.secretsmanager
        self._providers = providers
        self._calls = 0

    def put(self, values: Values) -> None:
        """Make these the current versions; the current ones become the previous."""
        for name, value in values.items():
            self._client.put_secret_value(SecretId=self._id(name), SecretString=value)
            self._providers.ever_secret.add(value)

    def begin(self) -> Values:
        """Give each secret a new pending version: the values."""
        return {name: self._providers.put_pending(name) for name in NAMES}

    def finish(self) -> None:
        """Make the pending versions the current ones, as a rotation ends; the current ones become the previous."""
        for name in NAMES:
            versions = self._client.describe_secret(SecretId=self._id(name))["VersionIdsToStages"]
            (pending,) = [version for version, stages in versions.items() if "AWSPENDING" in stages]
            (current,) = [version for version, stages in versions.items() if "AWSCURRENT" in stages]
            self._client.update_secret_version_stage(
                SecretId=self._id(name),
                VersionStage="AWSCURRENT",
                MoveToVersionId=pending,
                RemoveFromVersionId=current,
            )
            self._client.update_secret_version_stage(
                SecretId=self._id(name), VersionStage="AWSPENDING", RemoveFromVersionId=pending
            )

    def answers(self, values: Values) -> dict[str, int]:
        """Each webhook's response to a delivery that is signed with these."""
        return dict(
            zip(
                WEBHOOKS,
                [answer.status for answer in self._providers.send_all(self._signed(values))],
                strict=True,
            )
        )

    def _signed(self, values: Values) -> list[Call]:
        self._calls += 1
        body = b'{"made for":"the rotation","call":%d}' % self._calls
        return [self._providers.proven(webhook, body, secret=values[SECRET_OF[webhook]]) for webhook in WEBHOOKS]

    def _id(self, name: str) -> str:
        return f"{self._stack.stack_name}/{name}"


ACCEPTED = dict.fromkeys(WEBHOOKS, 200)
REFUSED = dict.fromkeys(WEBHOOKS, 401)


def new_values() -> Values:
    return {name: f"whsec_{secrets.token_urlsafe(24)}" for name in NAMES}


@pytest.fixture
def rotation(stack: Stack, providers: Providers) -> Iterator[Rotation]:
    """The secrets, restored in the end."""
    rotation = Rotation(stack, providers)
    start_anew(stack, RECEIVERS)
    yield rotation
    rotation.put(new_values())  # so that the previous one no longer is
    rotation.put(providers.secrets)
    start_anew(stack, RECEIVERS)


def test_current_pending_and_previous_verify_and_nothing_else_does(rotation: Rotation, providers: Providers) -> None:
    first, second, third = dict(providers.secrets), rotation.begin(), new_values()
    assert rotation.answers(first) == ACCEPTED
    assert rotation.answers(second) == ACCEPTED  # before it is a current one
    assert rotation.answers(third) == REFUSED

    rotation.finish()
    assert rotation.answers(second) == ACCEPTED
    assert rotation.answers(first) == ACCEPTED  # for the whole grace period

    rotation.put(third)
    # At once, except for a few seconds in which a stranger's attempts must not make us read the secret again.
    wait_for("the third verifies", lambda: rotation.answers(third), lambda answers: answers == ACCEPTED)
    assert rotation.answers(second) == ACCEPTED
    assert rotation.answers(first) == REFUSED  # removed: neither current nor previous nor pending

    nothing = dict.fromkeys(NAMES, NOT_SET)
    rotation.put(nothing)
    wait_for("that is read", lambda: [rotation.answers(nothing), rotation.answers(second)][1], lambda it: it == REFUSED)
    assert rotation.answers(nothing) == REFUSED
    assert rotation.answers(third) == ACCEPTED
