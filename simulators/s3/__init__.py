"""An S3 stand-in on loopback: takes what S3 takes, refuses what S3 refuses, and keeps no bytes unless it is told to.

    with sink(tls=True, keep=True) as s3:
        s3.client()                               # a boto3 client for it; any bucket exists
        s3.fail("UploadPart", status=503)         # the next one is refused; also hang, cut and lose
        s3.calls["UploadPart"]                    # how many there were; and in s3.done, how many took effect
        s3.object("media/a.mp4").content          # what was stored

The emulated AWS is slow and knows neither full-object checksums nor least part sizes: this one is for tests of the
archive against S3's rules, and for benchmarks, as a process of its own: `python -m simulators.s3 --tls`. There it
answers `GET /-/calls` with what was called and what is stored, and `DELETE /-/calls` by forgetting both.
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


class Sink:
    """What was called and what is stored, and what is to go wrong."""

    def __init__(self, base_url: str, ca_file: Path | None, *, keep: bool) -> None:
        self.endpoint_url = base_url
        self.ca_file = ca_file
        self.objects = Objects(keep=keep)
        self.calls: Counter[str] = Counter()
        self.done: Counter[str] = Counter()  # those of them that took effect
        self.requests: list[Call] = []
        self.first = self.last = 0.0  # seconds since 1970: of the first call and of the last answer
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def client(self, **config: Any) -> "S3Client":
        """A boto3 client for it; `config` as botocore's Config takes it."""
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
        """What is stored under a key; KeyError where nothing is."""
        return self.objects.stored[bucket, key]

    @property
    def keys(self) -> list[str]:
        """Of all objects, whatever their bucket."""
        return sorted(key for _, key in self.objects.stored)

    @property
    def open_uploads(self) -> list[str]:
        """The keys of uploads neither completed nor aborted."""
        return sorted(upload.key for upload in self.objects.uploads.values())

    def fail(self, operation: str, *, status: int = 503, code: str = "SlowDown", times: int = 1, skip: int = 0) -> None:
        """Refuse: the call takes no effect. With status 200 the error stands in the body, as S3 completes uploads."""
        self._await(Fault(operation, "fail", times, skip, status=status, code=code))

    def hang(self, operation: str, *, times: int = 1, skip: int = 0, late: bool = False) -> None:
        """Never answer. `late`: though the call took effect."""
        self._await(Fault(operation, "hang", times, skip, late=late))

    def cut(self, operation: str, *, after: int = 0, times: int = 1, skip: int = 0) -> None:
        """Close the connection when so many bytes of the body have come (whole pieces): the call takes no effect."""
        self._await(Fault(operation, "cut", times, skip, cut_after=after))

    def lose(self, operation: str, *, times: int = 1, skip: int = 0) -> None:
        """Close the connection instead of answering: the call took effect."""
        self._await(Fault(operation, "cut", times, skip, late=True))

    def _await(self, fault: Fault) -> None:
        if fault.operation not in ANSWERS:
            raise ValueError(f"no operation {fault.operation!r}; there are: {', '.join(ANSWERS)}")
        self._faults.append(fault)

    def came(self, call: Call) -> Fault | None:
        """Count a call; its fault, where it is to have one."""
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
        """Count a call that was done."""
        with self._lock:
            self.done[call.operation] += 1

    def count_anew(self) -> None:
        """Forget what was counted. A call that its client has given up may come even now: it counts in `calls`, and not
        in `done`."""
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
        """Calls and objects."""
        self.first = self.last = 0.0
        self.calls.clear()
        self.done.clear()
        self.requests.clear()
        self.objects.stored.clear()
        self.objects.uploads.clear()


@contextmanager
def sink(*, port: int = 0, tls: bool = False, keep: bool = False) -> Iterator[Sink]:
    """The stand-in on 127.0.0.1 while the context lasts; `port` 0 takes a free one. With `tls` it is certified by an
    authority of its own (`ca_file`)."""
    with tempfile.TemporaryDirectory() as made:
        authority = Path(made) / "ca.pem" if tls else None
        server = Server(port, certified(authority, VIRTUAL[1:], f"*{VIRTUAL}") if authority else None)
        base_url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        server.sink = Sink(base_url, authority, keep=keep)
        with server.serving():
            yield server.sink
