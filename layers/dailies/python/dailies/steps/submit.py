"""Submit a job with the right webhook in it, and track it from then on. Public as `dailies.submit`.

A job is paid for, so the request is sent once: if the answer is lost, Dailies does not send it again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.bus import Bus
from dailies.errors import (
    ApiError,
    AwsUnavailable,
    CredentialsRejected,
    NoCredentials,
    NotStored,
    NotSubmitted,
    PayloadError,
    RateLimited,
)
from dailies.outbound import responses
from dailies.provider_api.client import ProviderApi, RequestBuilder
from dailies.provider_api.retry import ONCE
from dailies.providers.contract import Credentials, Request, Submission

MAX_SHOWN = 500  # bytes of an answer in an error message


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that the provider accepted.

    - `provider`, `webhook`: the names, such as `sync` and `generation`.
    - `job_id`: the provider's id of the job.
    - `answer`: the provider's answer, parsed from JSON. Our webhook token in it is replaced by `[redacted]`.
    - `tracked`: whether the bus accepted `Job Submitted`. If not, call `Bus.submitted` again.
    """

    provider: str
    webhook: str
    job_id: str
    answer: Any
    tracked: bool


def submit(
    api: ProviderApi, name: str, body: Mapping[str, Any], *, bus: Bus, webhook: str = "", source_id: str = ""
) -> Submitted:
    """Submit a job and track it.

    - `api`: the client of the provider's API.
    - `name`: the request to make, a key of the provider's `submissions`, such as `generate` for Sync.
    - `body`: the JSON object that the provider documents for it.
    - `bus`: gets `Job Submitted`, so that the job is known before its first webhook.
    - `webhook`: the URL that the provider calls; for Captions the id of the registered webhook. It replaces the one in
      `body`. Without it, `body` must name one.
    - `source_id`: the id of the job to continue or to repeat, if the request needs one.

    NotSubmitted if anything is wrong. Its message says whether the provider may have accepted the job.
    """
    submission = api.provider.submissions.get(name)
    if submission is None:
        known = ", ".join(sorted(api.provider.submissions))
        raise NotSubmitted(f"{api.provider.name} has no request {name}; it has {known}")
    answer = _send_once(api, submission, _request(submission, body, webhook, source_id))
    try:
        job_id = submission.job_id(answer)
    except PayloadError as error:
        shown = submission.redact(answer)[:MAX_SHOWN]
        raise NotSubmitted(f"{api.provider.name} accepted the job but its answer has no job id: {shown!r}") from error
    return Submitted(
        provider=api.provider.name,
        webhook=submission.webhook,
        job_id=job_id,
        answer=json.loads(submission.redact(answer)),
        tracked=_track(bus, api.provider.name, submission.webhook, job_id),
    )


def _request(submission: Submission, body: Mapping[str, Any], webhook: str, source_id: str) -> RequestBuilder:
    if submission.needs_source and not source_id:
        raise NotSubmitted("this request continues an existing job: give the job's id")
    target = webhook or body.get(submission.webhook_field)
    if not isinstance(target, str) or not target:
        raise NotSubmitted(
            f"the job has no webhook, so its result would be lost: give the webhook's"
            f" {'id' if submission.by_id else 'URL'} ({submission.webhook_field})"
        )
    if not submission.by_id and len(target) > submission.max_url:
        raise NotSubmitted(
            f"the webhook's URL has {len(target)} characters, and the provider accepts {submission.max_url}:"
            " use a shorter custom domain for the API"
        )
    content = json.dumps({**body, submission.webhook_field: target}).encode()
    path = submission.path.format(source_id=quote(source_id, safe=""))

    def build(base_url: str, credentials: Credentials) -> Request:
        headers = {**submission.headers(credentials), "content-type": "application/json"}
        return Request("POST", base_url.rstrip("/") + path, headers, content)

    return build


def _send_once(api: ProviderApi, submission: Submission, build: RequestBuilder) -> bytes:
    """The body of the answer that accepts the job."""
    name = api.provider.name
    try:
        answer = api.send(build, retry=ONCE, submits=True)
    except NoCredentials as error:
        raise NotSubmitted(error.reason) from error
    except (RateLimited, CredentialsRejected) as error:
        raise NotSubmitted(f"{name} did not accept the job: {error.reason}") from error
    except AwsUnavailable as error:
        raise NotSubmitted(f"{error.reason}; nothing was sent to {name}, try again") from error
    except ApiError as error:
        raise NotSubmitted(
            f"{error.reason}; check at {name} whether it accepted the job before you submit it again"
        ) from error
    if answer.status not in responses.ACCEPTED:
        shown = submission.redact(answer.body)[:MAX_SHOWN].decode(errors="replace")
        raise NotSubmitted(f"{name} refused the job with {answer.status}: {shown}")
    return answer.body


def _track(bus: Bus, provider: str, webhook: str, job_id: str) -> bool:
    """Whether the bus accepted `Job Submitted`. No exception: the job is paid for, so its id must reach the caller."""
    try:
        bus.submitted(provider, webhook, job_id)
    except (NotStored, BotoCoreError, ClientError):
        return False
    return True
