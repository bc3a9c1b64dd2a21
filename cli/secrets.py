"""The stack's secrets: which are set, and new versions of them. A value is shown to nobody."""

import json
import re
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from cli.errors import NothingFound, Refusal
from cli.stack import Stack
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import PLACEHOLDER, STAGES, may_verify
from dailies.providers import every_provider
from dailies.providers.contract import Webhook

NAMES = tuple(name for provider in every_provider().values() for name in provider.secrets)
MIN_LETTERS = 8  # what is shorter, or `whsec_` alone, was cut when it was copied; Dailies makes tokens of 43
TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{MIN_LETTERS},}}")  # what stands in a URL as it is
SIGNING = re.compile(rf"[!-~]{{{MIN_LETTERS},}}")  # what an HTTP header can bear
EXAMPLE = "..."  # where the documentation leaves a credential out


@dataclass(frozen=True, slots=True)
class State:
    """A secret: whether it is set, since when its current version, and which stages hold a value."""

    name: str
    is_set: bool
    changed_at: datetime | None
    stages: tuple[str, ...]


def states(stack: Stack) -> list[State]:
    """All secrets of the stack."""
    return [_state(stack, name) for name in NAMES]


def may_be_sent(text: str) -> bool:
    """Whether a call can bear it, in a header or a URL."""
    return text.isascii() and text.isprintable()


def value(stack: Stack, name: str) -> str:
    """A secret's current value; a Refusal where it is not set, or no call can bear it."""
    text = _current(stack, name)
    if not _is_set(name, text):
        raise Refusal(f"the secret {name} is not set{_or_short(name)}; `dailies secrets set {name}` does it")
    if not may_be_sent(text):
        raise Refusal(
            f"{name} is set to more than printable ASCII characters, which no call can bear;"
            f" `dailies secrets set {name}` sets another"
        )
    return text


def check(name: str, text: str) -> str:
    """The value as it is kept; a Refusal where the secret cannot be one like it."""
    text = text.strip()
    provider, _, kind = name.partition("/")
    if not text:
        raise Refusal(f"the input was empty: nothing was changed; give the value of {name}")
    if text == PLACEHOLDER:
        raise Refusal(f"{PLACEHOLDER} is the placeholder, no value for {name}; nothing was changed")
    if kind == "api":
        names = every_provider()[provider].api_names
        example = json.dumps(dict.fromkeys(names, EXAMPLE))
        try:
            read = json.loads(text)
        except ValueError:
            read = None
        if not isinstance(read, dict) or not all(isinstance(read.get(one), str) and read[one] for one in names):
            raise Refusal(f"{name} is JSON: {example}; nothing was changed")
        for one in names:
            _check_credential(name, one, read[one])
    elif any(letter.isspace() or not letter.isprintable() for letter in text):
        raise Refusal(f"{name} has a blank inside: give the bare secret, not a file around it; nothing was changed")
    elif kind == "signing" and not text.startswith(prefix := every_provider()[provider].signing_prefix):
        raise Refusal(
            f"{provider.capitalize()}'s signing secrets begin with {prefix}, which belongs to them; nothing was changed"
        )
    elif kind == "token" and not TOKEN.fullmatch(text):
        raise Refusal(
            f"{name} is {MIN_LETTERS} or more of A-Z, a-z, 0-9, - and _, as it stands in a URL"
            " (`dailies secrets rotate` makes one); nothing was changed"
        )
    elif not SIGNING.fullmatch(text):
        raise Refusal(f"{name} is {MIN_LETTERS} or more printable ASCII characters; nothing was changed")
    return text


def _check_credential(name: str, one: str, text: str) -> None:
    if text == EXAMPLE:
        raise Refusal(f"{EXAMPLE} stands for the {one} in the example: put your own there; nothing was changed")
    if any(letter.isspace() for letter in text):
        raise Refusal(f"{name} has a blank in its {one}: give it as the provider shows it; nothing was changed")
    if not may_be_sent(text):
        raise Refusal(f"{name}: an {one} is printable ASCII characters; nothing was changed")


