"""The matrix's transfers, run in parallel: most of them wait."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from botocore.credentials import Credentials

from dailies.aws.bucket import Bucket
from dailies.errors import TransferError
from dailies.jobs.models import Upload
from dailies.outbound import storage
from dailies.outbound.connection import Network
from dailies.transfer import watchdog
from dailies.transfer.transfer import TransferRequest, TransferResult, transfer
from dailies.transfer.upload import crc_text
from resilience.transfers.killing import killed_transfer
from resilience.transfers.long_media import long_medium
from resilience.transfers.matrix import RIGHT, SIZES, Cell
from resilience.transfers.orders import KEY, kept, order
from simulators.media_host.server import MediaHost, media_host
from simulators.s3 import BUCKET, S3Simulator, s3_simulator
from simulators.s3.signature import ACCESS_KEY, SECRET_KEY

AT_ONCE = 4
# For a busy machine with AT_ONCE transfers; each is longer than a few pieces take.
STORAGE_SECONDS = 3.0
STALL_SECONDS = 2.0


@contextmanager
def running(cells: Iterable[Cell]) -> Iterator[dict[Cell, Future[None]]]:
    """Start these cells' transfers. Each raises AssertionError if its result is another one."""
    with shorter_timeouts(), media_host() as plain, media_host(tls=True) as secure:
        for host in (plain, secure):
            host.media |= {f"{name.replace(' ', '-')}.mp4": long_medium(size).medium for name, size in SIZES.items()}

        def run(number: int, cell: Cell) -> None:
            with s3_simulator(keep=True) as s3:
                one = Run(cell, number, secure if cell.row.tls else plain, s3)
                {"at once": one.at_once, "killed": one.killed}.get(cell.row.how, one.one_after_the_other)()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield {cell: pool.submit(run, number, cell) for number, cell in enumerate(cells)}
            pool.shutdown(cancel_futures=True)


@contextmanager
def shorter_timeouts() -> Iterator[None]:
    """Shorten the timeouts for S3 and for the media host to a few seconds."""
    usual = storage.STORAGE_SECONDS, watchdog.STALL_SECONDS
    storage.STORAGE_SECONDS, watchdog.STALL_SECONDS = STORAGE_SECONDS, STALL_SECONDS
    try:
        yield
    finally:
        storage.STORAGE_SECONDS, watchdog.STALL_SECONDS = usual


class Run:
    """A cell's transfers, between a media host and an S3 of their own."""

    def __init__(self, cell: Cell, number: int, host: MediaHost, s3_simulator: S3Simulator) -> None:
        self.cell = cell
        self.s3 = s3_simulator
        client = s3_simulator.client(retries={"total_max_attempts": 3}, read_timeout=STORAGE_SECONDS)
        self.bucket = Bucket(lambda: client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY))
        self.path = f"/{number}/{cell.size.replace(' ', '-')}.mp4"
        self.host = host
        self.order = self.to(cell.row.fault)

    def to(self, fault: str | None) -> TransferRequest:
        """A request for the medium of a host with that fault."""
        wanted = order(self.host.url(self.path, fault=fault))
        return replace(wanted, network=Network(ca_file=str(self.host.ca_file))) if self.host.ca_file else wanted

    def one_after_the_other(self) -> None:
        if self.cell.row.s3:
            self.cell.row.s3[self.cell.size != "1 MiB"](self.s3)
        begun: list[Upload] = []
        for number, expected in enumerate(self.cell.outcomes):
            wanted = replace(self.order, on_upload=begun.append, resume=begun[-1] if begun else None)
            if expected is RIGHT:
                self.right(transfer(wanted, self.bucket))
            else:
                self.refused(wanted, expected, stored=number == 0 and self.cell.row.stored_though == self.cell.size)

    def at_once(self) -> None:
        """Two at once, as when a queue delivers a message twice."""
        with ThreadPoolExecutor(2) as both:
            first, second = both.map(transfer, [self.order] * 2, [self.bucket] * 2)
        self.right(first)
        self.right(second)

    def killed(self) -> None:
        """Killed, as when a function reaches its timeout: the upload is resumed, or has no effect."""
        begun = killed_transfer(self.order.url, self.s3, self._in_the_middle)
        assert self.s3.keys == []
        self.s3.count_anew()
        self.right(transfer(replace(self.to(None), resume=begun), self.bucket))
        large = self.cell.size == "40 MiB"
        assert (begun is not None, self.s3.calls["CreateMultipartUpload"]) == (large, 0)
        assert self.s3.done["UploadPart"] == (1 if large else 0)  # the other one exists

    def _in_the_middle(self) -> bool:
        return any(upload.parts for upload in list(self.s3.objects.uploads.values())) or (
            self.s3.calls["PutObject"] > 0
        )

    def right(self, done: object) -> None:
        """Check that the object exists and its metadata is correct."""
        medium = self.cell.medium
        kept(self.s3, medium.content)
        assert self.s3.object(KEY).crc64nvme == medium.crc64nvme
        assert isinstance(done, TransferResult)
        assert done.checksum == f"crc64nvme:{crc_text(medium.crc64nvme)}"
        assert (done.bytes, done.version_id) == (len(medium.content), self.s3.object(KEY).version_id)

    def refused(self, wanted: TransferRequest, expected: TransferError, *, stored: bool) -> None:
        """Check that there is no object, and that the reason is correct."""
        refusal = refused(wanted, self.bucket)
        assert type(refusal) is type(expected), refusal
        assert refusal.reason.startswith(expected.reason), refusal
        assert bool(self.s3.keys) == stored
        assert all(upload.parts for upload in self.s3.objects.uploads.values())


def refused(wanted: TransferRequest, bucket: Bucket) -> TransferError:
    """The error of a transfer that stores nothing."""
    try:
        done = transfer(wanted, bucket)
    except TransferError as refusal:
        return refusal
    raise AssertionError(f"it is there: {done}")
