"""The keys of the bucket's objects: as much a contract as the rows of the table."""

from hashlib import sha256
from urllib.parse import quote

MAX_NAME = 700  # bytes of a job id in a key: S3 ends keys at 1,024


def name_in_key(job_id: str) -> str:
    """A job id as one segment of a key: percent-encoded, dots too where it is nothing else, cut and told apart by its
    digest where S3 could not hold it (256 characters outside of ASCII)."""
    encoded = quote(job_id, safe="")
    if not job_id.strip("."):
        encoded = job_id.replace(".", "%2E")
    if len(encoded) > MAX_NAME:
        encoded = f"{encoded[:MAX_NAME]}~{sha256(job_id.encode()).hexdigest()}"
    return encoded


def delivery_key(provider: str, event_id: str, *, quarantined: bool) -> str:
    """Where a body lies that is too large for its row. Quarantined ones do not expire."""
    return f"deliveries/{'quarantine' if quarantined else 'events'}/{provider}/{event_id}.gz"


def media_key(provider: str, job_id: str, role: str, media_id: str, extension: str) -> str:
    """Where a medium lies."""
    return f"media/{provider}/{name_in_key(job_id)}/{role}-{media_id}.{extension}"


def job_key(provider: str, job_id: str) -> str:
    """Where a job's own page lies, beside its media."""
    return f"media/{provider}/{name_in_key(job_id)}/job.json"
