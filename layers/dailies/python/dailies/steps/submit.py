"""Submitting a job with the right webhook in it, and tracking it from then on: for the owner's own functions.

    submitted = submit(api, "generate", {"model": "lipsync-2", "input": [...]}, webhook=url, bus=bus)
    submitted.job_id, submitted.answer

A submission is paid for, so it is sent once: where the answer is lost, nobody sends it again unasked.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.bus import Bus
from dailies.errors import (
    ApiError,
    AwsUnavailable,
    CredentialsRejected,
    NotStored,
    NotSubmitted,
    PayloadError,
    RateLimited,
)
from dailies.outbound import responses
from dailies.provider_api.client import Api
from dailies.providers.contract import Credentials, Request, Submission


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the provider answered, parsed, without our token that it may repeat, and which job that is. `tracked`: the
    bus took it; where it did not, tell it once more by `Bus.submitted`."""

    provider: str
    webhook: str
    job_id: str
    answer: Any
    tracked: bool


def submit(
    api: Api, name: str, body: Mapping[str, Any], *, bus: Bus, webhook: str = "", source_id: str = ""
) -> Submitted:
    """Submit a job by one of its provider's calls (`Provider.submissions`), and track it.

    `body` is the provider's own. `webhook` is put into it, over one that stands there: the URL that is to be called;
    for Captions the id of the webhook that is registered there. Without it, the body has to name one. `source_id`: the
    job that the call goes on with, where it does. NotSubmitted where anything is wrong.
    """
    submission = api.provider.submissions.get(name)
    if submission is None:
        known = ", ".join(sorted(api.provider.submissions))
        raise NotSubmitted(f"{api.provider.name} has no call {name}; it has {known}")
    answer = _sent(api, submission, _request(submission, body, webhook, source_id))
    try:
        job_id = submission.job_id(answer)
    except PayloadError as error:
        shown = submission.redact(answer)[:200]
        raise NotSubmitted(f"{api.provider.name} took it but named no job: {shown!r}") from error
    return Submitted(
        provider=api.provider.name,
        webhook=submission.webhook,
        job_id=job_id,
        answer=json.loads(submission.redact(answer)),
        tracked=_tracked(bus, api.provider.name, submission.webhook, job_id),
    )


def _request(
    submission: Submission, body: Mapping[str, Any], webhook: str, source_id: str
) -> Callable[[str, Credentials], Request]:
    if submission.needs_source and not source_id:
        raise NotSubmitted("this call goes on with a job that there is: give its id")
    named = webhook or body.get(submission.webhook_field)
    if not isinstance(named, str) or not named:
        raise NotSubmitted(
            f"nobody would be told of its end: give the webhook's {'id' if submission.by_id else 'URL'}"
            f" ({submission.webhook_field})"
        )
    if not submission.by_id and len(named) > submission.max_url:
        raise NotSubmitted(
            f"the webhook's URL has {len(named)} characters, and the provider takes {submission.max_url}:"
            " put a shorter domain of your own before the API"
        )
    content = json.dumps({**body, submission.webhook_field: named}).encode()
    path = submission.path.format(source_id=quote(source_id, safe=""))

    def ask(base_url: str, credentials: Credentials) -> Request:
        headers = {**submission.headers(credentials), "content-type": "application/json"}
        return Request("POST", base_url.rstrip("/") + path, headers, content)

    return ask


def _sent(api: Api, submission: Submission, ask: Callable[[str, Credentials], Request]) -> bytes:
    """The answer to a request that is sent once."""
    name = api.provider.name
    try:
        credentials = api.credentials()
        if credentials is None:
            raise NotSubmitted(
                f"no credentials of {name} are set: {', '.join(api.provider.api_names)} in its api secret"
            )
        answer = api.submit(ask, credentials)
    except (RateLimited, CredentialsRejected) as error:
        raise NotSubmitted(f"{name} did not take it: {error.reason}") from error
    except (ApiError, AwsUnavailable) as error:
        raise NotSubmitted(
            f"{error.reason}; look at {name} whether it took the job before you send it again"
        ) from error
    if answer.status not in responses.ACCEPTED:
        why = submission.redact(answer.body)[:500].decode(errors="replace")
        raise NotSubmitted(f"{name} refused it with {answer.status}: {why}")
    return answer.body


def _tracked(bus: Bus, provider: str, webhook: str, job_id: str) -> bool:
    try:
        bus.submitted(provider, webhook, job_id)
    except (NotStored, BotoCoreError, ClientError):
        return False  # the job is paid for: its id must come back whatever becomes of the rest
    return True
