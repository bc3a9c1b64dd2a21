"""Secrets Manager's part of a rotation, which the emulator does not play: its RotateSecret makes a copy of the value
the current version, and calls nobody. So it is played by the public API, as far as that goes: a version is staged
without a value, and whoever plays calls the function with each step."""

from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def begin(client: "SecretsManagerClient", secret_id: str) -> str:
    """A version that is pending and has no value yet: its id. (AWS takes no version without a value from outside, and
    takes the label off the version that had it; the emulator leaves it there too.)"""
    version = str(uuid4())
    for before, stages in client.describe_secret(SecretId=secret_id)["VersionIdsToStages"].items():
        if "AWSPENDING" in stages:
            cancel(client, secret_id, before)
    client.put_secret_value(SecretId=secret_id, ClientRequestToken=version, VersionStages=["AWSPENDING"])
    return version


def cancel(client: "SecretsManagerClient", secret_id: str, version: str) -> None:
    """A rotation that was begun is over."""
    client.update_secret_version_stage(SecretId=secret_id, VersionStage="AWSPENDING", RemoveFromVersionId=version)


def step_event(step: str, secret_id: str, version: str) -> dict[str, str]:
    """What the function is called with."""
    return {"Step": step, "SecretId": secret_id, "ClientRequestToken": version}
