"""Everything that can go wrong, and what each means for the caller.

DailiesError
 ├── VerificationError     a delivery is not proven to be the provider's: 401
 │    └── StaleSignature   its signature holds, but its time is outside of the window: a replay
 ├── DeliveryTooLarge      its body is over the limit: 413
 ├── PayloadError          it is authentic, but we cannot read it: quarantine
 ├── NotStored             AWS did not take a write or give a secret: 503, the provider comes again
 ├── NotSubmitted          a job was not submitted; the message says what to do
 ├── VersionConflict       somebody else wrote the job row meanwhile: read, merge and write again
 ├── ApiRefused            a provider's API refuses a call, or there are no credentials for it: a person must act
 ├── ApiFailed             a provider's API did not answer, or not as documented: another try may help
 ├── RotationFailed        a secret's rotation cannot go on; Secrets Manager shows it as failed
 └── TransferError         a medium did not become an object; `reason` says why, for the job row
      ├── HostFailed       a media host or a provider's API did not deliver whole: another try may
      │    ├── LimitReached         the API's rate limit leaves no room just now
      │    │    └── NoRoom          by our own count of it: nothing was asked
      │    ├── CredentialsRefused   the API does not take the owner's credentials
      │    └── FailureAnswered      the API answered that it failed: 5xx and the like
      ├── StorageFailed    S3 did not take it: another try may
      ├── ObjectExists     there is an object under its key already
      ├── LinkDead         the host says that the link is over (400, 403, 404 ...)
      └── MediumRefused    what the link leads to is not fetched or not kept: no retry helps
           └── Contradicted the provider's own API says otherwise than the delivery
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
    """AWS did not answer for a write or a secret. Nothing is half done; the same call may succeed later."""


class NotSubmitted(DailiesError):
    """A job was not submitted, or it cannot be told whether it was. One line that says what is wrong and what to do."""


class VersionConflict(DailiesError):
    """The job row changed between our read and our write."""


class ApiRefused(DailiesError):
    """A provider's API refuses a call, or there are no credentials for it. One line, without any of them."""


class ApiFailed(DailiesError):
    """A provider's API did not answer, or not as documented. Whether the call took effect is not known."""


class RotationFailed(DailiesError):
    """A secret's rotation cannot go on. One line, without any value."""


class TransferError(DailiesError):
    """A medium did not become an object. `reason` is one line for the job row, without the link."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HostFailed(TransferError):
    """A media host, or a provider's API, failed, stalled, cut its answer short or did not answer as documented: worth
    another try, `retry_after` seconds from now at the earliest where it asks for that."""

    def __init__(self, reason: str, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class LimitReached(HostFailed):
    """The provider's rate limit leaves no room just now."""


class NoRoom(LimitReached):
    """Our own count of the rate limit leaves no room just now: nothing was asked."""


class CredentialsRefused(HostFailed):
    """The provider's API does not take the owner's credentials, or they are such that they cannot be sent."""


class FailureAnswered(HostFailed):
    """The provider's API answered, but that it failed: 5xx and the like."""


class StorageFailed(TransferError):
    """S3 did not take the medium: worth another try."""


class ObjectExists(TransferError):
    """There is an object under the key: an earlier try stored it."""


class LinkDead(TransferError):
    """The media host refuses the link (400, 401, 403, 404, 410): tried again in case it is late, then lost."""


class MediumRefused(TransferError):
    """The link or what it leads to is against the rules: an address we do not fetch, an error page, too large."""


class Contradicted(MediumRefused):
    """The provider's own API contradicts the delivery that the link came with: nothing is fetched."""


def aws_problem(error: Exception) -> str:
    """What went wrong with a call of AWS, in a word: the code that it answered, else the exception's name."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
