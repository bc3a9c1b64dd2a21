"""Reads Secrets Manager: an API's credentials, and the versions of a signing secret or token that verify now."""

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dailies.errors import AwsUnavailable
from dailies.providers.signatures import Secrets

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import TagTypeDef

CLIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})
PLACEHOLDER = "not-set"
"""The template's value for a secret until the owner sets one. It verifies nothing."""
MIN_LETTERS = 4
"""A shorter value verifies nothing either: it is a mistake, and redacting it would destroy bodies."""

REFRESH_SECONDS = 50.0  # a change takes effect within a minute
UPDATING_SECONDS = 900.0  # after which the tag of a failed rotation expires; Lambda retries within three minutes
MAX_CLOCK_SKEW = 60.0  # seconds between the clock that sets the tag and ours; `dailies doctor` accepts 30 each
MAX_REFRESH_SECONDS = 2.0  # after which a refresh begins no further call; it may need four, of up to 7 s each
REREAD_SECONDS = 5.0  # at least, between two reads caused by deliveries that do not verify
UPDATING_UNTIL = "dailies:updating-until"
"""The tag on a secret whose provider is creating a new value. Its value: when it expires, in seconds since 1970."""
STAGES = {"AWSCURRENT": "current", "AWSPENDING": "pending", "AWSPREVIOUS": "previous"}


def bare(text: str) -> str:
    """A signing secret or token without what is around it: blanks, quotes, or the object with one field that the form
    "Key/value" of the AWS console stores."""
    text = text.strip()
    if text[:1] not in ("{", '"'):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return value.strip() if isinstance(value, str) else text


def may_verify(value: str) -> bool:
    """Whether a delivery may be verified by this signing secret or token, which is `bare`. An object with several
    fields does not say which of them is the secret."""
    return value != PLACEHOLDER and len(value) >= MIN_LETTERS and not value.startswith("{")


class ApiSecret:
    """A provider's API credentials: a JSON object of strings.

    They are read again after REFRESH_SECONDS, or after REREAD_SECONDS if none are set. Botocore's errors pass through.
    """

    def __init__(self, client: "Callable[[], SecretsManagerClient]", secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._read_at = float("-inf")
        self._credentials: dict[str, str] | None = None

    def credentials(self, now: float, *names: str) -> dict[str, str] | None:
        """The credentials; None if one of these names is missing. `now`: seconds, always of the same clock."""
        if now - self._read_at >= (REFRESH_SECONDS if self._complete(names) else REREAD_SECONDS):
            self._credentials = _object(self._text())
            self._read_at = now
        return self._credentials if self._complete(names) else None

    def _complete(self, names: tuple[str, ...]) -> bool:
        found = self._credentials or {}
        return bool(found) and all(found.get(name) for name in names)

    def _text(self) -> str:
        client = self._client()
        try:
            return client.get_secret_value(SecretId=self._secret_id).get("SecretString", "")
        except client.exceptions.ResourceNotFoundException:
            return ""  # the same as not set


def _object(text: str) -> dict[str, str] | None:
    try:
        read = json.loads(text)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    return {name: value.strip() for name, value in read.items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class _Version:
    value: str
    created: float


class SigningSecret:
    """The versions of one secret, kept for REFRESH_SECONDS.

    A refresh reads the version of each stage, and the values of new versions: a version's value never changes. The
    previous version verifies until `grace` seconds after the current one was created, or Secrets Manager's rotation
    ended, whichever is later. `elapsed`: seconds of a monotonic clock.
    """

    def __init__(
        self,
        client: "Callable[[], SecretsManagerClient]",
        secret_id: str,
        *,
        grace: float,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._grace = grace
        self._elapsed = elapsed
        self.forget()

    def forget(self) -> None:
        """Discard all that was read. The next delivery reads the secret again."""
        self._versions: dict[str, _Version] = {}
        self._stages: dict[str, str] = {}
        self._rotated_at = float("-inf")
        self._updating_until = float("-inf")
        self._read_at = float("-inf")
        self._failed = False

    def usable(self, now: float) -> Secrets:
        """All values that may verify at `now`, in seconds since 1970, by stage; the current one first.

        AwsUnavailable if none was ever read and AWS does not answer, or did not answer at the last attempt: after a 401
        a provider does not send the delivery again.
        """
        if now - self._read_at >= (REFRESH_SECONDS if self._stages else REREAD_SECONDS):
            try:
                self._refresh(now)
            except AwsUnavailable:
                if not self._stages:
                    raise
        if not self._stages:
            raise AwsUnavailable("the secret could not be read")
        return self._secrets(now)

    def reread(self, now: float) -> Secrets | None:
        """Read the values again, for a delivery that no known value verifies. None within REREAD_SECONDS of a read.

        AwsUnavailable if AWS does not answer, or did not answer at the last attempt: a new value may verify the
        delivery.
        """
        if now - self._read_at < REREAD_SECONDS:
            if self._failed:
                raise AwsUnavailable("the secret could not be read at the last attempt")
            return None
        self._refresh(now)
        return self._secrets(now)

    def updating(self, now: float) -> bool:
        """Whether the provider may already use a value that is not stored yet, by the last read.

        A delivery that does not verify now may do so soon.
        """
        return now < self._updating_until

    def _secrets(self, now: float) -> Secrets:
        known = {stage: self._versions[version] for stage, version in self._stages.items() if version in self._versions}
        current = known.get("current")
        if current and now >= max(current.created, self._rotated_at) + self._grace:
            known.pop("previous", None)
        values = {stage: known[stage].value for stage in STAGES.values() if stage in known}
        return {stage: value for stage, value in values.items() if may_verify(value)}

    def _refresh(self, now: float) -> None:
        self._read_at, self._failed = now, True  # also if it fails: forged deliveries cannot cause a read each
        until = self._elapsed() + MAX_REFRESH_SECONDS
        try:
            described = self._client().describe_secret(SecretId=self._secret_id)
            stages = {
                STAGES[stage]: version
                for version, names in described.get("VersionIdsToStages", {}).items()
                for stage in names
                if stage in STAGES
            }
            for version in set(stages.values()) - self._versions.keys():
                if self._elapsed() > until:
                    # The values read so far are kept for the next refresh.
                    raise AwsUnavailable("Secrets Manager is too slow")
                self._read(version)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"the secret could not be read: {type(error).__name__}") from error
        self._stages, self._failed = stages, False
        self._updating_until = _updating_until(described.get("Tags", []), now)
        if "LastRotatedDate" in described:
            self._rotated_at = described["LastRotatedDate"].timestamp()

    def _read(self, version: str) -> None:
        """Read one version. One without a value, as at the start of a rotation, is read again later."""
        client = self._client()
        try:
            answer = client.get_secret_value(SecretId=self._secret_id, VersionId=version)
        except client.exceptions.ResourceNotFoundException:
            return
        if "SecretString" in answer:
            value = bare(answer["SecretString"])
            self._versions[version] = _Version(value, answer["CreatedDate"].timestamp())


def _updating_until(tags: "Iterable[TagTypeDef]", now: float) -> float:
    """When the tag expires. A tag that is no number, or is later than any rotation sets it, is ignored: a mistake must
    not last."""
    latest = now + UPDATING_SECONDS + MAX_CLOCK_SKEW
    for tag in tags:
        with suppress(ValueError):
            if tag.get("Key") == UPDATING_UNTIL and (until := float(tag.get("Value", ""))) <= latest:
                return until
    return float("-inf")
