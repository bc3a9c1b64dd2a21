"""The recorded events of events/, and their deliveries. The signatures are valid at RECORDED_AT, with the secrets of
the samples in simulators/provider_calls/."""

import json
from pathlib import Path
from typing import Any

from dailies.aws import http_api
from dailies.jobs.models import Delivery
from dailies.providers import every_provider
from dailies.providers.contract import Webhook
from simulators.provider_calls import every_sample

EVENTS = Path(__file__).parents[2] / "events"
RECORDED_AT = "2026-01-15T10:30:00.000000Z"
WEBHOOKS: dict[str, Webhook] = {
    webhook.full_name: webhook for provider in every_provider().values() for webhook in provider.webhooks
}


def event(name: str) -> Any:
    """A function's input from AWS, by `<function>/<outcome>`."""
    return json.loads((EVENTS / f"{name}.json").read_bytes())


def outcomes(webhook: Webhook) -> list[str]:
    """The names of this webhook's recorded deliveries."""
    names = (str(path.relative_to(EVENTS).with_suffix("")) for path in sorted(EVENTS.rglob("*.json")))
    return [name for name in names if _route(event(name)) == webhook.full_name]


def delivery(name: str) -> Delivery:
    """The recorded delivery, at the time of its signature."""
    return http_api.delivery(event(name), received_at=RECORDED_AT, limit=2**20)


def secret(provider: str) -> str:
    """The secret of this provider's recorded deliveries."""
    (value,) = {sample.secret for webhook, sample in every_sample().items() if webhook.partition("/")[0] == provider}
    return value


def _route(recorded: dict[str, Any]) -> str:
    return "/".join(recorded.get("routeKey", "").split("/")[2:4])
