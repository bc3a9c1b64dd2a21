"""The smoke test's place: an AWS account, or the emulated AWS on this machine, which needs some extra steps."""

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import boto3

from cli import stack as operator
from cli.stack import CONFIG, Stack
from resilience.aws.steps import Wrong, until

if TYPE_CHECKING:
    from botocore.client import BaseClient

ROTATED_SECONDS = 300.0  # a rotation needs a version, a cold start, and may wait for Captions' rate limit


class Place(Protocol):
    """An account and a region, and its differences."""

    @property
    def session(self) -> boto3.Session: ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment for `sam` and `dailies`."""
        ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """The template's parameters that the place sets."""
        ...

    @property
    def lacks(self) -> Mapping[str, str]:
        """The names of the steps that cannot run here, with the reason."""
        ...

    @property
    def names_the_stack(self) -> bool:
        """Whether `dailies` needs the option --stack."""
        ...

    def client(self, service: str) -> Any:
        """An AWS client."""
        ...

    def complete(self, name: str) -> Stack:
        """Complete the stack after a deploy."""
        ...

    def rotate(self, stack: Stack, secret: str, function: str) -> str:
        """Rotate a secret with the function in that output, as docs/operations.md describes; how it was done."""
        ...

    def close(self) -> None:
        """End everything that was started here."""
        ...


class OnAws:
    """An AWS account, with the user's own credentials."""

    names_the_stack = True

    def __init__(self, profile: str | None, region: str | None, captions_key: str) -> None:
        self.session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if not self.session.region_name:
            raise Wrong("no region is set: name one with --region, or set AWS_REGION")
        self._profile, self._captions_key = profile, captions_key
        found = {"AWS_REGION": self.session.region_name, "AWS_DEFAULT_REGION": self.session.region_name}
        self.environment = {**os.environ, **found, **({"AWS_PROFILE": profile} if profile else {})}
        self.environment.pop("DAILIES_STACK", None)
        self.parameters = {"CaptionsApiSecretArn": captions_key} if captions_key else {}

    @property
    def lacks(self) -> Mapping[str, str]:
        if self._captions_key:
            return {}
        return {
            "rotate-captions": "Captions makes the new secret: --captions-key-secret ARN names the one with your key"
        }

    def client(self, service: str) -> "BaseClient":
        return self.session.client(service, config=CONFIG)  # type: ignore[call-overload,no-any-return]

    def complete(self, name: str) -> Stack:
        return operator.deployed(name, profile=self._profile, region=self.session.region_name)

    def rotate(self, stack: Stack, secret: str, function: str) -> str:
        secrets, secret_id = stack.secretsmanager, f"{stack.name}/{secret}"
        before = current_version(stack, secret_id)
        secrets.rotate_secret(
            SecretId=secret_id,
            RotationLambdaARN=stack.output(function),
            RotationRules={"AutomaticallyAfterDays": 1000},
        )
        try:
            look = partial(current_version, stack, secret_id)
            until(f"AWSCURRENT of {secret_id} moves", look, lambda now: now != before, seconds=ROTATED_SECONDS)
        finally:
            secrets.cancel_rotate_secret(SecretId=secret_id)
        return "by RotateSecret"

    def close(self) -> None:
        """Nothing was started."""


def current_version(stack: Stack, secret_id: str) -> str:
    """The id of the version with the label AWSCURRENT."""
    versions = stack.secretsmanager.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), "")
