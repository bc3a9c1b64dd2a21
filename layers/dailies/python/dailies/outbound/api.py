"""One call to a provider's API."""

from typing import NamedTuple
from urllib.parse import urlsplit

from dailies.errors import ApiUnavailable, CredentialsRejected, HostFailed
from dailies.outbound import responses
from dailies.outbound.connection import HEADERS, Connection, Network
from dailies.providers.contract import Request

API_SECONDS = 15.0  # for the whole of a provider's answer, however it drips
MAX_API_BYTES = 4 * 1024 * 1024  # of one: a hundred jobs, each with its prompts


class ApiResponse(NamedTuple):
    """What a provider's API answered. `retry_after`: seconds that it asks us to wait, 0 where it does not say."""

    status: int
    body: bytes
    retry_after: float = 0.0


def call(request: Request, network: Network, *, seconds: float = API_SECONDS) -> ApiResponse:
    """Call a provider's API at the address that the owner set: no redirect is followed, so the key goes nowhere else.
    ApiUnavailable where there is no whole answer in so many seconds, CredentialsRejected where nothing was sent."""
    if not all(value.isascii() and value.isprintable() for value in request.headers.values()):
        raise CredentialsRejected("the API key cannot be sent: it has more than printable ASCII characters")
    parts = urlsplit(request.url)
    tls = parts.scheme == "https"
    name = parts.hostname or ""
    connection = Connection(name, parts.port or (443 if tls else 80), name if tls else "", network.ca_file)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, **HEADERS, **request.headers}
    try:
        with connection.within(seconds, "answer"):
            connection.request(request.method, target, body=request.body or None, headers=headers)
            with connection.getresponse() as response:
                body = response.read(MAX_API_BYTES + 1)
    except HostFailed as error:
        raise ApiUnavailable(f"the provider's API: {error.reason}") from error
    finally:
        connection.close()
    if len(body) > MAX_API_BYTES:
        raise ApiUnavailable("the provider's API answered too much")
    return ApiResponse(response.status, body, responses.retry_after(response.headers.get("retry-after", "")))
