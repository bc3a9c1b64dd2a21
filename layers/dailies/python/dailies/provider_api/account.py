"""The owner's account at a provider, as the functions that change something there call it: rarely, and with patience.

Where the rate limit leaves no room, or the provider says so, that is waited for. A call that is not answered is told of
and not made again here: whether it took effect is not known, and only who made it can look.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dailies.aws.secrets import ApiSecret
from dailies.aws.table import Table
from dailies.errors import ApiRefused, ApiUnavailable, CredentialsRejected, NoCredentials, PayloadError, RateLimited
from dailies.outbound import api, responses
from dailies.outbound.connection import Network
from dailies.provider_api.rate_limiter import reserve_calls
from dailies.providers.contract import Credentials, Provider, Request

TOO_OFTEN = 429
PAUSE_SECONDS = 15.0


def taking(limits: Table, provider: Provider) -> Callable[[], bool]:
    """Takes a call from the provider's rate limit, which the table keeps for all functions; False where it leaves no
    room."""
    return lambda: reserve_calls(limits, provider.name, provider.api_limit, 1, time.time()) > 0


@dataclass(slots=True)
class Account:
    """An API's base URL and the owner's credentials for it. `patience`: the seconds from now on, those that calls take
    included, after which nothing is waited for. `take`: as `taking` makes it. `answered`: whether the API has carried
    out any call yet."""

    provider: str
    base_url: str
    secret: ApiSecret
    patience: float
    take: Callable[[], bool] = lambda: True
    network: Network = field(default_factory=Network)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    answered: bool = False
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.now() + self.patience

    def credentials(self) -> Credentials | None:
        """None where the owner has set none."""
        return self.secret.credentials(time.monotonic(), "api_key")

    def call[T](self, make: Callable[..., Request], read: Callable[[bytes], T], *about: object) -> T:
        """What the provider answers to the call that `make` makes of the base URL, the credentials and what it is
        about. ApiRefused where it refuses the call or there are no credentials, ApiUnavailable where it does not
        answer, or not as documented, RateLimited where the patience ends before the rate limit leaves room."""
        credentials = self.credentials()
        if credentials is None:
            raise NoCredentials(f"no API key of {self.provider} is set; its secret is to hold " + '{"api_key": "..."}')
        request = make(self.base_url, credentials, *about)
        name = f"{self.provider} {request.url.removeprefix(self.base_url.rstrip('/'))}"
        while True:
            if self.take():
                status, body = self._answer(request, name)
                self.answered = self.answered or status in responses.ACCEPTED
                if status != TOO_OFTEN:
                    return _read(status, body, read, name)
            if not self.waits():
                raise RateLimited(f"{name}: called too often")

    def waits(self, *, leave: float = 0.0) -> bool:
        """Wait for a while; False where the patience is at its end, or no more of it than `leave` seconds."""
        pause = PAUSE_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311  no secret: that two do not come at once again
        if self.now() + pause > self._until - leave:
            return False
        self.sleep(pause)
        return True

    def _answer(self, request: Request, name: str) -> tuple[int, bytes]:
        try:
            status, body, *_ = api.call(request, self.network)
            return status, body
        except CredentialsRejected as error:
            raise CredentialsRejected(f"{name}: {error.reason}") from error
        except ApiUnavailable as error:
            raise ApiUnavailable(f"{name}: no answer ({error.reason})") from error


def _read[T](status: int, body: bytes, read: Callable[[bytes], T], name: str) -> T:
    if status in (401, 403):
        raise CredentialsRejected(
            f"{name}: answered {status}; the API key does not hold, or its contract lacks this call"
        )
    if status >= 500 or status in responses.RETRYABLE:
        raise ApiUnavailable(f"{name}: answered {status}")
    if status not in responses.ACCEPTED:
        raise ApiRefused(f"{name}: answered {status}")
    try:
        return read(body)
    except PayloadError as error:
        raise ApiUnavailable(f"{name}: answered something else than documented ({error})") from error
