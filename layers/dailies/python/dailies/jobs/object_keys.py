"""The keys of the bucket's objects. They are a public contract, like the rows of the table."""

from hashlib import sha256
from urllib.parse import quote

MAX_NAME = 700  # bytes of a job id in a key; S3 allows 1,024 for the whole key


def name_in_key(job_id: str) -> str:
    """A job id as one segment of a key: percent-encoded, dots too if it has only dots.

    An id of more than MAX_NAME bytes, such as 256 characters outside ASCII, is cut and gets its SHA-256 as a suffix.
    """
    encoded = quote(job_id, safe="")
    if not job_id.strip("."):
        encoded = job_id.replace(".", "%2E")
    if len(encoded) > MAX_NAME:
        encoded = f"{encoded[:MAX_NAME]}~{sha256(job_id.encode()).hexdigest()}"
    return encoded


def delivery_key(provider: str, event_id: str, *, quarantined: bool) -> str:
    """The key of a body that is too large for its row. Bodies in quarantine do not expire."""
    return f"deliveries/{'quarantine' if quarantined else 'events'}/{provider}/{event_id}.gz"


def media_key(provider: str, job_id: str, role: str, media_id: str, extension: str) -> str:
    """The key of an archived medium."""
    return f"media/{provider}/{name_in_key(job_id)}/{role}-{media_id}.{extension}"


def job_key(provider: str, job_id: str) -> str:
    """The key of a job's summary, beside its media."""
    return f"media/{provider}/{name_in_key(job_id)}/job.json"
