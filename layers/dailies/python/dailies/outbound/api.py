"""One request to a provider's API."""

from typing import NamedTuple
from urllib.parse import urlsplit

from dailies.errors import ApiUnavailable, CredentialsRejected, HostFailed
from dailies.outbound import responses
from dailies.outbound.connection import Connection, Network
from dailies.providers.contract import Request

API_SECONDS = 15.0  # for the whole answer, however slowly it arrives
MAX_API_BYTES = 4 * 1024 * 1024  # of an answer: a hundred jobs, each with its prompts


class ApiResponse(NamedTuple):
    """An answer of a provider's API. `retry_after`: seconds to wait before the next request, 0 if it does not say."""

    status: int
    body: bytes
    retry_after: float = 0.0


def call(request: Request, network: Network, *, seconds: float = API_SECONDS) -> ApiResponse:
    """Send a request and return the answer, whatever its status. Redirects are not followed, so the API key goes only
    to the address that the owner set.

    `seconds`: time limit for the whole answer. ApiUnavailable if the answer is not complete by then, or is larger than
    MAX_API_BYTES. CredentialsRejected if a header cannot be sent; then no request was sent.
    """
    if not all(value.isascii() and value.isprintable() for value in request.headers.values()):
        raise CredentialsRejected("the API key cannot be sent: it has more than printable ASCII characters")
    parts = urlsplit(request.url)
    tls = parts.scheme == "https"
    name = parts.hostname or ""
    connection = Connection([name], parts.port or (443 if tls else 80), name if tls else "", network.ca_file)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, **connection.headers, **request.headers}
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
