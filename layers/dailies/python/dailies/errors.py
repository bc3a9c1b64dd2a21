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
    """The root: everything that Dailies raises by itself."""


class VerificationError(DailiesError):
    """A delivery is not proven to come from its provider. The message never holds a secret."""


class StaleSignature(VerificationError):
    """The signature holds, but it was made too long ago or too far ahead."""


class DeliveryTooLarge(DailiesError):
    """A delivery's body is larger than the limit."""


class PayloadError(DailiesError):
    """Verified bytes are not a payload of this webhook."""


class NotStored(DailiesError):
    """AWS did not accept a write. Nothing is half done; the same call may succeed later."""


class AwsUnavailable(DailiesError):
    """AWS did not answer a read that we depend on: a secret, or a rate limit's row. The same call may succeed later.

    `reason` is one line without any secret.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSubmitted(DailiesError):
    """A job was not submitted, or it cannot be told whether it was. One line that says what is wrong and what to do."""


class VersionConflict(DailiesError):
    """The job row changed between our read and our write."""


class RotationFailed(DailiesError):
    """A secret's rotation cannot go on. One line, without any value."""


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
    """A medium did not become an object. `reason` is one line for the job row, without the link."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HostFailed(TransferError):
    """A media host failed, stalled, or ended its answer early. Try again, `retry_after` seconds from now at the
    earliest; 0 if the host did not ask for a pause."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class StorageFailed(TransferError):
    """S3 did not take the medium: worth another try."""


class ObjectExists(TransferError):
    """There is an object under the key: an earlier try stored it."""


class LinkDead(TransferError):
    """The media host refuses the link (400, 401, 403, 404, 410): tried again in case it is late, then lost."""


class MediumRefused(TransferError):
    """The link or what it leads to is against the rules: an address we do not fetch, an error page, too large.
    `not_ready`: the host sent no medium, but may do so later."""

    def __init__(self, reason: str, *, not_ready: bool = False) -> None:
        super().__init__(reason)
        self.not_ready = not_ready


class Contradicted(MediumRefused):
    """The provider's own API contradicts the delivery that the link came with: nothing is fetched."""


def aws_problem(error: Exception) -> str:
    """What went wrong with a call of AWS, in a word: the code that it answered, else the exception's name."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
