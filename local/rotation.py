"""Secrets Manager's part of a rotation, which the emulator lacks: its RotateSecret makes a copy of the value current,
and invokes no function. This uses the public API: it stages a version without a value, and the caller invokes the
function with each step."""

from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def begin(client: "SecretsManagerClient", secret_id: str) -> str:
    """Create a pending version without a value; returns its id. (AWS accepts no version without a value from clients,
    and moves the label from the version that had it; the emulator leaves it there too.)"""
    version = str(uuid4())
    for before, stages in client.describe_secret(SecretId=secret_id)["VersionIdsToStages"].items():
        if "AWSPENDING" in stages:
            cancel(client, secret_id, before)
    client.put_secret_value(SecretId=secret_id, ClientRequestToken=version, VersionStages=["AWSPENDING"])
    return version


def cancel(client: "SecretsManagerClient", secret_id: str, version: str) -> None:
    """End a rotation that was begun."""
    client.update_secret_version_stage(SecretId=secret_id, VersionStage="AWSPENDING", RemoveFromVersionId=version)


def step_event(step: str, secret_id: str, version: str) -> dict[str, str]:
    """The function's input for a step."""
    return {"Step": step, "SecretId": secret_id, "ClientRequestToken": version}
