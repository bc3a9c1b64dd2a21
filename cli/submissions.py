"""Which webhook of the stack's a submitted job is to call."""

from collections.abc import Mapping
from typing import Any

from cli import secrets, webhooks
from cli.errors import Refusal
from cli.stack import Stack
from dailies.providers.contract import Provider, Submission


def webhook_of(stack: Stack, provider: Provider, submission: Submission, body: Mapping[str, Any]) -> str:
    """As the call names it: its URL, or the id under which it is registered; empty where the body names a registered
    one itself, which may be another of the account's. A Refusal where none is registered."""
    if not submission.by_id:
        (webhook,) = (webhook for webhook in provider.webhooks if webhook.name == submission.webhook)
        return secrets.webhook_url(stack, webhook, reveal=True)
    if body.get(submission.webhook_field):
        return ""
    # The output first: asking is one of the five calls that Captions takes in a minute.
    return stack.outputs.get("CaptionsWebhookId") or _registered(stack)


def _registered(stack: Stack) -> str:
    ours = webhooks.url_of(stack)
    for one in webhooks.registered(stack):
        if one.url == ours:
            return one.id
    raise Refusal(
        "this stack's webhook is not registered at Captions: `dailies hooks captions register` does it, or name"
        " another as webhookId in the body; nothing was submitted"
    )
