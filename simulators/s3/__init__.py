"""An S3 simulator on the loopback: accepts what S3 accepts, rejects what S3 rejects. Keeps no bytes by default.

    with s3_simulator(tls=True, keep=True) as s3:
        s3.client()                               # a boto3 client for it; any bucket exists
        s3.fail("UploadPart", status=503)         # rejects the next one; also hang, cut and lose
        s3.calls["UploadPart"]                    # the number of calls; s3.done has those that took effect
        s3.object("media/a.mp4").content          # the stored bytes

The emulated AWS is slow and knows neither full-object checksums nor the minimum part size. This server is for tests of
the archive against S3's rules, and for benchmarks, as a separate process: `python -m simulators.s3 --tls`. There
`GET /-/calls` returns the calls and the stored objects, and `DELETE /-/calls` forgets both.
"""

import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from simulators.loopback_server import certified
from simulators.s3.answers import ANSWERS, Call
from simulators.s3.objects import Objects, Stored
from simulators.s3.server import VIRTUAL, Fault, Server
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bucket"


class S3Simulator:
    """The received calls, the stored objects, and the faults to come."""

    def __init__(self, base_url: str, ca_file: Path | None, *, keep: bool) -> None:
        self.endpoint_url = base_url
        self.ca_file = ca_file
        self.objects = Objects(keep=keep)
        self.calls: Counter[str] = Counter()
        self.done: Counter[str] = Counter()  # the calls that took effect
        self.requests: list[Call] = []
        self.first = self.last = 0.0  # seconds since 1970: the first call and the last response
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def client(self, **config: Any) -> "S3Client":
        """A boto3 client for it; `config` has the arguments of botocore's Config."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            verify=str(self.ca_file) if self.ca_file else None,
            config=Config(**config),
        )

    def object(self, key: str, bucket: str = BUCKET) -> Stored:
        """The object with this key. Raises KeyError if there is none."""
        return self.objects.stored[bucket, key]

    @property
    def keys(self) -> list[str]:
        """The keys of all objects, in any bucket."""
        return sorted(key for _, key in self.objects.stored)

    @property
    def open_uploads(self) -> list[str]:
        """The keys of uploads neither completed nor aborted."""
        return sorted(upload.key for upload in self.objects.uploads.values())

    def fail(self, operation: str, *, status: int = 503, code: str = "SlowDown", times: int = 1, skip: int = 0) -> None:
        """Reject calls: they take no effect. With status 200 the body has the error, as in S3's
        CompleteMultipartUpload."""
        self._await(Fault(operation, "fail", times, skip, status=status, code=code))

    def hang(self, operation: str, *, times: int = 1, skip: int = 0, late: bool = False) -> None:
        """Never respond. With `late` the call takes effect."""
        self._await(Fault(operation, "hang", times, skip, late=late))

    def cut(self, operation: str, *, after: int = 0, times: int = 1, skip: int = 0) -> None:
        """Close the connection after this many bytes of the body, in complete pieces. The call takes no effect."""
        self._await(Fault(operation, "cut", times, skip, cut_after=after))

    def lose(self, operation: str, *, times: int = 1, skip: int = 0) -> None:
        """Close the connection instead of responding. The call took effect."""
        self._await(Fault(operation, "cut", times, skip, late=True))

    def _await(self, fault: Fault) -> None:
        if fault.operation not in ANSWERS:
            raise ValueError(f"no operation {fault.operation!r}; there are: {', '.join(ANSWERS)}")
        self._faults.append(fault)

    def came(self, call: Call) -> Fault | None:
        """Count a call, and return its fault, if any."""
        with self._lock:
            self.first = self.first or time.time()
            self.calls[call.operation] += 1
            self.requests.append(call)
            for fault in self._faults:
                if fault.operation == call.operation and fault.times:
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def took_effect(self, call: Call) -> None:
        """Count a call that took effect."""
        with self._lock:
            self.done[call.operation] += 1

    def count_anew(self) -> None:
        """Reset the counts. A call that its client has given up may still arrive: it counts in `calls`, not in
        `done`."""
        with self._lock:
            self.calls.clear()
            self.done.clear()

    def told(self) -> bytes:
        """Calls and objects as JSON."""
        stored = [
            {name: value for name, value in asdict(one).items() if name != "content"}
            for one in self.objects.stored.values()
        ]
        told = {"calls": self.calls, "objects": stored, "open_uploads": self.open_uploads}
        return json.dumps({**told, "first": self.first, "last": self.last}).encode()

    def forget(self) -> None:
        """Forget calls and objects."""
        self.first = self.last = 0.0
        self.calls.clear()
        self.done.clear()
        self.requests.clear()
        self.objects.stored.clear()
        self.objects.uploads.clear()


@contextmanager
def s3_simulator(*, port: int = 0, tls: bool = False, keep: bool = False) -> Iterator[S3Simulator]:
    """The simulator on 127.0.0.1 while the context is open; `port` 0 picks a free one. With `tls` it has a certificate
    authority of its own (`ca_file`)."""
    with tempfile.TemporaryDirectory() as made:
        authority = Path(made) / "ca.pem" if tls else None
        server = Server(port, certified(authority, VIRTUAL[1:], f"*{VIRTUAL}") if authority else None)
        base_url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        server.s3_simulator = S3Simulator(base_url, authority, keep=keep)
        with server.serving():
            yield server.s3_simulator
