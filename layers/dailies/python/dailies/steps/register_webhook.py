"""A stack's webhook in the provider's list of webhooks: registered once, for all events, as long as the stack exists.

A registered webhook is found by its URL, so each step can be repeated after a crash: a webhook that an earlier run has
registered is kept, and its secret, which the provider's list contains, is stored. For the moment in which the provider
has made a new secret that is not stored yet, see `rotate_secret`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.custom_resource import Outcome
from dailies.aws.secret_versions import HeldSecret
from dailies.errors import (
    ApiError,
    ApiRefused,
    ApiUnavailable,
    CredentialsRejected,
    DailiesError,
    RateLimited,
    RotationFailed,
)
from dailies.provider_api.client import ProviderApi
from dailies.provider_api.retry import Patience
from dailies.providers.contract import RegisteredWebhook, Request, WebhookApi
from dailies.steps.rotate_secret import RotationStrategy

NOT_REGISTERED, PERHAPS_REGISTERED = "not-registered", "perhaps-registered"
"""Physical ids after a failed creation. CloudFormation then asks to delete the resource."""
LAST_LOOK_SECONDS = 60.0  # before the deadline: the rate limit may leave no room for as long
WANTED = ("Url", "ApiUrl", "ApiSecretArn")
"""The properties of the resource that say what is registered, and where."""


@dataclass(frozen=True, slots=True)
class Known:
    """What CloudFormation knows about the registered webhook: its id, and its URL before an update."""

    id: str = ""
    url: str = ""


@dataclass(slots=True)
class WebhookRegistrar:
    """Registers, changes and deletes a stack's webhook at a provider.

    - `api`: the client of the provider's API.
    - `webhooks`: the provider's requests for webhooks.
    - `secret`: gets the secret that verifies the webhook's deliveries.
    - `patience`: how long to wait for the rate limit, and for an API that does not answer.
    """

    api: ProviderApi
    webhooks: WebhookApi
    secret: HeldSecret
    patience: Patience
    _was_accepted: bool = field(default=False, init=False)  # whether the API has carried out any request

    def register(self, url: str, known: Known, *, may_be_new: bool = True) -> RegisteredWebhook:
        """Register this URL for all events, once, and store its secret.

        ApiError says why that failed; ApiRefused also if `may_be_new` is false and no webhook of this stack is
        registered.
        """
        events = self._patiently(lambda: self._call(self.webhooks.events, self.webhooks.read_events))
        return self._patiently(lambda: self._register(url, events, known, may_be_new=may_be_new))

    def unregister(self, url: str, known: Known) -> None:
        """Delete all webhooks of this stack from the provider's list."""
        self._patiently(lambda: self._delete_all(self._ours(url, known)))

    def unregister_late(self, url: str) -> None:
        """Unregister also what a creation that is still running registers meanwhile.

        If another resource of a new stack fails, CloudFormation asks for the deletion while the creation waits for the
        rate limit. The creation has begun earlier and has less patience (CREATION_SECONDS in its app.py), so the last
        look here comes after its last request.
        """
        self.unregister(url, Known())
        while self.patience.pause(leave=LAST_LOOK_SECONDS):
            pass
        self.unregister(url, Known())

    def clean_up(self, url: str) -> str:
        """Delete what a failed creation may have registered, and return the physical id that says whether it worked."""
        if not self._was_accepted:
            return NOT_REGISTERED
        with suppress(Exception):
            self.unregister(url, Known())
            return NOT_REGISTERED
        return PERHAPS_REGISTERED

    def rotation(self, url: str) -> RotationStrategy:
        """How the secret of this URL's webhook rotates: the provider makes the new value."""
        return RotationStrategy(
            set=lambda version: self._patiently(lambda: self._renew(url, version)),
            test=lambda value: self._patiently(lambda: self._compare(url, value)),
        )

    def _register(self, url: str, events: frozenset[str], known: Known, *, may_be_new: bool) -> RegisteredWebhook:
        ours = self._ours(url, known)
        self._delete_all(ours[1:])  # the provider would send each update twice
        if not ours:
            if not may_be_new:
                raise ApiRefused(
                    "the new API key does not know the webhook that the previous key has registered; deploy without a"
                    " key first"
                )
            with self.secret.updating(settle=False):
                made = self._call(self.webhooks.register, self.webhooks.read_one, url, events)
                self.secret.use(made.secret)
            return made
        one = ours[0]
        if (one.url, one.events) == (url, events):
            self.secret.use(one.secret)
            return one
        with self.secret.updating(settle=True):
            made = self._update(one, url, events)
            self.secret.use(made.secret)
        return made

    def _renew(self, url: str, version: str) -> None:
        """Store a new secret as this version. If the provider already has another one than we have, an earlier run got
        no answer: store that one."""
        one = self._registered(url)
        if one.secret != self.secret.current():
            self.secret.put_pending(version, one.secret)
            return
        with self.secret.updating(settle=True):
            self.secret.put_pending(version, self._update(one).secret)

    def _compare(self, url: str, value: str) -> None:
        if self._registered(url).secret != value:
            raise RotationFailed("the new value is not the one that the provider shows")

    def _registered(self, url: str) -> RegisteredWebhook:
        ours = self._ours(url, Known())
        if not ours:
            raise RotationFailed("this API key has not registered this stack's webhook, so it cannot rotate its secret")
        return ours[0]

    def _ours(self, url: str, known: Known) -> list[RegisteredWebhook]:
        """This stack's webhooks in the provider's list: by the known id, then by the URL, then by the known URL."""
        found = self._call(self.webhooks.all, self.webhooks.read_all)
        tests: list[Callable[[RegisteredWebhook], bool]] = [
            lambda one: one.id == known.id,
            lambda one: one.url == url,
            lambda one: one.url == known.url,
        ]
        return list({one.id: one for test in tests for one in found if test(one)}.values())

    def _update(
        self, one: RegisteredWebhook, url: str | None = None, events: frozenset[str] | None = None
    ) -> RegisteredWebhook:
        return self._call(self.webhooks.update, self.webhooks.read_one, one.id, url, events)

    def _delete_all(self, webhooks: list[RegisteredWebhook]) -> None:
        for one in webhooks:
            self._call(self.webhooks.delete, bytes, one.id)

    def _call[T](self, build: Callable[..., Request], read: Callable[[bytes], T], *details: object) -> T:
        """Send the request that `build` makes of the base URL, the credentials and the details."""

        def accepted(body: bytes) -> T:
            self._was_accepted = True
            return read(body)

        return self.api.call(lambda base_url, own: build(base_url, own, *details), accepted, retry=self.patience)

    def _patiently[T](self, attempt: Callable[[], T]) -> T:
        """Repeat the attempt until the API answers. Each begins with a look at what is registered."""
        while True:
            try:
                return attempt()
            except (ApiUnavailable, RateLimited):
                if not self.patience.pause():
                    raise


