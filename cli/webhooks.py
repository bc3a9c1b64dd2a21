"""The webhooks registered at Captions: list, register, update and delete them with the stack's API key.

The signing secrets that Captions returns are stored in the stack and never printed.
"""

from collections.abc import Callable
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError

from cli import secrets
from cli.errors import CliError, KeyRefused, NothingFound, of_aws
from cli.provider_apis import api
from cli.stack import Stack
from dailies.errors import ApiRefused, ApiUnavailable, AwsUnavailable, CredentialsRejected, NoCredentials, RateLimited
from dailies.provider_api.client import ProviderApi, RequestBuilder
from dailies.provider_api.retry import ONCE
from dailies.providers.captions import REGISTRY
from dailies.providers.contract import RegisteredWebhook

SIGNING = "captions/signing"


def url_of(stack: Stack) -> str:
    """The URL of this stack's webhook."""
    return secrets.webhook_urls(stack, reveal=False)["captions/creator"]


def events(stack: Stack) -> frozenset[str]:
    """The events that a webhook can be registered for."""
    return _call(stack, REGISTRY.events, REGISTRY.read_events)


def registered(stack: Stack) -> tuple[RegisteredWebhook, ...]:
    """All webhooks of the account."""
    return _call(stack, REGISTRY.all, REGISTRY.read_all)


def find(stack: Stack, webhook_id: str) -> RegisteredWebhook:
    """The account's webhook with this id. Raises NothingFound."""
    for known in registered(stack):
        if known.id == webhook_id:
            return known
    raise NothingFound(f"Captions has no webhook {webhook_id}. List them with `dailies webhooks captions list`.")


def register(stack: Stack, url: str) -> tuple[RegisteredWebhook, bool]:
    """Register a webhook with this URL for all events, and store its secret. Returns whether it is new. An existing one
    is used; if it lacks events, they are added, and Captions makes a new secret."""
    one = there = next((known for known in registered(stack) if known.url == url), None)
    wanted = events(stack)
    if one is None:
        one = _call(stack, lambda base, own: REGISTRY.register(base, own, url, wanted), REGISTRY.read_one)
    elif not wanted <= one.events:
        return _change(stack, one.id, None, wanted), False
    _keep(stack, one)
    return one, there is None


def update(stack: Stack, known: RegisteredWebhook, url: str | None, *, leaked: bool = False) -> RegisteredWebhook:
    """Change its URL if one is given. Captions makes a new secret in each case, which is stored. With `leaked` the
    previous secret becomes invalid."""
    if url is None and known.url != url_of(stack):
        raise CliError(
            f"{known.id} has the URL {known.url}, which is not this stack's URL, so its secret is not stored here."
            " Name another webhook, or give it a URL of this stack with --url."
        )
    return _change(stack, known.id, url, None, leaked=leaked)


def _change(
    stack: Stack, webhook_id: str, url: str | None, wanted: frozenset[str] | None, *, leaked: bool = False
) -> RegisteredWebhook:
    """Change what is given, and store the new secret. Deliveries that arrive before it is stored are retried."""
    with secrets.updating(stack, SIGNING):
        one = _call(stack, lambda base, own: REGISTRY.update(base, own, webhook_id, url, wanted), REGISTRY.read_one)
        _keep(stack, one, leaked=leaked)
    return one


def delete(stack: Stack, webhook_id: str) -> None:
    """Delete a webhook at Captions."""
    _call(stack, lambda base, own: REGISTRY.delete(base, own, webhook_id), lambda _: True)


def has_key(stack: Stack) -> bool:
    """Whether the stack has an API key of Captions."""
    return _api(stack).credentials() is not None


def _api(stack: Stack) -> ProviderApi:
    """Captions' API, with the key that the stack registers with if it has one."""
    return api(stack, "captions", secret_id=stack.parameters.get("CaptionsApiSecretArn", ""))


def _keep(stack: Stack, one: RegisteredWebhook, *, leaked: bool = False) -> None:
    try:
        secrets.put(stack, SIGNING, one.secret, leaked=leaked)
    except (BotoCoreError, ClientError) as error:
        raise CliError(
            f"Captions made a new secret, but it is not stored in {SIGNING}: {of_aws(error)}"
            " Store it with `dailies webhooks captions register`."
        ) from None


def _call[T](stack: Stack, build: RequestBuilder, read: Callable[[bytes], T]) -> T:
    try:
        return _api(stack).call(build, read, retry=ONCE)
    except NoCredentials:
        raise CliError("No API key of Captions is set. Set it with `dailies secrets set captions/api`.") from None
    except CredentialsRejected as error:
        raise KeyRefused(f"{error.reason}. Set a valid key with `dailies secrets set captions/api`.") from None
    except ApiRefused as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise NothingFound(
                "Captions has no such webhook. List them with `dailies webhooks captions list`."
            ) from None
        # without the body, which may hold a secret
        raise CliError(f"Captions answered {error.status}. Try again later.") from None
    except RateLimited as error:
        raise CliError(f"{error.reason}. Captions allows five requests a minute; try again in a minute.") from None
    except (ApiUnavailable, AwsUnavailable) as error:
        raise CliError(f"{error.reason}. Try again later; check with `dailies webhooks captions list`.") from None
