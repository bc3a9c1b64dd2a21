"""The S3 simulator's objects and open uploads, and S3's rules for completing an upload."""

import hashlib
import threading
import time
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from xml.etree import ElementTree

from simulators.s3.body import ALGORITHMS, CRCS, Body
from simulators.s3.errors import Refusal

MIN_PART = 5 * 1024 * 1024  # S3's limits: min size of each part but the last,
MAX_PARTS = 10_000  # max parts,
MAX_PUT = 5 * 1024**3  # and max size of one PUT or part
SUM = "x-amz-checksum-"
DEFAULT = "crc64nvme"  # the algorithm that S3 uses if the client names none

type Headers = Mapping[str, str]
"""Names in lower case."""


@dataclass(frozen=True)
class Part:
    """A part, or the whole content of a PutObject. `checksum` uses the upload's algorithm."""

    size: int
    etag: str
    checksum: str
    crcs: Mapping[str, int]
    content: bytes | None


@dataclass(frozen=True)
class Stored:
    """An object. `content` is None if no bytes are kept; `headers` are the ones sent with it; `crc64nvme` is the bytes'
    checksum, whichever algorithm the client chose."""

    key: str
    size: int
    crc64nvme: int
    etag: str
    version_id: str
    algorithm: str
    checksum: str
    checksum_type: str
    parts: int  # 0 for a PutObject
    headers: Headers
    content: bytes | None
    at: float

    @property
    def checksum_headers(self) -> dict[str, str]:
        """The checksum headers of a response."""
        return {SUM + self.algorithm: self.checksum, SUM + "type": self.checksum_type}


@dataclass(frozen=True)
class Upload:
    """An open upload. `named`: whether the client chose the algorithm; if not, parts may have any."""

    bucket: str
    key: str
    id: str
    algorithm: str
    named: bool
    checksum_type: str
    headers: Headers
    at: float
    parts: dict[int, Part] = field(default_factory=dict)


