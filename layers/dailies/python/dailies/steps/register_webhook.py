"""A stack's webhook at a provider that keeps a register of them: there while the stack is, once, for all events.

What is registered is found by its URL, so each step may be run again after a crash anywhere: what an earlier run has
registered is taken on, and its secret, which the provider's list shows, is stored. Of the moment in which a provider
has made a new one and it is not stored yet, see `rotating`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.custom_resource import Outcome
from dailies.aws.secret_versions import HeldSecret
from dailies.errors import ApiError, ApiRefused, ApiUnavailable, DailiesError, RateLimited, RotationFailed
from dailies.provider_api.account import Account
from dailies.providers.contract import RegisteredWebhook, WebhookApi
from dailies.steps.rotate_secret import RotationStrategy

NOT_REGISTERED, PERHAPS_REGISTERED = "not-registered", "perhaps-registered"
"""Physical ids of a creation that failed: CloudFormation asks to delete what it has left."""
LAST_LOOK_SECONDS = 60.0  # of the patience: the rate limit may leave no room for as long
WANTED = ("Url", "ApiUrl", "ApiSecretArn")
"""The properties of the resource that say what is registered, and where."""


@dataclass(frozen=True, slots=True)
class WebhookRegistrar:
    """A provider's register, with the owner's account and the secret that holds what the webhook's calls prove
    themselves with."""

    account: Account
    calls: WebhookApi
    secret: HeldSecret


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run has told of the registration: its id, and the URL that it had."""

    id: str = ""
    url: str = ""


def carry_out(event: Mapping[str, Any], place: Callable[[str, str], WebhookRegistrar]) -> Outcome:
    """What CloudFormation asks for. Never raises. `place` is given an API's base URL and the ARN of its key's secret.

    The physical id is that of the registration. It stays where somebody else deletes that one and another takes its
    place; it changes with the API, so that CloudFormation has the one at the other API deleted. Where only the release
    differs, what the provider's API refuses or does not answer is a `problem` of a success.
    """
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    physical_id = str(event.get("PhysicalResourceId", NOT_REGISTERED))
    at = place(wanted["ApiUrl"], wanted["ApiSecretArn"])
    known = Known(physical_id, before.get("Url", ""))
    try:
        match event["RequestType"]:
            case "Delete":
                if _never_answered(event, physical_id):
                    _unregister_late(at, wanted["Url"])
                elif physical_id != NOT_REGISTERED:
                    unregister(at, wanted["Url"], known)
                return Outcome(physical_id)
            case "Update" if wanted["ApiUrl"] == before.get("ApiUrl"):
                same_key = wanted["ApiSecretArn"] == before.get("ApiSecretArn")
                return _registered_as(register(at, wanted["Url"], known, may_be_new=same_key), physical_id)
            case _:
                return _registered_as(register(at, wanted["Url"], Known()))
    except Exception as error:  # noqa: BLE001  whatever it is, CloudFormation has to hear of it
        if event["RequestType"] == "Update" and _only_looks(wanted, before) and isinstance(error, ApiError):
            return Outcome(physical_id, data={"WebhookId": physical_id}, problem=_reason(error))
        if event["RequestType"] == "Create":
            physical_id = _cleared_up(at, wanted["Url"])
        return Outcome(physical_id, _reason(error))


def _never_answered(event: Mapping[str, Any], physical_id: str) -> bool:
    """Whether CloudFormation made up the physical id: the creation has not answered, and may still run."""
    return f"-{event['LogicalResourceId']}-" in physical_id


