"""Everything that can go wrong, and what each means for the caller.

DailiesError
 ├── VerificationError       the signature does not match: 401
 │    └── StaleSignature     the signature matches, but its time is outside the window (a replay)
 ├── DeliveryTooLarge        the body is over the limit: 413
 ├── PayloadError            verified, but not readable: the delivery goes to quarantine
 ├── NotStored               AWS did not accept a write: 503, the provider sends the delivery again
 ├── AwsUnavailable          AWS did not answer a read, such as a secret: try again
 ├── NotSubmitted            a job was not submitted; the message says what to do
 ├── VersionConflict         the job row changed between read and write: read, merge and write again
 ├── RotationFailed          a secret's rotation cannot continue; Secrets Manager shows it as failed
 ├── ApiError                a provider's API did not do what we asked
 │    ├── ApiUnavailable     no answer, a 5xx, or an answer that is not as documented: a retry may help
 │    ├── ApiRefused         a 4xx: a person must act
 │    │    ├── NoCredentials         no credentials are set
 │    │    └── CredentialsRejected   401, 403, or credentials that cannot be sent
 │    └── RateLimited        the provider answered 429: wait
 │         └── RateLimitReached      our own count leaves no room: no request was sent
 └── TransferError           a medium was not copied; `reason` says why, for the job row
      ├── HostFailed         a media host did not deliver the whole medium: a retry may help
      ├── StorageFailed      S3 did not accept the medium: a retry may help
      ├── ObjectExists       the key already has an object
      ├── LinkDead           the host refuses the link (400, 403, 404 ...)
      └── MediumRefused      our rules forbid the link or its content: a retry helps only if it is `not_ready`
           └── Contradicted  the provider's API contradicts the delivery
"""

from botocore.exceptions import ClientError


class DailiesError(Exception):
    """The base class of all errors that Dailies defines."""


class VerificationError(DailiesError):
    """The sender of a delivery is not verified. The message contains no secret."""


class StaleSignature(VerificationError):
    """The signature matches, but its time is too far in the past or in the future."""


class DeliveryTooLarge(DailiesError):
    """A delivery's body is larger than the limit."""


class PayloadError(DailiesError):
    """Verified bytes are not a payload of this webhook."""


class NotStored(DailiesError):
    """AWS did not accept a write. A retry of the same call may succeed."""


class AwsUnavailable(DailiesError):
    """AWS did not answer a read: of a secret, or of a rate limit's row. A retry of the same call may succeed.

    `reason` is one line without secrets.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSubmitted(DailiesError):
    """A job was not submitted, or it is unknown whether it was. The message is one line: what is wrong, what to do."""


class VersionConflict(DailiesError):
    """The job row changed between our read and our write."""


class RotationFailed(DailiesError):
    """A secret's rotation cannot continue. The message is one line without any secret."""


class ApiError(DailiesError):
    """A provider's API did not do what we asked.

    `reason` is one line without credentials. `retry_after`: seconds to wait before the next attempt, 0 if the provider
    did not say. `status`: the HTTP status of the answer, 0 if no answer arrived. `request`: the provider's name and the
    path, which the client adds; the message is then `captions /webhooks/list: ` and the reason.
    """

    def __init__(self, reason: str, retry_after: float = 0, *, status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.status = status
        self.request = ""

    def __str__(self) -> str:
        return f"{self.request}: {self.reason}" if self.request else self.reason


class ApiUnavailable(ApiError):
    """The API did not answer, answered 5xx, or did not answer as documented. The request may have taken effect."""


class ApiRefused(ApiError):
    """The API refused the request with a 4xx. A person must act."""


class NoCredentials(ApiRefused):
    """No credentials are set for this API. No request was sent."""


class CredentialsRejected(ApiRefused):
    """The API answered 401 or 403, or the credentials contain characters that cannot be sent."""


class RateLimited(ApiError):
    """The API answered 429: too many requests."""


class RateLimitReached(RateLimited):
    """Our own count of the rate limit leaves no room. No request was sent."""


class TransferError(DailiesError):
    """A medium was not copied. `reason` is one line for the job row, without the link."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HostFailed(TransferError):
    """A media host failed, stalled, or ended its answer early. A retry may help.

    `retry_after`: seconds to wait before it, 0 if the host did not say.
    """

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class StorageFailed(TransferError):
    """S3 did not accept the medium. A retry may help."""


class ObjectExists(TransferError):
    """The key already has an object: an earlier attempt stored it."""


class LinkDead(TransferError):
    """The media host refuses the link (400, 401, 403, 404, 410). It is retried, as the file may come later; then the
    medium is lost."""


class MediumRefused(TransferError):
    """Our rules forbid the link or its content: a forbidden address, an error page, a file that is too large.
    `not_ready`: the host sent no medium, but may do so later."""

    def __init__(self, reason: str, *, not_ready: bool = False) -> None:
        super().__init__(reason)
        self.not_ready = not_ready


class Contradicted(MediumRefused):
    """The provider's API contradicts the delivery with the link. Nothing is fetched."""


def aws_problem(error: Exception) -> str:
    """An AWS call's error in one word: AWS's error code, or else the exception's name."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
