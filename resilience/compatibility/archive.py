"""The bucket's code on an S3: how a body is sent, when an object appears, what is rejected, which uploads can
resume."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from dailies.errors import HostFailed, ObjectExists, StorageFailed, TransferError
from dailies.jobs.models import Upload
from dailies.jobs.object_keys import delivery_key, job_key, media_key
from dailies.transfer import parallel
from dailies.transfer.upload import PIECE_BYTES, ChunkBuffer, UploadedPart, crc_text
from resilience.compatibility.checks import Check
from resilience.compatibility.store import BUCKET, LARGE, PART, SMALL, Store, part, refused, send
from resilience.transfers.long_media import LongMedium, crc64nvme

SIZES = (0, 1, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 4097)
NOISE = Random(0).randbytes(max(SIZES))
SEVERAL = NOISE * 7  # two parts
WORKERS = 8


def _bodies(store: Store) -> None:
    for size in SIZES:
        key, content = f"bodies/{size}.mp4", NOISE[:size]
        done = store.put(key, content)
        head = store.head(key)
        assert store.content(key) == content
        assert (done.etag, done.crc, done.bytes) == (head["ETag"], crc64nvme(content), size)
        assert head["ChecksumCRC64NVME"] == crc_text(done.crc)
        assert (head["ContentLength"], head["ContentType"]) == (size, "video/mp4")
        assert head["Metadata"] == {"job-id": "g%2F1", "role": "output"}
        assert head["VersionId"] == done.version_id


def _kind_of_checksum(store: Store) -> None:
    store.put("kind.mp4", NOISE[:9])
    assert store.head("kind.mp4").get("ChecksumType") == "FULL_OBJECT"


def _framing(store: Store) -> None:
    store.put("framing.mp4", NOISE)
    assert "aws-chunked" not in store.head("framing.mp4").get("ContentEncoding", "")


def _keys(store: Store) -> None:
    for job_id in ("a/b", "..", ".", "é ?", "a+b&c=d", "😀" * 255, "~", "%2F"):
        key = media_key("sync", job_id, "output", "0123abcd", "mp4")
        store.put(key, job_id.encode())
        assert store.content(key) == job_id.encode()


def _no_overwriting(store: Store) -> None:
    first = store.put("once.mp4", NOISE[:100])
    refused(lambda: store.put("once.mp4", NOISE[:99]), ObjectExists)
    assert store.content("once.mp4") == NOISE[:100]
    assert store.versions("once.mp4") == 1
    assert store.target("once.mp4").existing() == (first.version_id, 100, crc_text(first.crc))


def _one_winner(store: Store) -> None:
    begin = threading.Barrier(WORKERS)

    def put(number: int) -> bool:
        begin.wait()
        try:
            store.put("race.mp4", NOISE[:PIECE_BYTES] + bytes([number]))
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(WORKERS) as pool:
        won = list(pool.map(put, range(WORKERS)))
    assert sum(won) == 1
    assert store.versions("race.mp4") == 1
    assert store.content("race.mp4")[-1] == won.index(True)


def _wrong_checksum(store: Store) -> None:
    target = store.target("wrong.mp4")

    def put() -> UploadedPart:
        with target.stream() as stream:
            target.put(stream, 9)
            stream._crc ^= 1  # noqa: SLF001  as where a bit is turned on the way
            return send(stream, NOISE[:9])

    refused(put, StorageFailed)
    assert not target.exists()


def _cut(store: Store) -> None:
    target = store.target("cut.mp4")
    with target.stream() as stream:
        target.put(stream, 2 * PIECE_BYTES)
        stream.send(ChunkBuffer(), PIECE_BYTES)
    assert not target.exists()


def _parts(store: Store) -> None:
    target, upload, sent = store.upload("parts.mp4", SEVERAL[:PART], SEVERAL[PART:])
    done = target.complete(upload, sent)
    head = store.head("parts.mp4")
    assert store.content("parts.mp4") == SEVERAL
    assert (done.crc, done.bytes) == (LongMedium((NOISE,) * 7).crc64nvme, len(SEVERAL))
    assert (done.etag, done.version_id) == (head["ETag"], head["VersionId"])
    assert (head["ContentType"], head["Metadata"]["role"]) == ("video/mp4", "output")


def _completed_once(store: Store) -> None:
    target, upload, sent = store.upload("completed.mp4", NOISE)
    target.complete(upload, sent)
    refused(lambda: target.complete(upload, sent), ObjectExists)
    assert store.versions("completed.mp4") == 1


def _checksum_of_parts(store: Store) -> None:
    target, upload, sent = store.upload("whole.mp4", SEVERAL[:PART], SEVERAL[PART:])
    done = target.complete(upload, sent)
    assert target.existing() == (done.version_id, done.bytes, crc_text(done.crc))
    assert store.head("whole.mp4")["ChecksumType"] == "FULL_OBJECT"


def _parts_do_not_overwrite(store: Store) -> None:
    target, upload, sent = store.upload("there.mp4", NOISE[:9])
    store.put("there.mp4", NOISE[:8])
    refused(lambda: target.complete(upload, sent), ObjectExists)
    assert store.content("there.mp4") == NOISE[:8]
    target.abort(upload)
    assert store.uploads("there.mp4") == 0


def _wrong_part(store: Store) -> None:
    target, upload, sent = store.upload("wrong-part.mp4", NOISE[:9])
    refused(lambda: target.complete(upload, {1: replace(sent[1], crc=sent[1].crc ^ 1)}), ClientError)
    assert not target.exists()


def _wrong_size(store: Store) -> None:
    target, upload, sent = store.upload("wrong-size.mp4", NOISE[:9])
    listed = [{"PartNumber": 1, "ETag": sent[1].etag, "ChecksumCRC64NVME": crc_text(sent[1].crc)}]
    named: Any = {"Bucket": BUCKET, "Key": upload.key, "UploadId": upload.upload_id, "MpuObjectSize": 8}
    refused(
        lambda: store.client.complete_multipart_upload(**named, MultipartUpload={"Parts": listed}),  # type: ignore[typeddict-item]
        ClientError,
    )
    assert not target.exists()


def _small_part(store: Store) -> None:
    target, upload, sent = store.upload("small-part.mp4", NOISE[:9], NOISE[9:18])
    refused(lambda: target.complete(upload, sent), ClientError)
    assert not target.exists()


def _dropped(store: Store) -> None:
    target, upload, _ = store.upload("dropped.mp4", NOISE[:9])
    assert store.uploads("dropped.mp4") == 1
    target.abort(upload)
    assert store.uploads("dropped.mp4") == 0
    assert target.uploaded_parts(upload) == {}
    with target.stream() as stream:
        refused(lambda: part(stream, upload, 2, NOISE[:9]), StorageFailed)
    target.abort(upload)
    assert not target.exists()


def _what_is_there(store: Store) -> None:
    target, upload, sent = store.upload("there-are.mp4", SEVERAL[:PART], SEVERAL[PART:])
    assert target.uploaded_parts(upload) == sent


def _small(store: Store) -> None:
    _transferred(store, "small", SMALL)


def _large(store: Store) -> None:
    _transferred(store, "large", LARGE)


def _transferred(store: Store, name: str, medium: LongMedium) -> None:
    """Two transfers at once, and a third one after them."""
    key = f"transferred/{name}.mp4"
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: store.transfer(key, name), range(2))
    third = store.transfer(key, name)
    assert first.version_id == second.version_id == third.version_id
    assert first.bytes == second.bytes == third.bytes == len(medium.content)
    assert f"crc64nvme:{crc_text(medium.crc64nvme)}" in {first.checksum, second.checksum}
    assert store.content(key, VersionId=first.version_id) == medium.content
    assert (store.versions(key), store.uploads(key)) == (1, 0)


def _given_up(store: Store) -> None:
    for name, fault in (("small", "cut-with-length"), ("large", "plain-reset-at-half")):
        key = f"given-up/{name}.mp4"
        refused(partial(store.transfer, key, name, fault=fault), HostFailed)
        assert not store.target(key).exists()
        assert store.uploads(key) == 0


def _gone_on_with(store: Store) -> None:
    begun: list[Upload] = []
    tries, parallel.MAX_ATTEMPTS = parallel.MAX_ATTEMPTS, 1
    try:
        refused(
            lambda: store.transfer("gone-on.mp4", "large", fault="cut-then-cut-with-length", on_upload=begun.append),
            TransferError,
        )
    finally:
        parallel.MAX_ATTEMPTS = tries
    there = store.target("gone-on.mp4").uploaded_parts(begun[0])
    done = store.transfer("gone-on.mp4", "large", resume=begun[0])
    assert (done.bytes, done.checksum) == (len(LARGE.content), f"crc64nvme:{crc_text(LARGE.crc64nvme)}")
    assert store.content("gone-on.mp4") == LARGE.content
    assert (store.versions("gone-on.mp4"), store.uploads("gone-on.mp4")) == (1, 0)
    assert there, "no part was there to go on with"


def _pages(store: Store) -> None:
    key = job_key("sync", "g-1")
    for status in ("processing", "completed"):
        store.bucket.put_job(key, {"status": status, "job_id": "é"})
    assert b'"completed"' in store.content(key)
    assert store.versions(key) == 2
    assert store.head(key)["ContentType"] == "application/json"


def _deliveries(store: Store) -> None:
    key = delivery_key("captions", "ab", quarantined=False)
    body = NOISE * 8
    for _ in range(2):
        store.bucket.put_delivery(key, body)
    assert store.content(key) == body
    assert (store.head(key)["ContentType"], "ContentEncoding" in store.head(key)) == ("application/gzip", False)


def _lines(store: Store) -> None:
    old = store.put("lines.jsonl", b'{"a":1}\n{"a":2}\n')
    store.client.put_object(Bucket=BUCKET, Key="lines.jsonl", Body=b"newer")
    assert list(store.bucket.lines("lines.jsonl", old.version_id)) == [b'{"a":1}', b'{"a":2}']


CHECKS = (
    Check("a body of any length arrives, with its checksum, type and metadata", _bodies),
    Check(
        "a checksum is told to be over the whole",
        _kind_of_checksum,
        {"SeaweedFS": "not of what was put by one call"},
    ),
    Check(
        "the framing of a body is not kept as the object's encoding",
        _framing,
        {"SeaweedFS": "the object's encoding is aws-chunked"},
    ),
    Check("the key of any job is an object of its own", _keys),
    Check("an object is not overwritten", _no_overwriting),
    Check(f"of {WORKERS} at once one puts the object", _one_winner),
    Check("a body with another checksum behind it is refused", _wrong_checksum),
    Check("a body that is cut short is no object", _cut),
    Check("parts are one object", _parts),
    Check(
        "an upload is completed once",
        _completed_once,
        {"ministack": "a second completion is answered as the first one was; there is one object all the same"},
    ),
    Check(
        "of parts, the checksum over the whole is told later too",
        _checksum_of_parts,
        {"ministack": "who asks later is told one of the parts' checksums"},
    ),
    Check("parts do not overwrite an object either", _parts_do_not_overwrite),
    Check("a part with another checksum is refused when the object is made", _wrong_part),
    Check(
        "an object of another size than was said is refused",
        _wrong_size,
        {"SeaweedFS": "it does not read MpuObjectSize"},
    ),
    Check(
        "a part below 5 MiB that is not the last is refused",
        _small_part,
        {"ministack": "parts may be of any size"},
    ),
    Check("an upload that is dropped takes no more parts", _dropped),
    Check(
        "the parts that are there are told, each with its checksum",
        _what_is_there,
        {"SeaweedFS": "ListParts has no checksums"},
    ),
    Check("a small medium is stored once, transferred by two at once and again", _small),
    Check("a medium in parts is stored once, transferred by two at once and again", _large, long=True),
    Check("a medium that cannot be fetched leaves no object and no upload", _given_up, long=True),
    Check(
        "an upload is gone on with",
        _gone_on_with,
        {"SeaweedFS": "all parts are sent anew, as ListParts has no checksums; the object is right"},
        long=True,
    ),
    Check("a job's page is written over an older one", _pages),
    Check("a large body is kept, the same one twice", _deliveries),
    Check("the lines of an older version are read", _lines),
)