def carry_out(event: Mapping[str, Any], registrar_of: Callable[[str, str], WebhookRegistrar]) -> Outcome:
    """Do what CloudFormation asks for, and never raise.

    `event`: a request of CloudFormation's for a custom resource, whose properties are `Url`, `ApiUrl` and
    `ApiSecretArn`. `registrar_of` gets the last two.

    The physical id is the id of the registered webhook. It stays if somebody deletes that webhook and another one
    replaces it. It changes with the API, so that CloudFormation asks to delete the webhook at the previous API. If only
    the release changes, an ApiError becomes the `problem` of a success.
    """
    wanted, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    physical_id = str(event.get("PhysicalResourceId", NOT_REGISTERED))
    registrar = registrar_of(wanted["ApiUrl"], wanted["ApiSecretArn"])
    known = Known(physical_id, before.get("Url", ""))
    try:
        match event["RequestType"]:
            case "Delete":
                _delete(registrar, event, wanted["Url"], known)
                return Outcome(physical_id)
            case "Update" if wanted["ApiUrl"] == before.get("ApiUrl"):
                same_key = wanted["ApiSecretArn"] == before.get("ApiSecretArn")
                return _registered_as(registrar.register(wanted["Url"], known, may_be_new=same_key), physical_id)
            case _:
                return _registered_as(registrar.register(wanted["Url"], Known()))
    except ApiError as error:
        if event["RequestType"] == "Update" and _only_release_changes(wanted, before):
            return Outcome(physical_id, data={"WebhookId": physical_id}, problem=_reason(error))
        return _failed(registrar, event, physical_id, error)
    except Exception as error:  # noqa: BLE001  whatever it is, CloudFormation waits for an answer
        return _failed(registrar, event, physical_id, error)


def _delete(registrar: WebhookRegistrar, event: Mapping[str, Any], url: str, known: Known) -> None:
    if f"-{event['LogicalResourceId']}-" in known.id:  # CloudFormation made it up: the creation may still be running
        registrar.unregister_late(url)
    elif known.id != NOT_REGISTERED:
        registrar.unregister(url, known)


def _failed(registrar: WebhookRegistrar, event: Mapping[str, Any], physical_id: str, error: Exception) -> Outcome:
    if event["RequestType"] == "Create":
        physical_id = registrar.clean_up(event["ResourceProperties"]["Url"])
    return Outcome(physical_id, _reason(error))


def _only_release_changes(wanted: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether an update is only a new release, or its rollback. An outage of the provider, or a revoked key, must not
    block the release: its rollback would meet the same error."""
    return all(wanted[name] == before.get(name) for name in WANTED)


def _registered_as(one: RegisteredWebhook, physical_id: str = "") -> Outcome:
    return Outcome(physical_id or one.id, data={"WebhookId": one.id})


def _reason(error: Exception) -> str:
    """One line, without secrets."""
    match error:
        case ClientError():
            return f"AWS: {error.operation_name} answered {error.response['Error']['Code']}"
        case BotoCoreError():
            return f"AWS did not answer: {type(error).__name__}"
        case CredentialsRejected(status=status) if status:
            return f"{error}; the API key is invalid, or its contract does not include webhooks"
        case DailiesError():
            return str(error)
        case _:
            return f"{type(error).__name__}; this should not happen, please report it"
