"""Test deliveries like the providers' own, with documented bodies and valid signatures.

Bodies, signatures and cases come from `simulators/provider_calls/`, which the tests and the demo use too.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dailies.providers import every_provider
from simulators.provider_calls import every_sample
from simulators.provider_calls import sample as samples
from simulators.provider_calls.call import Call
from simulators.recorded_events.__main__ import http_api_event

type Link = Callable[[str], str]
"""Makes the link to a medium from its file's name, such as `generation.mp4`."""

SECRET_OF = {
    webhook.full_name: webhook.secret_name for provider in every_provider().values() for webhook in provider.webhooks
}
CASES = {webhook: tuple(sample.cases) for webhook, sample in every_sample().items()}
"""What each webhook may report, by its full name; the usual case first."""

UNREADABLE, FORGED = "unreadable", "forged"  # cases of every webhook
SOMEBODY_ELSES = "somebody-elses-secret-0123456789abcdefghijk"  # as long as the stack's own token


@dataclass(frozen=True, slots=True)
class Order:
    """A delivery to make: its webhook, case and job, the secret that signs it, and where its media are."""

    webhook: str
    case: str
    job_id: str
    secret: str = field(repr=False)
    link: Link = field(repr=False)


def call(order: Order) -> Call:
    """The delivery, signed now."""
    sample = every_sample()[order.webhook]
    match order.case:
        case "unreadable":
            body = json.dumps({"made_by": "dailies trigger", "about": order.job_id}).encode()
            return sample.proven(body, order.secret, case=UNREADABLE, job_id=order.job_id)
        case "forged":
            usual = replace(order, case=CASES[order.webhook][0], secret=SOMEBODY_ELSES)
            return replace(call(usual), case=FORGED)
        case case:
            return sample.call(samples.Order(case, order.job_id, order.secret, sample.links(case, order.link)))


def as_event(made: Call) -> str:
    """The delivery as API Gateway passes it to the function: for `python -m demo.invoke FUNCTION --event -`."""
    return json.dumps(http_api_event(made, datetime.now(UTC)), indent=2)


def as_curl(made: Call, url: str) -> str:
    """A shell command that makes the delivery."""
    headers = [f"-H {_quoted(f'{name}: {value}')}" for name, value in made.headers.items()]
    return " ".join(["curl", "-sS", _quoted(url), *headers, "--data-binary", _quoted(made.body.decode())])


def _quoted(text: str) -> str:
    """As one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
