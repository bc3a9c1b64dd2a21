"""Captions' registered webhooks: their events, and the secret that each call has as bearer token.

An update makes a new secret. It is not documented when the old one expires: immediately (`changeover_seconds` 0), or
after that many seconds by the providers' clock. Until then calls use the old secret or, with `mixed`, either of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.provider_apis.clock import Clock
from simulators.provider_apis.random_values import Chance

EVENTS = ["creator.success", "creator.failure"]


@dataclass
class Registration:
    """A registered webhook. `secret` is the one that `/list` shows; `retiring` the previous one, in use until a
    time."""

    id: str
    url: str
    enabled_events: list[str]
    secret: str = field(repr=False)
    retiring: str = field(default="", repr=False)
    retires_at: float = 0
    updates: int = 0
    calls: int = 0

    def shown(self) -> dict[str, Any]:
        """The webhook as every response shows it."""
        return {"id": self.id, "secret": self.secret, "url": self.url, "enabledEvents": self.enabled_events}


class Webhooks:
    """The webhooks of one account. `events`: the supported events; a test may change them, as a provider adds some.
    `made_status`: the status for a new or changed webhook, which is not documented."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self.registered: dict[str, Registration] = {}
        self.events = list(EVENTS)
        self.changeover_seconds: float = 0
        self.mixed = False
        self.made_status = 200
        self._clock = clock
        self._chance = chance
        self._made = 0

    def register(self, url: str, events: list[str]) -> Registration:
        """Register a webhook, even if one with that URL exists."""
        self._made += 1
        webhook_id = self._chance.letters(20, "captions", "webhook", self._made)
        self.registered[webhook_id] = Registration(webhook_id, url, events, self._secret(webhook_id, 0))
        return self.registered[webhook_id]

    def update(self, one: Registration, url: str | None, events: list[str] | None) -> None:
        """Change the given fields, and always the secret."""
        one.updates += 1
        one.url = one.url if url is None else url
        one.enabled_events = one.enabled_events if events is None else events
        one.retiring, one.retires_at = one.secret, self._clock.now() + self.changeover_seconds
        one.secret = self._secret(one.id, one.updates)

    def bearer(self, one: Registration) -> str:
        """The secret that a call uses now."""
        if self._clock.now() >= one.retires_at:
            return one.secret
        one.calls += 1
        new = self.mixed and self._chance.fraction("captions", "bearer", one.id, one.updates, one.calls) < 0.5
        return one.secret if new else one.retiring

    def prover(self, one: Registration) -> Callable[[bytes], dict[str, str]]:
        """Makes the headers of a call from the secret in use when it is sent."""
        return lambda _body: {"Authorization": f"Bearer {self.bearer(one)}"}

    def _secret(self, webhook_id: str, number: int) -> str:
        return self._chance.letters(40, "captions", "secret", webhook_id, number)
