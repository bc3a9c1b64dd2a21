"""The webhooks that are registered at Captions: looked at, registered, changed and deleted with the stack's own key.

A secret that Captions gives out goes straight into the stack; it is shown to nobody.
"""

from collections.abc import Callable
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError

from cli import secrets
from cli.errors import KeyRefused, NothingFound, Refusal, of_aws
from cli.provider_apis import api
from cli.stack import Stack
from dailies.errors import ApiError, AwsUnavailable, CredentialsRejected, PayloadError, RateLimited
from dailies.outbound import responses
from dailies.provider_api.client import Api
from dailies.providers.captions import REGISTRY
from dailies.providers.contract import Credentials, RegisteredWebhook, Request

SIGNING = "captions/signing"


def url_of(stack: Stack) -> str:
    """Where Captions is to call this stack."""
    return secrets.webhook_urls(stack, reveal=False)["captions/creator"]


def events(stack: Stack) -> frozenset[str]:
    """What a webhook can be called for."""
    return _call(stack, REGISTRY.events, REGISTRY.read_events)


def registered(stack: Stack) -> tuple[RegisteredWebhook, ...]:
    """All of the account."""
    return _call(stack, REGISTRY.all, REGISTRY.read_all)


def find(stack: Stack, webhook_id: str) -> RegisteredWebhook:
    """One of the account's. NothingFound where there is none of that id."""
    for known in registered(stack):
        if known.id == webhook_id:
            return known
    raise NothingFound(f"Captions knows no webhook {webhook_id}; `dailies hooks captions list` lists those there are")


def register(stack: Stack, url: str) -> tuple[RegisteredWebhook, bool]:
    """A webhook of this URL, for all events, its secret in the stack; whether it is new. One that there is is taken,
    and where it lacks events, changed: then its secret is a new one."""
    one = there = next((known for known in registered(stack) if known.url == url), None)
    wanted = events(stack)
    if one is None:
        one = _call(stack, lambda base, own: REGISTRY.register(base, own, url, wanted), REGISTRY.read_one)
    elif not wanted <= one.events:
        return _change(stack, one.id, None, wanted), False
    _keep(stack, one)
    return one, there is None


def update(stack: Stack, known: RegisteredWebhook, url: str | None, *, leaked: bool = False) -> RegisteredWebhook:
    """Change its URL, or nothing: its secret is a new one, and goes into the stack. With `leaked`, the secret before
    verifies no longer."""
    if url is None and known.url != url_of(stack):
        raise Refusal(
            f"{known.id} calls {known.url}, which is not this stack's URL, so its secret would be none of this stack's;"
            " name another webhook, or with --url where it is to call from now on"
        )
    return _change(stack, known.id, url, None, leaked=leaked)


def _change(
    stack: Stack, webhook_id: str, url: str | None, wanted: frozenset[str] | None, *, leaked: bool = False
) -> RegisteredWebhook:
    """Change what is given, and take its new secret. Captions may use it before it is in the stack; calls that come
    meanwhile come again."""
    with secrets.updating(stack, SIGNING):
        one = _call(stack, lambda base, own: REGISTRY.update(base, own, webhook_id, url, wanted), REGISTRY.read_one)
        _keep(stack, one, leaked=leaked)
    return one


def delete(stack: Stack, webhook_id: str) -> None:
    """Captions calls it no more."""
    _call(stack, lambda base, own: REGISTRY.delete(base, own, webhook_id), lambda _: True)


def has_key(stack: Stack) -> bool:
    """Whether Captions can be asked."""
    return _api(stack).credentials() is not None


def _api(stack: Stack) -> Api:
    """With the key that the stack itself registers by, where it has one."""
    return api(stack, "captions", secret_id=stack.parameters.get("CaptionsApiSecretArn", ""))


def _keep(stack: Stack, one: RegisteredWebhook, *, leaked: bool = False) -> None:
    try:
        secrets.put(stack, SIGNING, one.secret, leaked=leaked)
    except (BotoCoreError, ClientError) as error:
        raise Refusal(
            f"{of_aws(error)}. Captions has a new secret that is not in {SIGNING} yet:"
            " `dailies hooks captions register` puts it there"
        ) from None


def _call[T](stack: Stack, ask: Callable[[str, Credentials], Request], read: Callable[[bytes], T]) -> T:
    captions = _api(stack)
    try:
        credentials = captions.credentials()
        if credentials is None:
            raise Refusal("no API key of Captions is set; `dailies secrets set captions/api` does it")
        answer = captions.call(ask, credentials, tries=1)
        if answer.status == HTTPStatus.NOT_FOUND:
            raise NothingFound("Captions knows no such webhook; `dailies hooks captions list` lists those there are")
        if answer.status not in responses.ACCEPTED:
            raise Refusal(f"Captions answered {answer.status}")  # without its body, which may hold a secret
        return read(answer.body)
    except CredentialsRejected as error:
        raise KeyRefused(f"{error.reason}; set a key that holds, with `dailies secrets set captions/api`") from None
    except RateLimited as error:
        raise Refusal(f"{error.reason}; Captions takes five calls a minute, try again in one") from None
    except (ApiError, AwsUnavailable) as error:
        raise Refusal(
            f"{error.reason}; try again later: `dailies hooks captions list` shows what is registered by then"
        ) from None
    except PayloadError as error:
        raise Refusal(f"Captions answered something else than documented ({error}); nothing was changed here") from None
