"""The client of a provider's API: credentials, rate limit, errors, retries.

All functions of a stack share the count of the rate limit, which is in the table.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.backoff import backoff
from dailies.errors import (
    ApiError,
    ApiRefused,
    ApiUnavailable,
    AwsUnavailable,
    CredentialsRejected,
    NoCredentials,
    PayloadError,
    RateLimited,
    RateLimitReached,
    aws_problem,
)
from dailies.outbound import api, responses
from dailies.outbound.api import ApiResponse
from dailies.outbound.connection import Network
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.provider_api.retry import Retry, ShortRetries
from dailies.providers.contract import Credentials, Limit, Provider, Request

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_ATTEMPTS = 3
FIRST_PAUSE = 0.5  # seconds
REJECTED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

type RequestBuilder = Callable[[str, Credentials], Request]
"""Makes a request from the API's base URL and the credentials."""


def every_api(
    providers: Mapping[str, Provider],
    environment: Mapping[str, str],
    secrets_manager: "SecretsManagerClient",
    table: Table,
    telemetry: Telemetry | None = None,
    *,
    first_pause: float = FIRST_PAUSE,
) -> dict[str, "ProviderApi"]:
    """A client for each provider that has an API, by the provider's name. `environment` has `<NAME>_API_URL` and
    `<NAME>_API_SECRET_ID`; for the other arguments see ProviderApi."""
    network = Network()
    return {
        name: ProviderApi(
            provider=provider,
            base_url=environment[f"{name.upper()}_API_URL"],
            secret=ApiSecret(lambda: secrets_manager, environment[f"{name.upper()}_API_SECRET_ID"]),
            table=table,
            network=network,
            telemetry=telemetry,
            first_pause=first_pause,
        )
        for name, provider in providers.items()
        if provider.has_api
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderApi:
    """A provider's API, with the owner's credentials.

    - `provider`: whose API it is.
    - `base_url`: requests are built from it.
    - `secret`: holds the credentials.
    - `network`: how connections are made.
    - `table`: has the count of the rate limit. None: the caller stays within the limit.
    - `telemetry`: counts `ApiRequests`. None: nothing is counted.
    - `first_pause`: seconds after the first attempt that failed, if the default retries apply.
    """

    provider: Provider
    base_url: str
    secret: ApiSecret
    network: Network
    table: Table | None = None
    telemetry: Telemetry | None = None
    first_pause: float = FIRST_PAUSE

    def credentials(self) -> Credentials | None:
        """The owner's credentials; None if none are set. AwsUnavailable if Secrets Manager does not answer."""
        try:
            return self.secret.credentials(time.time(), *self.provider.api_names)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"the API's secret could not be read: {aws_problem(error)}") from error

    def send(self, build: RequestBuilder, *, retry: Retry | None = None, submits: bool = False) -> ApiResponse:
        """Send a request and return the answer, which may have any status that is not listed below.

        `retry`: None means a few short retries. `submits`: the request submits a job, and providers may have
        another rate limit for these.

        NoCredentials if none are set. ApiUnavailable for no answer, 5xx, 408, 416 and 425; CredentialsRejected for 401
        and 403; RateLimited for 429; RateLimitReached if our own count is at the limit. AwsUnavailable if AWS does not
        give the secret or the count.
        """
        request = self._request(build)
        with self._about(request):
            return self._send(request, retry or self._short_retries, submits=submits)

    def call[T](self, build: RequestBuilder, read: Callable[[bytes], T], *, retry: Retry | None = None) -> T:
        """Send a request and return what `read` makes of the answer's body.

        The errors are those of `send`. ApiRefused if the status is another than 200, 201 or 202, ApiUnavailable if
        `read` raises PayloadError.
        """
        request = self._request(build)
        with self._about(request):
            answer = self._send(request, retry or self._short_retries)
            if answer.status not in responses.ACCEPTED:
                raise ApiRefused(f"the provider's API answered {answer.status}", status=answer.status)
            return parse(answer, read)

    @property
    def _short_retries(self) -> ShortRetries:
        return ShortRetries(attempts_within(self.provider.api_limit), self.first_pause)

    def _request(self, build: RequestBuilder) -> Request:
        credentials = self.credentials()
        if credentials is None:
            names = ", ".join(self.provider.api_names)
            raise NoCredentials(f"no credentials are set for {self.provider.name}: its API secret must have {names}")
        return build(self.base_url, credentials)

    @contextmanager
    def _about(self, request: Request) -> Iterator[None]:
        """Name the request in the errors raised inside."""
        try:
            yield
        except ApiError as error:
            error.request = f"{self.provider.name} {request.url.removeprefix(self.base_url.rstrip('/'))}"
            raise

    def _send(self, request: Request, retry: Retry, *, submits: bool = False) -> ApiResponse:
        failure: ApiError | None = None
        attempt = 1
        while True:
            try:
                return self._attempt(request, submits=submits)
            except (ApiUnavailable, RateLimited) as error:
                if failure is None or not isinstance(error, RateLimitReached):
                    failure = error  # the answer to an attempt says more than a full count before the next one
                if not retry.wait(attempt, error):
                    raise failure from failure.__cause__
            attempt += 1

    def _attempt(self, request: Request, *, submits: bool) -> ApiResponse:
        self._reserve(submits=submits)
        try:
            answer = api.call(request, self.network)
        except ApiUnavailable:
            self._count("none")
            raise
        self._count(str(answer.status))
        _raise_for(answer)
        return answer

    def _count(self, status: str) -> None:
        if self.telemetry:
            self.telemetry.count("ApiRequests", {"provider": self.provider.name, "status": status})

    def _reserve(self, *, submits: bool) -> None:
        """Reserve one call in the rate limit."""
        if self.table is None:
            return
        name, limit = self.provider.name, self.provider.api_limit
        if submits and self.provider.submit_limit:
            name, limit = f"{name}/submit", self.provider.submit_limit
        try:
            granted = reserve_calls(self.table, name, limit, 1, time.time())
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"the API's rate limit could not be read: {aws_problem(error)}") from error
        if not granted:
            # One period of the limit later, calls are free again for all functions that wait.
            seconds = backoff(limit.seconds, jitter=(1, 2))
            raise RateLimitReached("the provider's rate limit is used up for now", seconds)


def attempts_within(limit: Limit) -> int:
    """How many attempts a request gets: fewer if each is a large share of the rate limit."""
    return min(MAX_ATTEMPTS, limit.calls // 2)


def parse[T](answer: ApiResponse, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the answer's body. ApiUnavailable if it raises PayloadError."""
    try:
        return read(answer.body)
    except PayloadError as error:
        reason = f"the provider's API gave an undocumented answer ({error})"
        raise ApiUnavailable(reason, status=answer.status) from error


def _raise_for(answer: ApiResponse) -> None:
    """Raise for statuses with the same meaning in every API."""
    reason, status = f"the provider's API answered {answer.status}", answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited(reason, answer.retry_after, status=status)
    if status in REJECTED:
        raise CredentialsRejected(reason, status=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in responses.RETRYABLE:
        raise ApiUnavailable(reason, answer.retry_after, status=status)