class Objects:
    """The objects of all buckets. Every bucket name exists."""

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.stored: dict[tuple[str, str], Stored] = {}
        self.uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def put(self, bucket: str, key: str, headers: Headers, body: Body) -> Stored:
        """PutObject; the checksums are verified already."""
        algorithm = named_algorithm(headers) or DEFAULT
        part = _part(body, algorithm, keep=self.keep)
        if body.size > MAX_PUT:
            raise Refusal(400, "EntityTooLarge", "More than 5 GiB in one PUT.")
        with self._lock:
            self._not_there(bucket, key, headers)
            return self._keep(
                bucket,
                Stored(
                    key=key,
                    size=part.size,
                    crc64nvme=part.crcs[DEFAULT],
                    etag=part.etag,
                    version_id=token_hex(16),
                    algorithm=algorithm,
                    checksum=part.checksum,
                    checksum_type="FULL_OBJECT",
                    parts=0,
                    headers=_description(headers),
                    content=part.content,
                    at=time.time(),
                ),
            )

    def create(self, bucket: str, key: str, headers: Headers) -> Upload:
        """CreateMultipartUpload."""
        named = headers.get(SUM + "algorithm", "").lower()
        if named and named not in ALGORITHMS:
            raise Refusal(400, "InvalidRequest", "Checksum algorithm provided is unsupported.")
        algorithm = named or DEFAULT
        kind = headers.get(SUM + "type", "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE").upper()
        if (kind == "FULL_OBJECT" and algorithm not in CRCS) or (kind == "COMPOSITE" and algorithm == "crc64nvme"):
            raise Refusal(400, "InvalidRequest", f"The {kind} checksum type cannot be used with {algorithm}.")
        upload = Upload(bucket, key, token_hex(32), algorithm, bool(named), kind, _description(headers), time.time())
        self.uploads[upload.id] = upload
        return upload

    def upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """The upload with this id. Raises NoSuchUpload."""
        found = self.uploads.get(upload_id)
        if found is None or (found.bucket, found.key) != (bucket, key):
            raise Refusal(404, "NoSuchUpload", "The upload does not exist. It may have been aborted or completed.")
        return found

    def put_part(self, upload: Upload, number: str, headers: Headers, body: Body) -> Part:
        """UploadPart; the checksums are verified already."""
        if not number.isdecimal() or not 1 <= int(number) <= MAX_PARTS:
            raise Refusal(400, "InvalidArgument", "Part number must be an integer between 1 and 10000.")
        sent = named_algorithm(headers)
        owed = upload.named and (sent or upload.checksum_type == "COMPOSITE")
        if owed and sent != upload.algorithm:
            message = (
                f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm}, actual checksum Type: "
            )
            raise Refusal(400, "InvalidRequest", message + (sent or "null"))
        if body.size > MAX_PUT:
            raise Refusal(400, "EntityTooLarge", "More than 5 GiB in one part.")
        part = _part(body, upload.algorithm, keep=self.keep)
        with self._lock:
            self.upload(upload.bucket, upload.key, upload.id)  # the upload may be gone by now
            upload.parts[int(number)] = part
        return part

    def complete(self, upload: Upload, headers: Headers, listed: bytes) -> Stored:
        """CompleteMultipartUpload: compares the parts listed in S3's XML with the received ones."""
        parts = _listed_parts(upload, listed)
        size = sum(part.size for part in parts)
        if headers.get("x-amz-mp-object-size", str(size)) != str(size):
            raise Refusal(400, "InvalidRequest", "The object's size is not the one that was promised.")
        if any(part.size < MIN_PART for part in parts[:-1]):
            raise Refusal(400, "EntityTooSmall", "A part is smaller than 5 MiB and not the last.")
        if headers.get(SUM + "type", upload.checksum_type).upper() != upload.checksum_type:
            raise Refusal(400, "BadDigest", f"The upload was created with checksum type {upload.checksum_type}.")
        checksum = _checksum(upload, parts)
        if headers.get(SUM + upload.algorithm, checksum).partition("-")[0] != checksum.partition("-")[0]:
            raise Refusal(400, "BadDigest", f"The {upload.algorithm} you specified did not match what we received.")
        with self._lock:
            self.upload(upload.bucket, upload.key, upload.id)
            self._not_there(upload.bucket, upload.key, headers)
            del self.uploads[upload.id]
            return self._keep(
                upload.bucket,
                Stored(
                    key=upload.key,
                    size=size,
                    crc64nvme=_crc(DEFAULT, parts),
                    etag=_etag_of_parts(parts),
                    version_id=token_hex(16),
                    algorithm=upload.algorithm,
                    checksum=checksum,
                    checksum_type=upload.checksum_type,
                    parts=len(parts),
                    headers=upload.headers,
                    content=b"".join(part.content or b"" for part in parts) if self.keep else None,
                    at=time.time(),
                ),
            )

    def abort(self, upload: Upload) -> None:
        """AbortMultipartUpload."""
        self.uploads.pop(upload.id, None)

    def find(self, bucket: str, key: str) -> Stored:
        """The object. Raises NoSuchKey."""
        try:
            return self.stored[bucket, key]
        except KeyError:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.") from None

    def _not_there(self, bucket: str, key: str, headers: Headers) -> None:
        if headers.get("if-none-match") == "*" and (bucket, key) in self.stored:
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")

    def _keep(self, bucket: str, made: Stored) -> Stored:
        self.stored[bucket, made.key] = made
        return made


