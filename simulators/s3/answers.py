"""The S3 simulator's response to each operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from xml.sax.saxutils import escape

from simulators.s3.body import NOTHING, Body
from simulators.s3.errors import Refusal
from simulators.s3.objects import SUM, Objects, Stored, named_algorithm

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Call:
    """One request: `path` as it was sent, header names in lower case, `body` once it is read."""

    operation: str
    method: str
    path: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: dict[str, str]
    body: Body = NOTHING


@dataclass(frozen=True)
class Answer:
    """Status, headers and body. A HEAD's Content-Length is given, others follow from the body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


# Method, whether there is a key, the required query parameters, and the operation: the first match counts.
OPERATIONS = (
    ("PUT", True, "partNumber", "UploadPart"),
    ("PUT", True, "", "PutObject"),
    ("PUT", False, "", "CreateBucket"),
    ("POST", True, "uploads", "CreateMultipartUpload"),
    ("POST", True, "uploadId", "CompleteMultipartUpload"),
    ("DELETE", True, "uploadId", "AbortMultipartUpload"),
    ("DELETE", True, "", "DeleteObject"),
    ("GET", True, "uploadId", "ListParts"),
    ("GET", True, "", "GetObject"),
    ("HEAD", True, "", "HeadObject"),
    ("HEAD", False, "", "HeadBucket"),
    ("GET", False, "uploads", "ListMultipartUploads"),
    ("GET", False, "location", "GetBucketLocation"),
    ("GET", False, "", "ListObjectsV2"),
)


def operation(method: str, key: str, query: Mapping[str, str]) -> str:
    """S3's name for the requested operation."""
    for called, with_key, needs, name in OPERATIONS:
        if method == called and bool(key) == with_key and (not needs or needs in query):
            return name
    return "Unknown"


def error_answer(refusal: Refusal, call: Call) -> Answer:
    """An error in S3's XML. A response to HEAD has no body, and so no code."""
    page = (
        f"{XML}<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        f"<Resource>{escape(call.path)}</Resource><RequestId>SINK</RequestId></Error>"
    )
    body = b"" if call.method == "HEAD" else page.encode()
    return Answer(refusal.status, {"Content-Type": "application/xml"}, body)


def _put_object(objects: Objects, call: Call) -> Answer:
    made = objects.put(call.bucket, call.key, call.headers, call.body)
    return Answer(headers={"ETag": f'"{made.etag}"', "x-amz-version-id": made.version_id, **made.checksum_headers})


def _create(objects: Objects, call: Call) -> Answer:
    upload = objects.create(call.bucket, call.key, call.headers)
    page = f"<Bucket>{call.bucket}</Bucket><Key>{escape(call.key)}</Key><UploadId>{upload.id}</UploadId>"
    said = {SUM + "algorithm": upload.algorithm.upper(), SUM + "type": upload.checksum_type} if upload.named else {}
    return _page("InitiateMultipartUploadResult", page, said)


def _upload_part(objects: Objects, call: Call) -> Answer:
    upload = objects.upload(call.bucket, call.key, call.query.get("uploadId", ""))
    part = objects.put_part(upload, call.query["partNumber"], call.headers, call.body)
    algorithm = named_algorithm(call.headers) or upload.algorithm
    return Answer(headers={"ETag": f'"{part.etag}"', SUM + algorithm: call.body.sums.text(algorithm)})


def _complete(objects: Objects, call: Call) -> Answer:
    upload = objects.upload(call.bucket, call.key, call.query["uploadId"])
    made = objects.complete(upload, call.headers, call.body.content or b"")
    page = (
        f"<Bucket>{call.bucket}</Bucket><Key>{escape(call.key)}</Key><ETag>&quot;{made.etag}&quot;</ETag>"
        f"<Checksum{made.algorithm.upper()}>{made.checksum}</Checksum{made.algorithm.upper()}>"
        f"<ChecksumType>{made.checksum_type}</ChecksumType>"
    )
    return _page("CompleteMultipartUploadResult", page, {"x-amz-version-id": made.version_id})


def _abort(objects: Objects, call: Call) -> Answer:
    objects.abort(objects.upload(call.bucket, call.key, call.query["uploadId"]))
    return Answer(204)


