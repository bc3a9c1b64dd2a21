"""Asking a provider's API: with the owner's credentials, within its rate limit, again where that may help.

The limit is kept in the table, so that all functions together stay within it.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.aws.telemetry import Telemetry
from dailies.errors import (
    ApiUnavailable,
    AwsUnavailable,
    CredentialsRejected,
    RateLimited,
    RateLimitReached,
    aws_problem,
)
from dailies.outbound import api, responses
from dailies.outbound.api import ApiResponse
from dailies.outbound.connection import Network
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.contract import Credentials, Limit, Provider, Request

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_ATTEMPTS = 3
PAUSE_SECONDS = 0.5  # after the first; doubles, and varies so that functions that failed together do not come together
MAX_BACKOFF = 5.0  # asked to wait for longer, we leave it to a later run
NO_ANSWER = 0
UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def every_api(
    providers: Mapping[str, Provider],
    environment: Mapping[str, str],
    secrets_manager: "SecretsManagerClient",
    table: Table,
    telemetry: Telemetry,
    *,
    first_pause: float = PAUSE_SECONDS,
) -> dict[str, "Api"]:
    """The API of each provider, as the settings of its name have it. `first_pause` is in seconds."""
    network = Network()
    return {
        name: Api(
            provider=provider,
            base_url=environment[f"{name.upper()}_API_URL"],
            secret=ApiSecret(lambda: secrets_manager, environment[f"{name.upper()}_API_SECRET_ID"]),
            table=table,
            network=network,
            telemetry=telemetry,
            first_pause=first_pause,
        )
        for name, provider in providers.items()
    }


@dataclass(frozen=True, slots=True)
class Api:
    """A provider's API as the owner may use it."""

    provider: Provider
    base_url: str
    secret: ApiSecret
    table: Table
    network: Network
    telemetry: Telemetry
    first_pause: float = PAUSE_SECONDS

    def credentials(self) -> Credentials | None:
        """The owner's; None where there are none. AwsUnavailable where AWS does not give them."""
        try:
            return self.secret.credentials(time.time(), *self.provider.api_names)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"the API's secret could not be read: {aws_problem(error)}") from error

    def call(
        self, ask: Callable[[str, Credentials], Request], credentials: Credentials, *, tries: int | None = None
    ) -> ApiResponse:
        """Ask, and again where that may mend it, `tries` times at most; None: as often as its rate limit suggests.

        ApiUnavailable where it did not answer, or that it failed, RateLimitReached where our count of the limit lets
        nothing be asked, RateLimited where the provider says so, CredentialsRejected, AwsUnavailable.
        """
        request = ask(self.base_url, credentials)
        answer = self._answer(request)
        for number in range(1, tries or attempts_within(self.provider.api_limit)):
            pause = self.first_pause * 2 ** (number - 1) * random.uniform(0.5, 1.5)  # noqa: S311  no secret
            pause = max(pause, answer.retry_after)
            if not _may_mend(answer) or pause > MAX_BACKOFF:
                break
            time.sleep(pause)
            try:
                answer = self._answer(request)
            except RateLimitReached:
                break  # the answer before says more
        return _accepted(answer)

    def submit(self, ask: Callable[[str, Credentials], Request], credentials: Credentials) -> ApiResponse:
        """Send what submits a job, once. The same errors."""
        return _accepted(self._answer(ask(self.base_url, credentials), submits=True))

    def _answer(self, request: Request, *, submits: bool = False) -> ApiResponse:
        """One try, for which the rate limit leaves room; NO_ANSWER where there was none."""
        self._take(submits=submits)
        try:
            answer = api.call(request, self.network)
        except CredentialsRejected:
            raise  # nothing was sent
        except ApiUnavailable as error:
            self.telemetry.count("ApiRequests", {"provider": self.provider.name, "status": "none"})
            return ApiResponse(NO_ANSWER, error.reason.encode())
        self.telemetry.count("ApiRequests", {"provider": self.provider.name, "status": str(answer.status)})
        return answer

    def _take(self, *, submits: bool) -> None:
        name, limit = self.provider.name, self.provider.api_limit
        if submits and self.provider.submit_limit:
            name, limit = f"{name}/submit", self.provider.submit_limit
        try:
            granted = reserve_calls(self.table, name, limit, 1, time.time())
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"the API's rate limit could not be kept: {aws_problem(error)}") from error
        if not granted:
            # a whole span of it later there is room, however many of us wait: a try before would only be one less
            seconds = limit.seconds * random.uniform(1, 2)  # noqa: S311  no secret
            raise RateLimitReached("the provider's rate limit leaves no room just now", seconds)


def attempts_within(limit: Limit) -> int:
    """How often a question is asked: less often where it takes much of the rate limit."""
    return min(MAX_ATTEMPTS, limit.calls // 2)


def _may_mend(answer: ApiResponse) -> bool:
    return (
        answer.status == NO_ANSWER
        or answer.status in responses.RETRYABLE
        or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _accepted(answer: ApiResponse) -> ApiResponse:
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimited("the provider's API answered 429", answer.retry_after, status=answer.status)
    if answer.status in UNAUTHORIZED:
        raise CredentialsRejected(f"the provider's API answered {answer.status}", status=answer.status)
    if answer.status == NO_ANSWER:
        raise ApiUnavailable(answer.body.decode())
    if _may_mend(answer):
        raise ApiUnavailable(f"the provider's API answered {answer.status}", status=answer.status)
    return answer
