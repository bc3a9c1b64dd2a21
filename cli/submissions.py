"""The webhook that a submitted job reports to."""

from collections.abc import Mapping
from typing import Any

from cli import secrets, webhooks
from cli.errors import CliError
from cli.stack import Stack
from dailies.providers.contract import Provider, Submission


def webhook_of(stack: Stack, provider: Provider, submission: Submission, body: Mapping[str, Any]) -> str:
    """The webhook's URL, or its id at the provider if that takes an id. Empty if the body names a registered webhook
    itself. Raises CliError if none is registered."""
    if not submission.by_id:
        (webhook,) = (webhook for webhook in provider.webhooks if webhook.name == submission.webhook)
        return secrets.webhook_url(stack, webhook, reveal=True)
    if body.get(submission.webhook_field):
        return ""
    # The output first: Captions accepts only five requests a minute.
    return stack.outputs.get("CaptionsWebhookId") or _registered(stack)


def _registered(stack: Stack) -> str:
    ours = webhooks.url_of(stack)
    for one in webhooks.registered(stack):
        if one.url == ours:
            return one.id
    raise CliError(
        "Nothing was submitted: this stack's webhook is not registered at Captions. Register it with"
        " `dailies webhooks captions register`, or name another as webhookId in the body."
    )
