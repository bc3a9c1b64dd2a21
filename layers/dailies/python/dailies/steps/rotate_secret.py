"""Rotate a secret by Secrets Manager's four steps. Deliveries with the old or the new value verify all the time.

If the provider makes the new value, it may use the value before we know it. During that moment the secret has a tag.
Receivers that see the tag answer 503 to deliveries that they cannot verify, so the provider sends them again. The tag
says until when it is valid, and verifies nothing.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_lambda-functions.html (checked 2026-11-25)
"""

from collections.abc import Callable
from dataclasses import dataclass

from dailies.aws.secret_versions import HeldSecret
from dailies.errors import RotationFailed

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


@dataclass(frozen=True, slots=True)
class RotationStrategy:
    """How a secret gets its new value.

    - `test`: gets the new value, and raises if it is wrong.
    - `create`: makes a value of our own; or
    - `set`: gets the version's id, has the provider make a value, and stores it.
    """

    test: Callable[[str], object]
    create: Callable[[], str] | None = None
    set: Callable[[str], None] | None = None


def rotate(step: str, version: str, secret: HeldSecret, strategy: RotationStrategy) -> None:
    """Carry out one of STEPS for the version with this id. Each step can be repeated at any time.

    RotationFailed says what is wrong, without any value.
    """
    if step not in STEPS:
        raise RotationFailed(f"{step} is no step of a rotation")
    stages = secret.stages().get(version, [])
    if "AWSCURRENT" in stages:
        secret.promote(version)  # the rotation is complete, or its last step was interrupted
    elif "AWSPENDING" not in stages:
        raise RotationFailed("this version is not pending; the rotation was canceled, or another one has begun")
    elif value := secret.pending(version):
        _with_value(step, version, value, secret, strategy)
    else:
        _without_value(step, version, secret, strategy)


def _without_value(step: str, version: str, secret: HeldSecret, strategy: RotationStrategy) -> None:
    if step == "createSecret" and strategy.create:
        secret.put_pending(version, strategy.create())
    elif step == "setSecret" and strategy.set:
        strategy.set(version)
    elif step == "finishSecret":
        raise RotationFailed("the new version has no value; an earlier step failed")


def _with_value(step: str, version: str, value: str, secret: HeldSecret, strategy: RotationStrategy) -> None:
    # Secrets Manager also runs testSecret alone, to validate a new schedule: then the version has no new value.
    if step == "testSecret" and value != secret.current():
        strategy.test(value)
    elif step == "finishSecret":
        secret.promote(version)
