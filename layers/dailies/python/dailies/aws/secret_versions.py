"""Writes a secret: its versions and their stages, and the tag that announces a new version."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dailies.aws.secrets import PLACEHOLDER, REREAD_SECONDS, UPDATING_SECONDS, UPDATING_UNTIL, bare

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SETTLE_SECONDS = REREAD_SECONDS + 2  # after these every receiver may read the secret again, and then sees the tag


class HeldSecret:
    """One secret, for functions that change it. Botocore's errors pass through.

    `sleep` waits for a number of seconds.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_id: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._sleep = sleep

    def current(self) -> str:
        """The current value; empty if none is set."""
        answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage="AWSCURRENT")
        value = bare(answer.get("SecretString", ""))
        return "" if value == PLACEHOLDER else value

    def use(self, value: str) -> bool:
        """Make this the current value, and return whether it was another one before.

        The previous value continues to verify for the grace period.
        """
        if value == self.current():
            return False
        self._client.put_secret_value(SecretId=self._secret_id, SecretString=value)
        return True

    @contextmanager
    def updating(self, *, settle: bool) -> Iterator[None]:
        """Set the tag while a provider creates a new value and it is stored inside.

        With `settle`, wait SETTLE_SECONDS first, so all receivers see the tag. If the code inside fails, the tag stays
        until it expires after UPDATING_SECONDS: the provider may use the new value already.
        """
        until = str(int(time.time() + UPDATING_SECONDS))
        self._client.tag_resource(SecretId=self._secret_id, Tags=[{"Key": UPDATING_UNTIL, "Value": until}])
        if settle:
            self._sleep(SETTLE_SECONDS)
        yield
        self._client.untag_resource(SecretId=self._secret_id, TagKeys=[UPDATING_UNTIL])

    # ---- the versions of a rotation ----

    def stages(self) -> Mapping[str, list[str]]:
        """The stages of each version, by version id. Versions without a stage are left out."""
        return self._client.describe_secret(SecretId=self._secret_id).get("VersionIdsToStages", {})

    def pending(self, version: str) -> str:
        """The value of the rotation's version; empty if it has none yet."""
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionId=version)
        except self._client.exceptions.ResourceNotFoundException:
            return ""
        return answer.get("SecretString", "")

    def put_pending(self, version: str, value: str) -> None:
        """Store the value of the rotation's version at AWSPENDING. It cannot be changed later."""
        self._client.put_secret_value(
            SecretId=self._secret_id, ClientRequestToken=version, SecretString=value, VersionStages=["AWSPENDING"]
        )

    def promote(self, version: str) -> None:
        """Make the rotation's version the current one, and remove AWSPENDING from it.

        A version that stays pending verifies without end, even when it is neither current nor previous.
        """
        for before, stages in self.stages().items():
            if "AWSCURRENT" in stages and before != version:
                self._client.update_secret_version_stage(
                    SecretId=self._secret_id,
                    VersionStage="AWSCURRENT",
                    MoveToVersionId=version,
                    RemoveFromVersionId=before,
                )
        if "AWSPENDING" in self.stages().get(version, []):
            self._client.update_secret_version_stage(
                SecretId=self._secret_id, VersionStage="AWSPENDING", RemoveFromVersionId=version
            )
