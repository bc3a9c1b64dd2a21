"""A job's archived media: a signed link, or the file itself with its checksum verified."""

import base64
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from awscrt.checksums import crc64nvme
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CliError, NothingFound
from cli.stack import Stack
from dailies.jobs.models import Job, MediaItem, Receipt

LINK_SECONDS = 3600
CHUNK_BYTES = 1024 * 1024
CRC64NVME = "crc64nvme:"


def archived(job: Job, role: str | None = None) -> list[MediaItem]:
    """The job's media in the bucket, of one role or of all. Raises NothingFound, with the reason, if there is none."""
    of_role = [medium for medium in job.media if role in {None, medium.role}]
    found = [medium for medium in of_role if medium.state == "archived"]
    if found:
        return found
    if not of_role:
        roles = ", ".join(sorted({medium.role for medium in job.media})) or "none"
        raise NothingFound(
            f"{job.provider}/{job.job_id} has no media with this role. It has: {roles}. `dailies job` shows more."
        )
    states = "; ".join(f"{m.role} {m.state}{f', {m.receipt.reason}' if m.receipt else ''}" for m in of_role)
    raise NothingFound(f"No media of {job.provider}/{job.job_id} is in the bucket: {states}. Check `dailies queues`.")


def link(stack: Stack, medium: MediaItem, *, seconds: int = LINK_SECONDS, inline: bool = True) -> str:
    """A link to an archived medium that works for `seconds` without credentials. With `inline` a browser plays it;
    otherwise it saves the file."""
    receipt = _receipt(medium)
    name = receipt.key.rpartition("/")[2]
    version = {"VersionId": receipt.version_id} if receipt.version_id else {}
    return stack.s3.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": stack.bucket_name,
            "Key": receipt.key,
            "ResponseContentDisposition": "inline" if inline else f'attachment; filename="{name}"',
            **version,
        },
        ExpiresIn=seconds,
    )


def works_until(stack: Stack, seconds: int, *, now: datetime) -> datetime | None:
    """When a link made at `now` for `seconds` dies: then, or with the credentials that signed it if these end sooner.
    None if they are temporary and do not say when they end."""
    until = now + timedelta(seconds=seconds)
    credentials = stack.session.get_credentials()
    if credentials is None or not credentials.get_frozen_credentials().token:
        return until
    expires_at: datetime | None = getattr(credentials, "_expiry_time", None)  # botocore has no public name for it
    return min(until, expires_at) if expires_at else None


def download(stack: Stack, medium: MediaItem, to: Path, *, progress: Callable[[int], None] = lambda _: None) -> Path:
    """Download an archived medium and check its size and checksum against the receipt. Returns the file's path.

    `to` is a folder or a new file. The file gets its name only when it is complete and correct. `progress` is called
    with the bytes of each chunk. Raises CliError if the file differs or cannot be written, NothingFound if it is gone.
    """
    receipt = _receipt(medium)
    path = to / receipt.key.rpartition("/")[2] if to.is_dir() else to
    if path.exists():
        raise CliError(f"{path} already exists. Name another file with --to, or delete this one.")
    unfinished = path.with_name(f".{path.name}.unfinished")
    with _on_disk(path):
        try:
            got, crc = _fetch(stack, receipt, unfinished, progress)
            difference = _difference(receipt, got, crc)
            if difference:
                raise CliError(f"{receipt.key} {difference}. Check the object's versions in the bucket.")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def checksum(crc: int) -> str:
    """A CRC64NVME as receipts have it: `crc64nvme:` and base64."""
    return CRC64NVME + base64.b64encode(struct.pack(">Q", crc)).decode()


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """Turn errors of the disk into a CliError."""
    try:
        yield
    except BotoCoreError:  # some of these are OSErrors too
        raise
    except OSError as error:
        raise CliError(f"Cannot write {path}: {error.strerror or error}. Name another place with --to.") from None


def _fetch(stack: Stack, receipt: Receipt, path: Path, progress: Callable[[int], None]) -> tuple[int, int]:
    version = {"VersionId": receipt.version_id} if receipt.version_id else {}
    try:
        answer = stack.s3.get_object(Bucket=stack.bucket_name, Key=receipt.key, **version)  # type: ignore[arg-type]
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchVersion", "404"}:
            raise
        raise NothingFound(f"{receipt.key} is no longer in the bucket: it was deleted.") from None
    got = crc = 0
    with path.open("wb") as file:
        for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
            file.write(chunk)
            got, crc = got + len(chunk), crc64nvme(chunk, crc)
            progress(len(chunk))
    return got, crc


def _difference(receipt: Receipt, got: int, crc: int) -> str:
    """How the file differs from the receipt; empty if it does not. Receipts of the first version have a checksum of
    parts, which cannot be computed from the file: for these only the size is compared."""
    if got != receipt.bytes:
        return f"has {got} bytes; its receipt says {receipt.bytes}"
    if receipt.checksum.startswith(CRC64NVME) and checksum(crc) != receipt.checksum:
        return f"has the checksum {checksum(crc)}; its receipt says {receipt.checksum}"
    return ""


def _receipt(medium: MediaItem) -> Receipt:
    if medium.receipt is None or medium.state != "archived":
        raise NothingFound(f"The {medium.role} {medium.media_id} is not in the bucket: it is {medium.state}.")
    return medium.receipt
