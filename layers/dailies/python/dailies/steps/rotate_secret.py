"""A secret gets a new value: by Secrets Manager's four steps, or at once; nobody who proves himself by the old or the
new one is refused meanwhile.

Where a provider makes the new value, there is a moment in which it may use what we do not know yet. For that moment the
secret bears a tag; receivers that see it answer 503 to what they cannot prove, so that it comes again. The tag says
until when it counts, and proves nothing.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_lambda-functions.html (checked 2026-11-25)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dailies.aws.secret_versions import HeldSecret
from dailies.errors import RotationFailed

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class RotationStrategy:
    """How a secret's new value comes to be: `create` makes one of our own, or `set` has the provider make one for this
    version, and puts it. `test` raises where a value is not what is wanted."""

    test: Callable[[str], object]
    create: Callable[[], str] | None = None
    set: Callable[[str], None] | None = None


def rotate(step: str, version: str, secret: HeldSecret, way: RotationStrategy) -> None:
    """One of Secrets Manager's steps for this version; each may be run again at any time. RotationFailed says what is
    wrong, without any value."""
    stages = secret.stages().get(version, [])
    if "AWSCURRENT" in stages:
        secret.promote(version)  # all is done, or the last step was stopped in its middle
        return
    if "AWSPENDING" not in stages:
        raise RotationFailed("this version is not pending; the rotation was canceled, or another one was begun")
    value = secret.pending(version)
    match step:
        case "createSecret":
            if way.create and not value:
                secret.put_pending(version, way.create())
        case "setSecret":
            if way.set and not value:
                way.set(version)
        case "testSecret":
            # By this step alone Secrets Manager also tries out a new schedule, on a version with nothing new in it.
            if value and value != secret.current():
                way.test(value)
        case "finishSecret" if not value:
            raise RotationFailed("the new version has no value; an earlier step did not end well")
        case "finishSecret":
            secret.promote(version)
        case _:
            raise RotationFailed("this is no step of a rotation")
