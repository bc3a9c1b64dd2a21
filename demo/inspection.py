"""Checks a job: compares its row and objects in the running stack with the calls that were made and the media
served."""

import base64
import hashlib
import json
import struct
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from awscrt.checksums import crc64nvme
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from demo.scenarios import Outcome
from local.stack import Stack
from simulators.media_host.samples import SampleMedia

RECEIPT = ("key", "version_id", "bytes", "checksum", "content_type", "archived_at")
"""What a job row holds of a medium that is in the bucket."""

PAGE_SECONDS = 10.0  # max seconds by which job.json lags behind the row; it takes less than one

type Row = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A medium from its receipt; `seconds` from the call that named its link."""

    key: str
    bytes: int
    checksum: str
    seconds: float


@dataclass(frozen=True)
class Finding:
    """A job's check: its media and its problems, a line each."""

    outcome: Outcome
    row: Row
    stored: list[Stored]
    problems: list[str]


def job_row(running: Stack, provider: str, job_id: str) -> Row:
    """The job's row; empty if there is none."""
    answer = running.aws.dynamodb.get_item(
        TableName=running.outputs["TableName"],
        Key={"pk": {"S": f"job#{provider}#{job_id}"}, "sk": {"S": "job"}},
        ConsistentRead=True,
    )
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in answer.get("Item", {}).items()}


def rests(outcome: Outcome, row: Row) -> bool:
    """Whether the job has the expected status and all its media, and no work is left."""
    found = {medium["role"] for medium in row.get("media", ())}
    standing = (row.get("status"), row.get("stage"))
    return standing in {(outcome.status, "settled"), (outcome.status, "attention")} and found >= set(outcome.media)


def inspect(running: Stack, outcome: Outcome, row: Row, *, told_at: float, kept: Path) -> Finding:
    """Compare a job's row and objects with the expected outcome. Downloads the objects to a folder; `told_at` is the
    time of the call that named their links."""
    job = f"{outcome.provider} {outcome.job_id}"
    if outcome.status is None:
        return Finding(outcome, row, [], [f"{job}: a call without proof left a job row"] if row else [])
    if not row:
        return Finding(outcome, row, [], [f"{job}: has no job row"])
    problems, stored = [], []
    if (row["status"], row["stage"]) != (outcome.status, "settled"):
        problems.append(f"{job}: is {row['status']} and {row['stage']}, not {outcome.status} and settled")
    for role, served in outcome.media.items():
        media = [medium for medium in row["media"] if medium["role"] == role]
        wrong = _missing(media) or _differing(running, media[0], served, kept)
        problems += [f"{job}: its {role} {problem}" for problem in wrong]
        if not wrong:
            (medium,) = media
            seconds = datetime.fromisoformat(medium["archived_at"]).timestamp() - told_at
            stored.append(Stored(medium["key"], int(medium["bytes"]), medium["checksum"], seconds))
    if outcome.media and not problems:
        problems += [f"{job}: {problem}" for problem in _page(running, outcome, kept)]
    return Finding(outcome, row, stored, problems)


def _missing(media: list[Row]) -> list[str]:
    """The reason why a role does not have exactly one archived medium with a complete receipt."""
    if not media:
        return ["was not found"]
    if len(media) > 1:
        return [f"is {len(media)} media"]
    (medium,) = media
    if medium["state"] != "archived":
        return [f"is not in the bucket: {medium['state']} ({medium.get('reason') or 'no try told'})"]
    absent = [name for name in RECEIPT if not medium.get(name)]
    return [f"has no {' and no '.join(absent)} in its receipt"] if absent else []


def _differing(running: Stack, medium: Row, served: SampleMedia, kept: Path) -> list[str]:
    """The differences between a receipt's object and the served medium."""
    try:
        answer = running.aws.s3.get_object(
            Bucket=running.outputs["MediaBucketName"],
            Key=medium["key"],
            VersionId=medium["version_id"],
            ChecksumMode="ENABLED",
        )
    except ClientError as error:
        return [f"has a receipt, but {medium['key']} cannot be read: {error.response['Error']['Code']}"]
    content = answer["Body"].read()
    _keep(kept / medium["key"], content)
    wrong = []
    if hashlib.sha256(content).hexdigest() != served.sha256:
        wrong.append(f"has other bytes in {medium['key']} than the served file")
    if int(medium["bytes"]) != len(content):
        wrong.append(f"has {len(content)} bytes, its receipt says {medium['bytes']}")
    own = f"crc64nvme:{base64.b64encode(struct.pack('>Q', crc64nvme(content))).decode()}"
    if medium["checksum"] != own:
        wrong.append(f"has the checksum {own}, its receipt says {medium['checksum']}")
    if not answer.get("ChecksumCRC64NVME"):  # the emulator's covers the parts, not the object
        wrong.append("has no checksum that S3 keeps")
    elif "-" not in answer["ChecksumCRC64NVME"] and own != f"crc64nvme:{answer['ChecksumCRC64NVME']}":
        wrong.append(f"has the checksum {own}, S3 keeps {answer['ChecksumCRC64NVME']}")
    return wrong


def _page(running: Stack, outcome: Outcome, kept: Path) -> list[str]:
    """The problems of the job page beside a settled job's media."""
    key = f"media/{outcome.provider}/{outcome.job_id}/job.json"
    until = time.monotonic() + PAGE_SECONDS
    wrong = ""
    while time.monotonic() < until:
        try:
            answer = running.aws.s3.get_object(Bucket=running.outputs["MediaBucketName"], Key=key)
        except ClientError as error:
            wrong = f"{key} cannot be read: {error.response['Error']['Code']}"
        else:
            page = answer["Body"].read()
            if json.loads(page)["stage"] == "settled":
                _keep(kept / key, page)
                return []
            wrong = f"{key} does not say that the job is settled"
        time.sleep(0.2)
    return [wrong]


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