def named_algorithm(headers: Headers) -> str:
    """The algorithm of the checksum that comes with a body, in a header or a trailer; empty if there is none."""
    sent = [name for name in ALGORITHMS if SUM + name in headers or headers.get("x-amz-trailer") == SUM + name]
    if len(sent) > 1:
        raise Refusal(400, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple were found.")
    return sent[0] if sent else ""


def check(body: Body, headers: Headers, trailers: Headers) -> None:
    """Verify the checksums that came with a body."""
    promised = headers.get("x-amz-trailer")
    if promised and promised.lower() not in trailers:
        raise Refusal(400, "MalformedTrailerError", f"The promised trailer {promised} is missing.")
    said = {**headers, **trailers}
    for name, value in [(name, said.get(SUM + name)) for name in ALGORITHMS] + [("md5", headers.get("content-md5"))]:
        if value is None:
            continue
        if not _is_base64(value):
            raise Refusal(400, "InvalidDigest" if name == "md5" else "InvalidRequest", f"The {name} is malformed.")
        if value != body.sums.text(name):
            raise Refusal(400, "BadDigest", f"The {name} you specified did not match what we received.")


def _is_base64(value: str) -> bool:
    try:
        return bool(b64decode(value, validate=True))
    except BadBase64:
        return False


def _description(headers: Headers) -> Headers:
    described = ("content-type", "content-disposition", "content-language", "cache-control", "x-amz-meta-")
    return {name: value for name, value in headers.items() if name.startswith(described)}


def _part(body: Body, algorithm: str, *, keep: bool) -> Part:
    crcs = {name: body.sums.crc(name) for name in ({DEFAULT, algorithm} & CRCS.keys())}
    return Part(body.size, _etag(body, keep=keep), body.sums.text(algorithm), crcs, body.content)


def _etag(body: Body, *, keep: bool) -> str:
    """S3's ETag, the MD5, if it was computed. Otherwise a unique value of the same length, as MD5 is slower than all
    the rest."""
    if keep or "md5" in body.sums.hashes:
        return body.sums.hex("md5")
    return hashlib.md5(f"{body.sums.text(DEFAULT)} {body.size}".encode(), usedforsecurity=False).hexdigest()


def _etag_of_parts(parts: Sequence[Part]) -> str:
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _listed_parts(upload: Upload, listed: bytes) -> list[Part]:
    """The parts that a CompleteMultipartUpload names, each as returned before."""
    try:
        document = ElementTree.fromstring(listed)  # noqa: S314  on loopback, from our own clients
    except ElementTree.ParseError as error:
        raise Refusal(400, "MalformedXML", "The XML you provided was not well-formed.") from error
    named = [{child.tag.rpartition("}")[2]: child.text or "" for child in part} for part in document]
    numbers = [int(part.get("PartNumber", "0")) for part in named]
    if not named:
        raise Refusal(400, "MalformedXML", "You must specify at least one part.")
    if numbers != sorted(set(numbers)):
        raise Refusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
    for number, said in zip(numbers, named, strict=True):
        part = upload.parts.get(number)
        if part is None or said.get("ETag", "").strip('"') != part.etag:
            raise Refusal(400, "InvalidPart", f"Part {number} could not be found or has another ETag.")
        checksum = said.get(f"Checksum{upload.algorithm.upper()}")
        if checksum is None and upload.checksum_type == "COMPOSITE" and upload.named:
            message = f"The upload was created using a {upload.algorithm} checksum. It was missing for part {number}."
            raise Refusal(400, "InvalidRequest", message)
        if checksum is not None and checksum != part.checksum:
            raise Refusal(400, "InvalidPart", f"Part {number} has another checksum.")
    return [upload.parts[number] for number in numbers]


def _checksum(upload: Upload, parts: Sequence[Part]) -> str:
    """The object's checksum: combined from the parts' for a full-object checksum, otherwise made of the parts'
    checksums."""
    if upload.checksum_type == "FULL_OBJECT":
        return CRCS[upload.algorithm].text(_crc(upload.algorithm, parts))
    digests = b"".join(b64decode(part.checksum) for part in parts)
    return f"{_digest_of(upload.algorithm, digests)}-{len(parts)}"


def _crc(algorithm: str, parts: Sequence[Part]) -> int:
    """The whole object's checksum, from those of the parts."""
    value = 0
    for part in parts:
        value = CRCS[algorithm].combine(value, part.crcs[algorithm], part.size)
    return value


def _digest_of(algorithm: str, content: bytes) -> str:
    if algorithm in CRCS:
        return CRCS[algorithm].text(CRCS[algorithm].update(memoryview(content), 0))
    return b64encode(hashlib.new(algorithm, content, usedforsecurity=False).digest()).decode()
