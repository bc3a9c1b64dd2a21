"""A target's input format, readable for people: sections separated by an empty line."""

from collections.abc import Callable

from dailies.providers import every_provider

NOW = "2026-01-15T10:30:00.000000Z"
SECRETS = {"current": "whsec_fuzz_current_0123456789", "previous": "whsec_fuzz_previous_9876543210"}

type Target = Callable[[bytes], None]

PROVIDERS = every_provider()
WEBHOOKS = {webhook.full_name: webhook for provider in PROVIDERS.values() for webhook in provider.webhooks}


def parted(data: bytes) -> tuple[bytes, bytes]:
    """The part before the first empty line, and the part after it."""
    before, _, behind = data.partition(b"\n\n")
    return before, behind


def headers_in(data: bytes) -> dict[str, str]:
    """`name: value` lines, as API Gateway passes headers."""
    lines = (line.partition(":") for line in data.decode("utf-8", "surrogateescape").split("\n"))
    return {name.lower(): value.removeprefix(" ") for name, _, value in lines}
