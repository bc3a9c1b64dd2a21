"""The types that describe a provider: values made of functions.

They are named tuples, because every cold start creates all these classes and a dataclass takes five times as long.
Classes that hold a secret are dataclasses, so that `repr` does not print it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from dailies.errors import PayloadError
from dailies.jobs.models import Delivery, MediaKind, Proof, Report
from dailies.providers.signatures import Secrets


class Limit(NamedTuple):
    """A rate limit: at most `calls` requests in any span of `seconds`."""

    calls: int
    seconds: float = 60.0


class ProofRules(NamedTuple):
    """The owner's settings for verification. `tolerance`: seconds between a signature's time and ours, in both
    directions."""

    tolerance: float = 300
    accept_bare_sync_signature: bool = True


type Verify = Callable[[Delivery, Secrets, ProofRules], Proof]
"""Verifies a delivery at its `received_at` with any of the secrets. Raises VerificationError and nothing else."""


class Webhook(NamedTuple):
    """One kind of webhook of a provider.

    `parse`: makes a report of a verified body, or raises PayloadError. `in_path`: the secret is the last segment of the
    route. The body may repeat it, so it is redacted before anything is stored.
    """

    provider: str
    name: str
    verify: Verify
    parse: Callable[[bytes], Report]
    in_path: bool = False

    @property
    def full_name(self) -> str:
        """The name in routes, metrics and commands, such as `sync/generation`."""
        return f"{self.provider}/{self.name}"

    @property
    def secret_name(self) -> str:
        """The secret that verifies its deliveries, without the stack's name: `sync/signing`, `creatify/token`."""
        return f"{self.provider}/{'token' if self.in_path else 'signing'}"


type Credentials = Mapping[str, str]
"""The credentials of a provider's API by their names in its secret: `api_key`, for Creatify also `api_id`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a provider's API, as data. `outbound` sends it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""


class GetJob(NamedTuple):
    """The API's request for one job.

    `build`: makes the request of the API's base URL, the credentials and the job's id. `read`: makes a report of the
    answer's body and the job's id, or raises PayloadError. `read_failure`: the same for an answer with status 400, if
    the API reports failed jobs that way. `redact`: removes our secrets from the body before it is read or stored.
    """

    build: Callable[[str, Credentials, str], Request]
    read: Callable[[bytes, str], Report]
    read_failure: Callable[[bytes, str], Report] | None = None
    redact: Callable[[bytes], bytes] = bytes


def read_about(job_id: str, read: Callable[[bytes, str], Report], body: bytes) -> Report:
    """The report in an answer about this job. PayloadError if the answer has another id, also if only its spelling
    differs: the event would create a second job."""
    report = read(body, job_id)
    if report.job_id != job_id:
        raise PayloadError("it is about another job")
    return report


class ReportedJob(NamedTuple):
    """The report of one job in a list, and its row of the answer as JSON."""

    report: Report
    payload: bytes


def parse_each(rows: Iterator[bytes], parse: Callable[[bytes], Report]) -> list[ReportedJob]:
    """The reported job of each row. Rows that cannot be parsed are left out."""
    reported = []
    for row in rows:
        with suppress(PayloadError):
            reported.append(ReportedJob(parse(row), row))
    return reported


class ListJobs(NamedTuple):
    """The API's request for several jobs.

    `build`: makes the request of the API's base URL, the credentials and at most `max_ids` job ids; without ids, it is
    a request for the newest jobs. `read`: makes reports of the answer's body, without rows that cannot be parsed;
    PayloadError if the body has no list. `redact`: as in `GetJob`.
    """

    build: Callable[[str, Credentials, Sequence[str]], Request]
    read: Callable[[bytes], list[ReportedJob]]
    max_ids: int = 0
    redact: Callable[[bytes], bytes] = bytes


class StatusPolling(NamedTuple):
    """How to poll a webhook's jobs.

    `usual_seconds`: how long such a job usually takes; after that time without an update, its webhook may be missing.
    `list_jobs`: None if the API reports only single jobs.
    """

    usual_seconds: float
    get_job: GetJob
    list_jobs: ListJobs | None = None


class Submission(NamedTuple):
    """The API's request that submits a job.

    `webhook`: the name of the webhook that reports the job. `path`: below the base URL; `{source_id}` in it is the id
    of the job to continue or to repeat. `job_id`: reads the id in the answer, or raises PayloadError. `webhook_field`:
    the field of the body that names the webhook, by a URL of at most `max_url` characters, or if `by_id` by the id of a
    registered webhook. `redact`: removes our secrets from the answer before it is shown.
    """

    webhook: str
    path: str
    headers: Callable[[Credentials], Mapping[str, str]]
    job_id: Callable[[bytes], str]
    webhook_field: str
    by_id: bool = False
    max_url: int = 2048
    redact: Callable[[bytes], bytes] = bytes

    @property
    def needs_source(self) -> bool:
        """Whether the request needs the id of an existing job."""
        return "{source_id}" in self.path


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A webhook registered at a provider. `events`: in the provider's words. `secret`: verifies its deliveries."""

    id: str
    url: str
    events: frozenset[str]
    secret: str = field(repr=False)


