"""What a provider offers: values made of functions.

They are named tuples, whose making takes a fifth of a dataclass's: each cold start makes them all. What holds a secret
is none, so that it is never printed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from dailies.errors import PayloadError
from dailies.jobs.models import Delivery, MediaKind, Proof, Report
from dailies.providers.signatures import Secrets


class Limit(NamedTuple):
    """At most `calls` in any span of `seconds`."""

    calls: int
    seconds: float = 60.0


class ProofRules(NamedTuple):
    """What the owner decides about proofs. The tolerance is in seconds, in both directions."""

    tolerance: float = 300
    accept_bare_sync_signature: bool = True


type Verify = Callable[[Delivery, Secrets, ProofRules], Proof]
"""Proves a delivery, at the moment it was received, with one of the secrets; VerificationError and nothing else."""


class Webhook(NamedTuple):
    """One kind of call a provider makes.

    `parse` reads verified bytes as a report or raises PayloadError. `in_path`: the secret is the last segment of the
    route, so the body may repeat it, and it is redacted before anything is kept.
    """

    provider: str
    name: str
    verify: Verify
    parse: Callable[[bytes], Report]
    in_path: bool = False

    @property
    def full_name(self) -> str:
        """Such as `sync/generation`: the name in routes, metrics and commands."""
        return f"{self.provider}/{self.name}"

    @property
    def secret_name(self) -> str:
        """The secret that verifies its deliveries, below the stack's name: `sync/signing`, `creatify/token`."""
        return f"{self.provider}/{'token' if self.in_path else 'signing'}"


type Credentials = Mapping[str, str]
"""What a provider's API asks for, by the names in its secret: `api_key`, for Creatify `api_id` too."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call to a provider's API, as data; `outbound` sends it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""


class GetJob(NamedTuple):
    """How a provider is asked about one job: `ask` makes the call from the API's base URL, the credentials and the
    job's id, `read` makes a report of the answer's bytes and that id, or raises PayloadError. `read_failure`: the same
    of an answer with status 400, where that is how a failed job is told of. `redact` takes secrets of ours out of an
    answer that repeats them, before it is read or kept."""

    ask: Callable[[str, Credentials, str], Request]
    read: Callable[[bytes, str], Report]
    read_failure: Callable[[bytes, str], Report] | None = None
    redact: Callable[[bytes], bytes] = bytes


def read_about(job_id: str, read: Callable[[bytes, str], Report], body: bytes) -> Report:
    """What an answer reports, held to the job that was asked about: PayloadError where it is about another one, or has
    another spelling of its id, which would make a job that nobody knows."""
    report = read(body, job_id)
    if report.job_id != job_id:
        raise PayloadError("it is about another job")
    return report


class ReportedJob(NamedTuple):
    """What the API told of one job, and the piece of its answer that did."""

    report: Report
    payload: bytes


def parse_each(rows: Iterator[bytes], parse: Callable[[bytes], Report]) -> list[ReportedJob]:
    """What each row tells; those that are no job are left out."""
    reported = []
    for row in rows:
        with suppress(PayloadError):
            reported.append(ReportedJob(parse(row), row))
    return reported


class ListJobs(NamedTuple):
    """A call that tells of several jobs: of those with the ids that `ask` is given, at most `max_ids` of them, or of
    the newest where it is given none. `read` leaves out what is no job; PayloadError where nothing can be read."""

    ask: Callable[[str, Credentials, Sequence[str]], Request]
    read: Callable[[bytes], list[ReportedJob]]
    max_ids: int = 0
    redact: Callable[[bytes], bytes] = bytes


class StatusPolling(NamedTuple):
    """How a webhook's jobs are asked about. `usual_seconds`: how long such a job usually takes, so that one that waits
    for longer may have been finished without a word. `roll`: where the API tells of several at once."""

    usual_seconds: float
    question: GetJob
    roll: ListJobs | None = None


class Submission(NamedTuple):
    """A call that submits a job, whose end a webhook of ours is told of.

    `path`: below the base URL; `{source_id}` in it stands for the job that it goes on with or makes anew. `job_id`:
    reads which job the answer is about, PayloadError where it names none. `webhook_field`: where the body names the
    webhook: by its URL, which has at most `max_url` characters, or `by_id`, that of a registered one.
    `redact`: as a question's, for what is told of the answer.
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
        """Whether it is about a job that there is."""
        return "{source_id}" in self.path


@dataclass(frozen=True, slots=True)
class RegisteredWebhook:
    """A webhook as it is registered at a provider. `secret` is what its calls prove themselves with."""

    id: str
    url: str
    events: frozenset[str]
    secret: str = field(repr=False)


class WebhookApi(NamedTuple):
    """The calls by which a provider's webhooks are registered. Each makes its request from the API's base URL and the
    credentials; the readers raise PayloadError. An update names what is to change, and makes a new secret always."""

    events: Callable[[str, Credentials], Request]
    read_events: Callable[[bytes], frozenset[str]]
    all: Callable[[str, Credentials], Request]
    read_all: Callable[[bytes], tuple[RegisteredWebhook, ...]]
    register: Callable[[str, Credentials, str, frozenset[str]], Request]
    update: Callable[[str, Credentials, str, str | None, frozenset[str] | None], Request]
    read_one: Callable[[bytes], RegisteredWebhook]
    delete: Callable[[str, Credentials, str], Request]


class ResultManifest(NamedTuple):
    """A medium that lists other jobs: its rows become events of those. Yields a report per row that can be read."""

    webhook: str
    read: Callable[[Iterator[bytes], str], Iterator[Report]]


class Provider(NamedTuple):
    """All that the bundle knows of one provider.

    `roles`: what kinds of medium each role may be. `manifests`: the roles whose media list other jobs. `link_refresh`:
    how to ask for a fresh link, by role. `polling`: how to ask about a job, by webhook. `api_limit`: its API's rate
    limit. `submissions`: the calls that submit a job, by name; `submit_limit`: theirs, where it is another one.
    `api_names`: what stands in its API secret. `signing_prefix`: how the signing secrets begin that the provider makes.
    `links_are_proven`: whether a delivery's proof covers the links in it. `may_go_on`: its words for a completed job
    that another stage may follow.
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
        """Whether Dailies calls an API of the provider: to poll, to refresh a link or to submit."""
        return bool(self.polling or self.link_refresh or self.submissions)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of its secrets, below the stack's name: one or two that verify deliveries, and its API's."""
        api = (f"{self.name}/api",) if self.has_api else ()
        return (*dict.fromkeys(webhook.secret_name for webhook in self.webhooks), *api)
