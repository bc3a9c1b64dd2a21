"""The stack's secrets: which are set, and new versions of them. Values are never printed."""

import json
import re
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from cli.errors import CliError, NothingFound
from cli.stack import Stack
from dailies.aws.secret_versions import HeldSecret
from dailies.aws.secrets import PLACEHOLDER, STAGES, bare, may_verify
from dailies.providers import every_provider
from dailies.providers.contract import Webhook

NAMES = tuple(name for provider in every_provider().values() for name in provider.secrets)
MIN_LETTERS = 8  # a shorter value, or a bare `whsec_`, was cut when it was copied; Dailies makes tokens of 43
TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{MIN_LETTERS},}}")  # characters that a URL contains unescaped
SIGNING = re.compile(rf"[!-~]{{{MIN_LETTERS},}}")  # characters that an HTTP header can contain
EXAMPLE = "..."  # stands for a credential in the documentation


@dataclass(frozen=True, slots=True)
class State:
    """A secret: whether it is set, when its current version was created, the stages that have a value, and what is
    wrong with the value, if anything is."""

    name: str
    is_set: bool
    changed_at: datetime | None
    stages: tuple[str, ...]
    problem: str = ""


class Unusable(Exception):
    """A value that a secret cannot have: the reason, and what to give instead."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


def states(stack: Stack) -> list[State]:
    """The state of every secret of the stack."""
    return [_state(stack, name) for name in NAMES]


def may_be_sent(text: str) -> bool:
    """Whether a header or a URL can contain it."""
    return text.isascii() and text.isprintable()


def value(stack: Stack, name: str) -> str:
    """A secret's current value. Raises CliError if it is not set, or a header cannot contain it."""
    text = _current(stack, name)
    if not _is_set(name, text):
        raise CliError(f"The secret {name} is not set{_or_short(name)}. Set it with `dailies secrets set {name}`.")
    if not may_be_sent(text):
        raise CliError(
            f"{name} has other than printable ASCII characters, so no delivery can contain it."
            f" Set another with `dailies secrets set {name}`."
        )
    return text


def check(name: str, text: str) -> str:
    """The value as it is stored, without surrounding space. Raises CliError if it cannot be a value of this secret."""
    try:
        return _checked(name, text)
    except Unusable as error:
        raise CliError(f"{error.reason}; nothing was changed. {error.next_step}") from None


def _checked(name: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise Unusable("The input was empty", f"Give the value of {name}.")
    if text == PLACEHOLDER:
        raise Unusable(f"{PLACEHOLDER} is the placeholder, not a value", f"Give the value of {name}.")
    provider, _, kind = name.partition("/")
    if kind == "api":
        _check_credentials(name, text, every_provider()[provider].api_names)
    else:
        _check_proof(name, text, every_provider()[provider].signing_prefix)
    return text


def _check_credentials(name: str, text: str, fields: Sequence[str]) -> None:
    """API credentials: a JSON object with these fields, each a string that fits into a header."""
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(read.get(field), str) and read[field] for field in fields):
        raise Unusable(f"{name} needs JSON", f"Give {json.dumps(dict.fromkeys(fields, EXAMPLE))}.")
    for field in fields:
        if read[field] == EXAMPLE:
            raise Unusable(f"{EXAMPLE} stands for the {field} in the example", "Replace it with your own.")
        if any(letter.isspace() for letter in read[field]):
            raise Unusable(f"{name} has white space in its {field}", "Give it as the provider shows it.")
        if not may_be_sent(read[field]):
            raise Unusable(f"{name} has other characters in its {field}", "Give printable ASCII characters only.")


def _check_proof(name: str, text: str, prefix: str) -> None:
    """A signing secret or token, which a delivery contains or is signed with."""
    if text.startswith("{"):
        raise Unusable(f"{name} is a JSON object that does not say which field is the secret", "Give the bare secret.")
    if any(letter.isspace() or not letter.isprintable() for letter in text):
        raise Unusable(f"{name} has white space inside", "Give the bare secret, not a file around it.")
    provider, _, kind = name.partition("/")
    if kind == "signing" and not text.startswith(prefix):
        raise Unusable(f"{provider.capitalize()}'s signing secrets begin with {prefix}", "Give the complete secret.")
    if kind == "token" and not TOKEN.fullmatch(text):
        raise Unusable(
            f"{name} is part of a URL",
            f"Give {MIN_LETTERS} or more of A-Z, a-z, 0-9, - and _, or use `dailies secrets rotate`.",
        )
    if not SIGNING.fullmatch(text):
        raise Unusable(
            f"{name} is too short or has other characters", f"Give {MIN_LETTERS} or more printable ASCII characters."
        )


def put(stack: Stack, name: str, text: str, *, pending: bool = False, leaked: bool = False) -> bool:
    """Store a value as the current version, or as the pending one. Returns whether it was not current before.

    The previous version stays valid for the grace period. So the current value is not stored again, which would end
    that period. With `leaked` the value is stored twice, so that no older version stays valid. A pending version is
    removed in each case; otherwise it would stay valid forever.
    """
    if pending:
        _end_pending(stack, name)  # AWS moves the label, the emulator copies it
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
    """The block in which a provider makes a new value and it is stored. Receivers answer deliveries that they cannot
    verify so that the provider retries. Entering waits some seconds, until all receivers know."""
    return HeldSecret(stack.secretsmanager, _id(stack, name)).updating(settle=True)


def webhook_urls(stack: Stack, *, reveal: bool) -> dict[str, str]:
    """Each webhook's URL by its name. A token in a path is in it only with `reveal`."""
    webhooks = [webhook for provider in every_provider().values() for webhook in provider.webhooks]
    return {webhook.full_name: webhook_url(stack, webhook, reveal=reveal) for webhook in webhooks}


def webhook_url(stack: Stack, webhook: Webhook, *, reveal: bool) -> str:
    """The URL to give to the provider. It contains its token, if it has one, only with `reveal`."""
    url = f"{stack.webhook_base_url}/webhooks/{webhook.full_name}"
    return f"{url}/{value(stack, webhook.secret_name) if reveal else '<token>'}" if webhook.in_path else url


def set_for_trial(stack: Stack, name: str) -> str:
    """The current value. If it is not set, a local stack gets a random one; on AWS this raises CliError."""
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
    text = _bare(name, answer.get("SecretString", ""))
    return State(name, _is_set(name, text), answer["CreatedDate"], stages, _problem(name, text))


def _bare(name: str, text: str) -> str:
    """The value as the functions read it."""
    return text.strip() if name.endswith("/api") else bare(text)


def _problem(name: str, text: str) -> str:
    """Why `secrets set` would not take a value that is stored; empty if it would, or if none is set."""
    if text in ("", PLACEHOLDER):
        return ""
    try:
        _checked(name, text)
    except Unusable as error:
        return error.reason
    return ""


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
        answer = stack.secretsmanager.get_secret_value(SecretId=_id(stack, name))
    except stack.secretsmanager.exceptions.ResourceNotFoundException:
        raise NothingFound(f"The stack has no secret {_id(stack, name)}. Deploy it again with `sam deploy`.") from None
    return _bare(name, answer.get("SecretString", ""))


def _is_set(name: str, text: str) -> bool:
    return text not in ("", PLACEHOLDER) if name.endswith("/api") else may_verify(text)


def _or_short(name: str) -> str:
    return "" if name.endswith("/api") else ", or too short"


def _id(stack: Stack, name: str) -> str:
    return f"{stack.name}/{name}"