def put(stack: Stack, name: str, text: str, *, pending: bool = False, leaked: bool = False) -> bool:
    """Make a value the current version, or the pending one; whether it was not. The version before verifies on for the
    grace period, so the current value is not put again: that would end it. With `leaked` nothing else verifies any
    more: the value is put twice, so that both versions are the new one. A pending version is over either way, since one
    that nobody takes off would verify for ever."""
    if pending:
        _end_pending(stack, name)  # AWS moves the label by itself, the emulator copies it
        stack.secretsmanager.put_secret_value(
            SecretId=_id(stack, name), SecretString=text, VersionStages=["AWSPENDING"]
        )
        return True
    is_new = text != _current(stack, name)
    for _ in range(2 if leaked else int(is_new)):
        stack.secretsmanager.put_secret_value(SecretId=_id(stack, name), SecretString=text)
    _end_pending(stack, name)
    return is_new


def updating(stack: Stack, name: str) -> AbstractContextManager[None]:
    """Inside, a provider makes a new value and it is put: whom the receivers cannot prove comes again meanwhile. Begins
    with the seconds in which they notice."""
    return HeldSecret(stack.secretsmanager, _id(stack, name)).updating(settle=True)


def webhook_urls(stack: Stack, *, reveal: bool) -> dict[str, str]:
    """The URLs to give to the providers, by the webhook's full name. Tokens are in them only with `reveal`."""
    webhooks = [webhook for provider in every_provider().values() for webhook in provider.webhooks]
    return {webhook.full_name: webhook_url(stack, webhook, reveal=reveal) for webhook in webhooks}


def webhook_url(stack: Stack, webhook: Webhook, *, reveal: bool) -> str:
    """The URL to give to the provider. Its token, if it has one, is in it only with `reveal`."""
    url = f"{stack.webhook_base_url}/webhooks/{webhook.full_name}"
    return f"{url}/{value(stack, webhook.secret_name) if reveal else '<token>'}" if webhook.in_path else url


def set_for_trial(stack: Stack, name: str) -> str:
    """The current value, on a local stack a made-up one where nobody has set it; a Refusal elsewhere."""
    text = _current(stack, name)
    if _is_set(name, text) or not stack.is_local:
        return value(stack, name)
    text = f"whsec_{secrets.token_urlsafe(24)}"
    put(stack, name, text)
    return text


def _state(stack: Stack, name: str) -> State:
    try:
        versions = _described(stack, name)
        answer = stack.secretsmanager.get_secret_value(SecretId=_id(stack, name))
    except stack.secretsmanager.exceptions.ResourceNotFoundException:
        return State(name, is_set=False, changed_at=None, stages=())
    held = {stage for stages in versions.values() for stage in stages}
    stages = tuple(word for stage, word in STAGES.items() if stage in held)
    return State(name, _is_set(name, answer.get("SecretString", "").strip()), answer["CreatedDate"], stages)


def _end_pending(stack: Stack, name: str) -> None:
    for version, stages in _described(stack, name).items():
        if "AWSPENDING" in stages:
            stack.secretsmanager.update_secret_version_stage(
                SecretId=_id(stack, name), VersionStage="AWSPENDING", RemoveFromVersionId=version
            )


def _described(stack: Stack, name: str) -> dict[str, list[str]]:
    return stack.secretsmanager.describe_secret(SecretId=_id(stack, name)).get("VersionIdsToStages", {})


def _current(stack: Stack, name: str) -> str:
    try:
        return stack.secretsmanager.get_secret_value(SecretId=_id(stack, name)).get("SecretString", "").strip()
    except stack.secretsmanager.exceptions.ResourceNotFoundException:
        raise NothingFound(f"the stack has no secret {_id(stack, name)}; deploy it again (`sam deploy`)") from None


def _is_set(name: str, text: str) -> bool:
    return text not in ("", PLACEHOLDER) if name.endswith("/api") else may_verify(text)


def _or_short(name: str) -> str:
    return "" if name.endswith("/api") else ", or too short to be one"


def _id(stack: Stack, name: str) -> str:
    return f"{stack.name}/{name}"
