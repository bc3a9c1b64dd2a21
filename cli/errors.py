"""What the operator is told when something cannot be done: one line, what is wrong and what to do about it."""

from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ProxyConnectionError,
)

from dailies.errors import DailiesError

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


class Refusal(Exception):
    """Something that cannot be done. The message is one line; it ends with the next step."""


class NothingFound(Refusal):
    """What was asked for is not there."""


class KeyRefused(Refusal):
    """A provider's API does not take the owner's credentials."""


def of_ours(error: DailiesError) -> Refusal:
    """What the bundle's own code could not do, in a line."""
    return Refusal(f"{type(error).__name__}: {error}; try again, and `dailies doctor` may tell why")


def of_aws(error: BotoCoreError | ClientError) -> Refusal:
    """An answer of AWS's, or none, in our words."""
    match error:
        case ClientError():
            return _answered(error)
        case NoCredentialsError():
            said = "no AWS credentials; name a profile with --profile, or set AWS_PROFILE"
        case NoRegionError():
            said = "no region; name it with --region, or set AWS_REGION"
        case InvalidRegionError():
            name = error.kwargs["region_name"]
            said = f"no region is called {name!r}; name one as us-east-1 is, with --region or AWS_REGION"
        case ProfileNotFound():
            said = f"{error}; `aws configure list-profiles` lists those there are"
        case EndpointConnectionError() if urlsplit(error.kwargs["endpoint_url"]).hostname in THIS_MACHINE:
            said = f"{error}; is the stack up? (`make up` starts the local one)"
        case EndpointConnectionError() | ConnectTimeoutError() | ProxyConnectionError():
            said = f"{error}; look at the network, the proxy (HTTPS_PROXY) and the region (--region)"
        case _:
            said = f"AWS did not answer: {error}; try again"
    return Refusal(said)


def _answered(error: ClientError) -> Refusal:
    code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in DENIED:
        return Refusal(f"AWS denies {error.operation_name}: {said}; use credentials that may (`dailies doctor` tells)")
    if code in EXPIRED:
        return Refusal(f"AWS does not take these credentials ({code}); sign in again, or name a profile with --profile")
    return Refusal(f"AWS answered {error.operation_name} with {code}: {said}; `dailies doctor` may tell why")