def _list_parts(objects: Objects, call: Call) -> Answer:
    upload = objects.upload(call.bucket, call.key, call.query["uploadId"])
    after, most = int(call.query.get("part-number-marker", "0")), int(call.query.get("max-parts", "1000"))
    numbers = sorted(number for number in upload.parts if number > after)
    shown = numbers[: min(most, 1000)]
    name = f"Checksum{upload.algorithm.upper()}"
    page = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{upload.parts[number].etag}&quot;</ETag>"
        f"<Size>{upload.parts[number].size}</Size><LastModified>{_iso(upload.at)}</LastModified>"
        f"<{name}>{upload.parts[number].checksum}</{name}></Part>"
        for number in shown
    )
    head = (
        f"<Bucket>{call.bucket}</Bucket><Key>{escape(call.key)}</Key><UploadId>{upload.id}</UploadId>"
        f"<PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>{shown[-1] if shown else 0}"
        f"</NextPartNumberMarker><MaxParts>{most}</MaxParts><IsTruncated>{_word(shown != numbers)}</IsTruncated>"
        f"<ChecksumAlgorithm>{upload.algorithm.upper()}</ChecksumAlgorithm>"
        f"<ChecksumType>{upload.checksum_type}</ChecksumType>"
    )
    return _page("ListPartsResult", head + page)


def _list_uploads(objects: Objects, call: Call) -> Answer:
    prefix = call.query.get("prefix", "")
    page = "".join(
        f"<Upload><Key>{escape(one.key)}</Key><UploadId>{one.id}</UploadId><Initiated>{_iso(one.at)}</Initiated></Upload>"
        for one in list(objects.uploads.values())
        if one.bucket == call.bucket and one.key.startswith(prefix)
    )
    return _page("ListMultipartUploadsResult", f"<Bucket>{call.bucket}</Bucket><IsTruncated>false</IsTruncated>{page}")


def _list_objects(objects: Objects, call: Call) -> Answer:
    prefix = call.query.get("prefix", "")
    found = [
        made
        for (bucket, key), made in sorted(objects.stored.items())
        if bucket == call.bucket and key.startswith(prefix)
    ]
    page = "".join(
        f"<Contents><Key>{escape(one.key)}</Key><Size>{one.size}</Size><ETag>&quot;{one.etag}&quot;</ETag>"
        f"<LastModified>{_iso(one.at)}</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
        for one in found
    )
    head = f"<Name>{call.bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount>"
    return _page("ListBucketResult", f"{head}<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{page}")


def _head_object(objects: Objects, call: Call) -> Answer:
    return Answer(headers=_describe(objects.find(call.bucket, call.key), call))


def _get_object(objects: Objects, call: Call) -> Answer:
    made = objects.find(call.bucket, call.key)
    if made.content is None:
        raise Refusal(501, "NotImplemented", "This stand-in keeps no bytes; start it with keep.")
    return Answer(headers=_describe(made, call), body=made.content)


def _describe(made: Stored, call: Call) -> dict[str, str]:
    asked = call.headers.get(SUM + "mode", "").upper() == "ENABLED"
    return {
        **made.headers,
        "Content-Length": str(made.size),
        "ETag": f'"{made.etag}"',
        "Last-Modified": formatdate(made.at, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-amz-version-id": made.version_id,
        **(made.checksum_headers if asked else {}),
    }


def _delete_object(objects: Objects, call: Call) -> Answer:
    objects.stored.pop((call.bucket, call.key), None)
    return Answer(204)


def _location(_objects: Objects, _call: Call) -> Answer:
    return Answer(200, {"Content-Type": "application/xml"}, f"{XML}<LocationConstraint {NAMESPACE}/>".encode())


def _done(_objects: Objects, _call: Call) -> Answer:
    return Answer(headers={"x-amz-bucket-region": "us-east-1"})


def _unknown(_objects: Objects, call: Call) -> Answer:
    raise Refusal(501, "NotImplemented", f"This stand-in does not know {call.method} {call.path} {dict(call.query)}.")


ANSWERS: Mapping[str, Callable[[Objects, Call], Answer]] = {
    "UploadPart": _upload_part,
    "PutObject": _put_object,
    "CreateBucket": _done,
    "CreateMultipartUpload": _create,
    "CompleteMultipartUpload": _complete,
    "AbortMultipartUpload": _abort,
    "DeleteObject": _delete_object,
    "ListParts": _list_parts,
    "GetObject": _get_object,
    "HeadObject": _head_object,
    "HeadBucket": _done,
    "ListMultipartUploads": _list_uploads,
    "GetBucketLocation": _location,
    "ListObjectsV2": _list_objects,
    "Unknown": _unknown,
}


def _page(root: str, content: str, headers: Mapping[str, str] | None = None) -> Answer:
    page = f"{XML}<{root} {NAMESPACE}>{content}</{root}>"
    return Answer(200, {"Content-Type": "application/xml", **(headers or {})}, page.encode())


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _word(value: bool) -> str:
    return "true" if value else "false"