class WebhookApi(NamedTuple):
    """The API's requests for registered webhooks.

    Each makes its request of the API's base URL, the credentials and its arguments. The `read` functions raise
    PayloadError. `update`: changes the URL or the events that are not None, and always makes a new secret.
    """

    events: Callable[[str, Credentials], Request]
    read_events: Callable[[bytes], frozenset[str]]
    all: Callable[[str, Credentials], Request]
    read_all: Callable[[bytes], tuple[RegisteredWebhook, ...]]
    register: Callable[[str, Credentials, str, frozenset[str]], Request]
    update: Callable[[str, Credentials, str, str | None, frozenset[str] | None], Request]
    read_one: Callable[[bytes], RegisteredWebhook]
    delete: Callable[[str, Credentials, str], Request]


class ResultManifest(NamedTuple):
    """A medium that lists other jobs, whose rows become their events. `read`: makes a report of each row that can be
    parsed, from the rows and the listing job's id. `webhook`: that of the listed jobs."""

    webhook: str
    read: Callable[[Iterator[bytes], str], Iterator[Report]]


class Provider(NamedTuple):
    """All that Dailies knows about one provider.

    `roles`: the kinds of media that each role may have. `manifests`: by role, for media that list other jobs.
    `link_refresh`: by role, the request for a fresh link. `polling`: by webhook. `submissions`: by name. `api_limit`:
    the API's rate limit. `submit_limit`: that of submissions, if it differs. `api_names`: the names in the API secret.
    `signing_prefix`: with which the provider's signing secrets begin. `links_are_proven`: whether the proof of a
    delivery covers its links. `may_go_on`: status words of a completed job that may have another stage.
    """

    name: str
    webhooks: tuple[Webhook, ...]
    roles: Mapping[str, frozenset[MediaKind]]
    manifests: Mapping[str, ResultManifest] = {}
    link_refresh: Mapping[str, GetJob] = {}
    polling: Mapping[str, StatusPolling] = {}
    submissions: Mapping[str, Submission] = {}
    api_limit: Limit = Limit(1)
    submit_limit: Limit | None = None
    api_names: tuple[str, ...] = ("api_key",)
    signing_prefix: str = ""
    links_are_proven: bool = True
    may_go_on: frozenset[str] = frozenset()

    @property
    def has_api(self) -> bool:
        """Whether Dailies calls the provider's API: to poll, to refresh a link or to submit."""
        return bool(self.polling or self.link_refresh or self.submissions)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of its secrets, without the stack's name: those that verify deliveries, then the API's."""
        api = (f"{self.name}/api",) if self.has_api else ()
        return (*dict.fromkeys(webhook.secret_name for webhook in self.webhooks), *api)
