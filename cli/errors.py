"""Errors as the operator reads them: one line each, with what happened, why, and what to do."""

from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    InvalidRegionError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSOError,
    TokenRetrievalError,
)

from dailies.errors import DailiesError

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


class CliError(Exception):
    """The command cannot do what was asked. The message is one line that ends with the next step."""


class NothingFound(CliError):
    """No such job, message, table or object."""


class KeyRefused(CliError):
    """A provider's API rejects the stack's credentials."""


def of_ours(error: DailiesError) -> CliError:
    """An error of the layer as one line."""
    return CliError(f"{type(error).__name__}: {error}. Try again; `dailies doctor` may show the cause.")


def of_aws(error: BotoCoreError | ClientError) -> CliError:
    """An error from AWS, or a failed connection to it, as one line."""
    match error:
        case ClientError():
            return _of_response(error)
        case NoCredentialsError():
            message = "No AWS credentials found. Name a profile with --profile, or set AWS_PROFILE."
        case NoRegionError():
            message = "No AWS region is set. Name one with --region, or set AWS_REGION."
        case InvalidRegionError():
            name = error.kwargs["region_name"]
            message = f"{name!r} is not a region. Name one such as us-east-1 with --region, or set AWS_REGION."
        case ProfileNotFound():
            message = f"{error}. List your profiles with `aws configure list-profiles`."
        case SSOError() | TokenRetrievalError():  # not signed in, or not any more
            message = f"{_sentence(error)} Sign in with `aws sso login`, with the --profile that you use here."
        case LoginError():
            message = f"{_sentence(error)} Sign in with `aws login`, with the --profile that you use here."
        case CredentialRetrievalError():
            message = f"{_sentence(error)} Run the profile's credential_process by hand to see why it fails."
        case (
            ConfigNotFound()
            | ConfigParseError()
            | InfiniteLoopConfigError()
            | InvalidConfigError()
            | PartialCredentialsError()
        ):
            message = f"{_sentence(error)} Fix the profile in your AWS configuration, or name another with --profile."
        case EndpointConnectionError() if urlsplit(error.kwargs["endpoint_url"]).hostname in THIS_MACHINE:
            message = f"{_sentence(error)} Start the local stack with `make up`."
        case EndpointConnectionError() | ConnectTimeoutError() | ProxyConnectionError():
            message = f"{_sentence(error)} Check the network, the proxy (HTTPS_PROXY) and the region (--region)."
        case _:
            message = f"AWS did not answer: {_sentence(error)} Try again."
    return CliError(message)


def _of_response(error: ClientError) -> CliError:
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in DENIED:
        return CliError(
            f"AWS denied {error.operation_name}: {text}. Use credentials that allow it; `dailies doctor` checks yours."
        )
    if code in EXPIRED:
        return CliError(f"AWS rejected your credentials ({code}). Sign in again, or name a profile with --profile.")
    return CliError(f"AWS answered {error.operation_name} with {code}: {text}. `dailies doctor` may show the cause.")


def _sentence(error: Exception) -> str:
    return f"{str(error).rstrip('.')}."
