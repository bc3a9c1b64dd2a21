"""Register a stack's webhook at a provider: once, for all events, for the life of the stack.

A registered webhook is found by its URL, so each step can be repeated after a crash. A webhook that an earlier run has
registered is kept, and its secret is stored: the provider's list contains it. `rotate_secret` describes the moment in
which the provider has made a new secret that is not stored yet.
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
LAST_LOOK_SECONDS = 60.0  # before the deadline: the rate limit may block a request for a minute
REGISTRATION = ("Url", "ApiUrl", "ApiSecretArn")
"""The properties of the resource that define the registered webhook and its API."""


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
        """Delete what a failed creation may have registered. Returns NOT_REGISTERED, or PERHAPS_REGISTERED if that
        failed."""
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
        webhook = ours[0]
        if (webhook.url, webhook.events) == (url, events):
            self.secret.use(webhook.secret)
            return webhook
        with self.secret.updating(settle=True):
            made = self._update(webhook, url, events)
            self.secret.use(made.secret)
        return made

    def _renew(self, url: str, version: str) -> None:
        """Store a new secret as this version. If the provider already has another secret than ours, an earlier run got
        no answer, so that secret is stored."""
        webhook = self._registered(url)
        if webhook.secret != self.secret.current():
            self.secret.put_pending(version, webhook.secret)
            return
        with self.secret.updating(settle=True):
            self.secret.put_pending(version, self._update(webhook).secret)

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
        listed = self._call(self.webhooks.all, self.webhooks.read_all)
        tests: list[Callable[[RegisteredWebhook], bool]] = [
            lambda webhook: webhook.id == known.id,
            lambda webhook: webhook.url == url,
            lambda webhook: webhook.url == known.url,
        ]
        return list({webhook.id: webhook for test in tests for webhook in listed if test(webhook)}.values())

    def _update(
        self, webhook: RegisteredWebhook, url: str | None = None, events: frozenset[str] | None = None
    ) -> RegisteredWebhook:
        return self._call(self.webhooks.update, self.webhooks.read_one, webhook.id, url, events)

    def _delete_all(self, webhooks: list[RegisteredWebhook]) -> None:
        for webhook in webhooks:
            self._call(self.webhooks.delete, bytes, webhook.id)

    def _call[T](self, build: Callable[..., Request], read: Callable[[bytes], T], *details: object) -> T:
        """Send a request. `build`: gets the base URL, the credentials and `details`. `read`: gets the answer's body."""

        def accepted(body: bytes) -> T:
            self._was_accepted = True
            return read(body)

        return self.api.call(
            lambda base_url, credentials: build(base_url, credentials, *details), accepted, retry=self.patience
        )

    def _patiently[T](self, attempt: Callable[[], T]) -> T:
        """Repeat the attempt until the API answers. Each attempt starts with the list of registered webhooks."""
        while True:
            try:
                return attempt()
            except (ApiUnavailable, RateLimited):
                if not self.patience.pause():
                    raise


def carry_out(event: Mapping[str, Any], registrar_of: Callable[[str, str], WebhookRegistrar]) -> Outcome:
    """Carry out a request of CloudFormation for the custom resource. Never raises.

    `event`: has `RequestType`, `LogicalResourceId`, `ResourceProperties`, after the creation `PhysicalResourceId`, and
    for an update `OldResourceProperties`. The properties are `Url`, `ApiUrl`, `ApiSecretArn` and `Release`.
    `registrar_of`: makes the registrar of an `ApiUrl` and an `ApiSecretArn`.

    The physical id is the id of the registered webhook. It stays if somebody deletes that webhook and another one
    replaces it. It changes with the API, so that CloudFormation asks to delete the webhook at the previous API. If only
    the release changes, an ApiError becomes the `problem` of a success.
    """
    properties, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    physical_id = str(event.get("PhysicalResourceId", NOT_REGISTERED))
    registrar = registrar_of(properties["ApiUrl"], properties["ApiSecretArn"])
    known = Known(physical_id, before.get("Url", ""))
    try:
        match event["RequestType"]:
            case "Delete":
                _delete(registrar, event, properties["Url"], known)
                return Outcome(physical_id)
            case "Update" if properties["ApiUrl"] == before.get("ApiUrl"):
                same_key = properties["ApiSecretArn"] == before.get("ApiSecretArn")
                return _registered_as(registrar.register(properties["Url"], known, may_be_new=same_key), physical_id)
            case _:
                return _registered_as(registrar.register(properties["Url"], Known()))
    except ApiError as error:
        if event["RequestType"] == "Update" and _only_release_changes(properties, before):
            return Outcome(physical_id, data={"WebhookId": physical_id}, problem=_reason(error))
        return _failed(registrar, event, physical_id, error)
    except Exception as error:  # noqa: BLE001  whatever it is, CloudFormation waits for an answer
        return _failed(registrar, event, physical_id, error)


def _delete(registrar: WebhookRegistrar, event: Mapping[str, Any], url: str, known: Known) -> None:
    if f"-{event['LogicalResourceId']}-" in known.id:  # an id of CloudFormation: the creation may still be running
        registrar.unregister_late(url)
    elif known.id != NOT_REGISTERED:
        registrar.unregister(url, known)


def _failed(registrar: WebhookRegistrar, event: Mapping[str, Any], physical_id: str, error: Exception) -> Outcome:
    if event["RequestType"] == "Create":
        physical_id = registrar.clean_up(event["ResourceProperties"]["Url"])
    return Outcome(physical_id, _reason(error))


def _only_release_changes(properties: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether an update is only a new release, or its rollback. An outage of the provider, or a revoked key, must not
    block the release: its rollback would meet the same error."""
    return all(properties[name] == before.get(name) for name in REGISTRATION)


def _registered_as(webhook: RegisteredWebhook, physical_id: str = "") -> Outcome:
    return Outcome(physical_id or webhook.id, data={"WebhookId": webhook.id})


def _reason(error: Exception) -> str:
    """The error in one line, without secrets."""
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
