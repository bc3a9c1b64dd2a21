"""A job's media: a link that lives for a while, or the file itself with its checksum verified."""

import base64
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from awscrt.checksums import crc64nvme
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import NothingFound, Refusal
from cli.stack import Stack
from dailies.jobs.models import Job, MediaItem, Receipt

LINK_SECONDS = 3600
PIECE = 1024 * 1024  # bytes read at a time
CRC64NVME = "crc64nvme:"


def archived(job: Job, role: str | None = None) -> list[MediaItem]:
    """The job's media that are in the bucket, of one role or of all. NothingFound, with the reason, where none is."""
    wanted = [medium for medium in job.media if role in {None, medium.role}]
    found = [medium for medium in wanted if medium.state == "archived"]
    if found:
        return found
    if not wanted:
        roles = ", ".join(sorted({medium.role for medium in job.media})) or "none"
        raise NothingFound(
            f"{job.provider}/{job.job_id} has no such medium (it has: {roles}); `dailies job` tells more"
        )
    states = "; ".join(f"{m.role} {m.state}{f', {m.receipt.reason}' if m.receipt else ''}" for m in wanted)
    raise NothingFound(f"nothing of {job.provider}/{job.job_id} is in the bucket: {states}; see `dailies queues`")


def link(stack: Stack, medium: MediaItem, *, seconds: int = LINK_SECONDS, inline: bool = True) -> str:
    """A link to an archived medium that works without credentials for so long. `inline`: a browser plays it, else it
    saves it under its name."""
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


def download(stack: Stack, medium: MediaItem, to: Path, *, progress: Callable[[int], None] = lambda _: None) -> Path:
    """The file of an archived medium, its bytes and checksum held against the receipt; `to` is a folder or a new file.

    It stands under its name only when it is whole and right; else a Refusal, as where the disk does not take it.
    `progress` hears of each piece's size.
    """
    receipt = _receipt(medium)
    path = to / receipt.key.rpartition("/")[2] if to.is_dir() else to
    if path.exists():
        raise Refusal(f"{path} is there already; name another with --to, or remove it")
    unfinished = path.with_name(f".{path.name}.unfinished")
    with _on_disk(path):
        try:
            got, crc = _fetch(stack, receipt, unfinished, progress)
            wrong = _wrong(receipt, got, crc)
            if wrong:
                raise Refusal(
                    f"{receipt.key} {wrong}; the object is not what was archived: see its versions in the bucket"
                )
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def checksum(crc: int) -> str:
    """A CRC64NVME as receipts write it."""
    return CRC64NVME + base64.b64encode(struct.pack(">Q", crc)).decode()


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """What this machine's disk does not do, in one line."""
    try:
        yield
    except BotoCoreError:  # some of them are OSErrors, too
        raise
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror or error}; name another place with --to") from None


def _fetch(stack: Stack, receipt: Receipt, path: Path, progress: Callable[[int], None]) -> tuple[int, int]:
    version = {"VersionId": receipt.version_id} if receipt.version_id else {}
    try:
        answer = stack.s3.get_object(Bucket=stack.bucket_name, Key=receipt.key, **version)  # type: ignore[arg-type]
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchVersion", "404"}:
            raise
        raise NothingFound(f"{receipt.key} is no longer in the bucket: somebody removed it") from None
    got = crc = 0
    with path.open("wb") as file:
        for piece in answer["Body"].iter_chunks(PIECE):
            file.write(piece)
            got, crc = got + len(piece), crc64nvme(piece, crc)
            progress(len(piece))
    return got, crc


def _wrong(receipt: Receipt, got: int, crc: int) -> str:
    """How what was read differs from the receipt. Receipts of the first version have a checksum that cannot be computed
    again, a digest of the parts' digests: there, the length alone is compared."""
    if got != receipt.bytes:
        return f"has {got} bytes, its receipt says {receipt.bytes}"
    if receipt.checksum.startswith(CRC64NVME) and checksum(crc) != receipt.checksum:
        return f"has the checksum {checksum(crc)}, its receipt says {receipt.checksum}"
    return ""


def _receipt(medium: MediaItem) -> Receipt:
    if medium.receipt is None or medium.state != "archived":
        raise NothingFound(f"the {medium.role} {medium.media_id} is not in the bucket but {medium.state}")
    return medium.receipt