def _only_looks(wanted: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether an update only looks at what is registered: a new release, or a rollback of it. The provider's outage, or
    a key that somebody revoked, must not hold up the release, whose rollback would meet the same."""
    return all(wanted[name] == before.get(name) for name in WANTED)


def _registered_as(one: RegisteredWebhook, physical_id: str = "") -> Outcome:
    return Outcome(physical_id or one.id, data={"WebhookId": one.id})


def _cleared_up(at: WebhookRegistrar, url: str) -> str:
    """Take away what a failed creation may have left; its physical id says whether that worked."""
    if not at.account.answered:
        return NOT_REGISTERED
    with suppress(Exception):
        unregister(at, url, Known())
        return NOT_REGISTERED
    return PERHAPS_REGISTERED


def _reason(error: Exception) -> str:
    """One line, without anything secret."""
    match error:
        case ClientError():
            return f"AWS: {error.operation_name} answered {error.response['Error']['Code']}"
        case BotoCoreError():
            return f"AWS did not answer: {type(error).__name__}"
        case DailiesError():
            return str(error)
        case _:
            return f"{type(error).__name__}; this should not happen, please report it"


def register(at: WebhookRegistrar, url: str, known: Known, *, may_be_new: bool = True) -> RegisteredWebhook:
    """Have this URL registered for all events, once, and its secret stored. ApiError tells why it is
    not; so does ApiRefused where nothing of this stack's is there, and `may_be_new` does not hold."""
    events = _patiently(at.account, lambda: at.account.call(at.calls.events, at.calls.read_events))
    return _patiently(at.account, lambda: _register(at, url, events, known, may_be_new=may_be_new))


def unregister(at: WebhookRegistrar, url: str, known: Known) -> None:
    """Take out of the register what is this stack's."""

    def attempt() -> None:
        for one in _ours(at, url, known):
            _delete(at, one)

    _patiently(at.account, attempt)


def _unregister_late(at: WebhookRegistrar, url: str) -> None:
    """Unregister also what a creation that has not answered registers meanwhile. Where another resource of a new stack
    fails, CloudFormation asks for the deletion while the creation waits for the rate limit. A creation begins earlier
    and has less patience (CREATION_SECONDS in its app.py), so the last look comes after its last call."""
    unregister(at, url, Known())
    while at.account.waits(leave=LAST_LOOK_SECONDS):
        pass
    unregister(at, url, Known())


def rotation(at: WebhookRegistrar, url: str) -> RotationStrategy:
    """How the secret of this URL's webhook rotates: the provider makes the new value."""
    return RotationStrategy(
        set=lambda version: _patiently(at.account, lambda: _renew(at, url, version)),
        test=lambda value: _patiently(at.account, lambda: _compare(at, url, value)),
    )


def _patiently[T](account: Account, attempt: Callable[[], T]) -> T:
    """Attempt it from its beginning, where it looks at what is registered, until that is answered."""
    while True:
        try:
            return attempt()
        except (ApiUnavailable, RateLimited):
            if not account.waits():
                raise


def _ours(at: WebhookRegistrar, url: str, known: Known) -> list[RegisteredWebhook]:
    """What is registered for this stack, first the one of the known id, then by the URL, then by the URL before."""
    found = at.account.call(at.calls.all, at.calls.read_all)
    tests: list[Callable[[RegisteredWebhook], bool]] = [
        lambda one: one.id == known.id,
        lambda one: one.url == url,
        lambda one: one.url == known.url,
    ]
    return list({one.id: one for test in tests for one in found if test(one)}.values())


def _register(
    at: WebhookRegistrar, url: str, events: frozenset[str], known: Known, *, may_be_new: bool
) -> RegisteredWebhook:
    found = _ours(at, url, known)
    one = found[0] if found else None
    for other in found[1:]:
        _delete(at, other)  # it would call a second time
    if one is not None and (one.url, one.events) == (url, events):
        at.secret.use(one.secret)
        return one
    if one is None and not may_be_new:
        raise ApiRefused(
            "the new API key does not know the webhook that the one before has registered; first deploy without a key"
        )
    with at.secret.updating(settle=one is not None):
        if one is not None:
            made = at.account.call(at.calls.update, at.calls.read_one, one.id, url, events)
        else:
            made = at.account.call(at.calls.register, at.calls.read_one, url, events)
        at.secret.use(made.secret)
    return made


def _renew(at: WebhookRegistrar, url: str, version: str) -> None:
    """A new value for the rotation's version; the one that the provider has already, where an earlier run's answer was
    lost."""
    one = _registered(at, url)
    if one.secret != at.secret.current():
        at.secret.put_pending(version, one.secret)
        return
    with at.secret.updating(settle=True):
        made = at.account.call(at.calls.update, at.calls.read_one, one.id, None, None)
        at.secret.put_pending(version, made.secret)


def _compare(at: WebhookRegistrar, url: str, value: str) -> None:
    if _registered(at, url).secret != value:
        raise RotationFailed("the new value is not the one that the provider shows")


def _registered(at: WebhookRegistrar, url: str) -> RegisteredWebhook:
    found = _ours(at, url, Known())
    if not found:
        raise RotationFailed("this stack's webhook is not registered with this API key, so there is nothing to rotate")
    return found[0]


def _delete(at: WebhookRegistrar, one: RegisteredWebhook) -> None:
    at.account.call(at.calls.delete, bytes, one.id)
