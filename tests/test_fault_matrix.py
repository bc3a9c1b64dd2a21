"""What may go wrong with a transfer, at 1 MiB (one object by one call) and at 40 MiB (three parts): either the right
object with the right checksum, or no object and a reason; and no upload left open but one that has parts, which the
next transfer goes on with.

Each fault comes in the variants that differ for us: of a host that knows ranges and of one that does not, at the first
answer and at those behind it, once and for good. The transfers run beside each other; the first test starts those of
all tests that were chosen.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
from botocore.credentials import Credentials

from dailies import outbound, watch
from dailies.bucket import Bucket
from dailies.errors import HostFailed, LinkDead, MediumRefused, StorageFailed, TransferError
from dailies.models import Upload
from dailies.outbound import Network
from dailies.transfer import Order, Stored, transfer
from dailies.uploading import crc_text
from local.media_host import MediaHost, media_host
from local.sink import BUCKET, Sink, sink
from local.sink.signature import ACCESS_KEY, SECRET_KEY
from tests.long_media import MIB, LongMedium, long_medium
from tests.transfers import KEY, kept, order
from tests.victim import killed_transfer

SIZES = {"1 MiB": MIB, "40 MiB": 40 * MIB}
AT_ONCE = 4  # transfers; most of them wait for something
ALWAYS = 1000  # times

RIGHT = None  # of the right object there is nothing to say
CUT = HostFailed("cut short: ")
OTHER_RANGE = HostFailed("the host answered another range: ")
CHANGED = HostFailed("the medium changed while it was fetched")
BUSY = HostFailed("the host answered 429")
UNAVAILABLE = HostFailed("the host answered 503")
NO_SUCH_RANGE = HostFailed("the host answered 416")
WHOLE = HostFailed("the host answered a range with the whole")
STALLED = HostFailed("stalled: no ")
HUNG_UP = HostFailed("the host hung up")
PAGE = MediumRefused("not video: an HTML page")
COMPRESSED = MediumRefused("the host compressed what was asked for as it is")
LOOP = MediumRefused("more than 5 redirects")
TOO_LARGE = MediumRefused("larger than the limit of ")
DEAD = LinkDead("the host answered 403")
SLOW_DOWN = StorageFailed("S3 answered SlowDown")
INTERNAL = StorageFailed("S3 answered InternalError")
MUTE = StorageFailed("S3 did not answer: ")

type Outcome = TransferError | None
"""What a transfer comes to; of a reason, how it begins."""

type Trouble = Callable[[Sink], object]


@dataclass(frozen=True)
class Row:
    """What goes wrong: with the media host (`fault`), or with S3 (`s3`), there for either size. What comes of it: of
    one transfer after the other, where there are several."""

    title: str
    small: Outcome | tuple[Outcome, ...]
    large: Outcome | tuple[Outcome, ...]
    fault: str | None = None
    tls: bool = False
    s3: tuple[Trouble, Trouble] | None = None
    how: str = ""
    stored_though: str = ""  # of which size S3 kept the object, though it did not tell


def s3(operations: tuple[str, str], act: Callable[[Sink, str], object]) -> tuple[Trouble, Trouble]:
    """The same trouble with one operation for a small medium, and with another one for a large one."""
    small, large = operations
    return lambda sink: act(sink, small), lambda sink: act(sink, large)


PART, COMPLETE = ("PutObject", "UploadPart"), ("PutObject", "CompleteMultipartUpload")

MATRIX = [
    Row("cut early", CUT, CUT, "cut-with-length"),
    Row("cut early", CUT, CUT, "plain-cut-with-length"),
    Row("cut early", HUNG_UP, HUNG_UP, "plain-reset-at-half"),
    Row("cut early", CUT, CUT, "cut-with-weak-etag"),
    Row("cut at a part boundary", CUT, CUT, "cut-at-part"),
    Row("cut at a part boundary", CUT, CUT, "plain-cut-at-part"),
    Row("cut at a part boundary", (CUT, RIGHT), RIGHT, "cut-once"),
    Row("cut at a part boundary", CUT, CUT, "cut-then-cut-with-length"),
    Row("Content-Length too short", OTHER_RANGE, OTHER_RANGE, "length-too-short"),
    Row("Content-Length too short", CUT, CUT, "plain-length-too-short"),
    Row("Content-Length too long", OTHER_RANGE, OTHER_RANGE, "length-too-long"),
    Row("Content-Length too long", CUT, CUT, "plain-length-too-long"),
    Row("Content-Length too long", TOO_LARGE, TOO_LARGE, "plain-length-huge"),
    Row("Content-Length absent", RIGHT, RIGHT, "no-length"),
    Row("Content-Length absent", RIGHT, RIGHT, "plain-no-length"),
    Row("Content-Length absent", CUT, CUT, "cut-without-length"),
    Row("Content-Length absent", CUT, CUT, "plain-cut-without-length"),
    Row("chunked and cut", CUT, CUT, "cut-chunked"),
    Row("chunked and cut", CUT, CUT, "plain-cut-chunked"),
    Row("chunked and cut", RIGHT, RIGHT, "plain-chunked"),  # not at all
    Row("wrong range served", OTHER_RANGE, OTHER_RANGE, "wrong-content-range"),
    Row("wrong range served", (CUT, OTHER_RANGE), OTHER_RANGE, "cut-then-wrong-content-range"),
    Row("206 for the whole", RIGHT, RIGHT, "partial-unasked"),
    Row("206 for the whole", RIGHT, RIGHT, "whole-as-range"),
    Row("206 for the whole", (CUT, RIGHT), (OTHER_RANGE, OTHER_RANGE, RIGHT), "cut-then-whole-as-range"),  # then anew
    Row("ETag changes between parts", RIGHT, RIGHT, "changing"),  # there is one answer
    Row("ETag changes between parts", CUT, CHANGED, "cut-then-changing"),
    Row("200 for a range", RIGHT, RIGHT, "range-ignored"),
    Row(
        "200 for a range",
        (CUT, RIGHT),
        (WHOLE, RIGHT),
        "cut-then-range-ignored",
    ),
    Row("416", NO_SUCH_RANGE, NO_SUCH_RANGE, "range-not-satisfiable"),
    Row("416", (CUT, NO_SUCH_RANGE), NO_SUCH_RANGE, "cut-then-range-not-satisfiable"),
    Row("429 with Retry-After", (BUSY, RIGHT), (BUSY, RIGHT), "busy-once"),
    Row("429 with Retry-After", (CUT, BUSY, RIGHT), RIGHT, "cut-then-busy-once"),
    Row(
        "503 twice then fine", (UNAVAILABLE, UNAVAILABLE, RIGHT), (UNAVAILABLE, UNAVAILABLE, RIGHT), "unavailable-twice"
    ),
    Row("503 twice then fine", (CUT, UNAVAILABLE, UNAVAILABLE, RIGHT), RIGHT, "cut-then-unavailable-twice"),
    Row("HTML with 200", PAGE, PAGE, "html-page"),
    Row("HTML with 200", (CUT, PAGE), CHANGED, "cut-then-html-page"),
    Row("gzip unasked", COMPRESSED, COMPRESSED, "gzip-unasked"),
    Row("gzip unasked", CUT, COMPRESSED, "cut-then-gzip-unasked"),
    Row("redirect loop", LOOP, LOOP, "redirect-to-itself"),
    Row("redirect loop", CUT, LOOP, "cut-then-redirect-to-itself"),
    Row("slow drip", STALLED, STALLED, "body-drip"),
    Row("slow drip", (CUT, STALLED), STALLED, "cut-then-body-drip"),
    Row("TLS cut", CUT, CUT, "cut-with-length", tls=True),
    Row("TLS cut", CUT, CUT, "plain-cut-without-length", tls=True),
    Row("TLS cut", HUNG_UP, HUNG_UP, "plain-reset-at-half", tls=True),
    Row("TLS cut", HUNG_UP, HUNG_UP, "plain-end-unannounced", tls=True),  # all of it came, which nobody can know
    Row("TLS cut", RIGHT, RIGHT, "plain-no-length", tls=True),  # not at all
    Row("TLS cut", (CUT, RIGHT), RIGHT, "cut-once", tls=True),
    Row("link over in the middle", (CUT, DEAD), DEAD, "cut-then-forbidden"),
    Row("S3 503 on a part", (SLOW_DOWN, RIGHT), RIGHT, s3=s3(PART, lambda s3, name: s3.fail(name)), how="once"),
    Row(
        "S3 503 on a part",
        (SLOW_DOWN, RIGHT),
        (SLOW_DOWN, RIGHT),
        "range-ignored",
        s3=s3(PART, lambda s3, name: s3.fail(name)),
        how="once",
    ),
    Row(
        "S3 503 on a part",
        SLOW_DOWN,
        SLOW_DOWN,
        s3=s3(PART, lambda s3, name: s3.fail(name, times=ALWAYS)),
        how="always",
    ),
    Row("S3 time-out on complete", (MUTE, RIGHT), RIGHT, s3=s3(COMPLETE, lambda s3, name: s3.hang(name)), how="once"),
    Row(
        "S3 time-out on complete",
        (MUTE, RIGHT),
        RIGHT,
        s3=s3(COMPLETE, lambda s3, name: s3.hang(name, late=True)),
        how="when it was done",
        stored_though="1 MiB",
    ),
    Row(
        "S3 time-out on complete",
        MUTE,
        MUTE,
        s3=s3(COMPLETE, lambda s3, name: s3.hang(name, times=ALWAYS)),
        how="always",
    ),
    Row(
        "complete answered 200 with an error inside",
        (INTERNAL, RIGHT),
        RIGHT,
        s3=s3(COMPLETE, lambda s3, name: s3.fail(name, status=200, code="InternalError")),
        how="once",
    ),
    Row(
        "complete answered 200 with an error inside",
        INTERNAL,
        INTERNAL,
        s3=s3(COMPLETE, lambda s3, name: s3.fail(name, status=200, code="InternalError", times=ALWAYS)),
        how="always",
    ),
    Row("duplicate message", (RIGHT, RIGHT), (RIGHT, RIGHT), how="one after the other"),
    Row("duplicate message", (RIGHT, RIGHT), (RIGHT, RIGHT), how="at once"),
    Row("killed in the middle", RIGHT, RIGHT, "stall-at-half", how="killed"),
]

TITLES = {row.title for row in MATRIX}


@dataclass(frozen=True)
class Cell:
    """A row at a size."""

    row: Row
    size: str

    def __str__(self) -> str:
        how = [*filter(None, (self.row.fault, self.row.how, "over TLS" if self.row.tls else ""))]
        return f"{self.row.title} ({', '.join(how)}), {self.size}"

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Of one transfer after the other."""
        outcomes = self.row.small if self.size == "1 MiB" else self.row.large
        return outcomes if isinstance(outcomes, tuple) else (outcomes,)

    @property
    def medium(self) -> LongMedium:
        """What is served and expected."""
        medium = long_medium(SIZES[self.size])
        if self.row.fault != "changing":
            return medium
        *pieces, last = medium.pieces
        return LongMedium((*pieces, last[:-1] + b"\1"))  # its first version


CELLS = [Cell(row, size) for row in MATRIX for size in SIZES]


class Run:
    """The transfers of a cell, between a media host and an S3 of their own."""

    def __init__(self, cell: Cell, number: int, host: MediaHost, sink: Sink) -> None:
        self.cell = cell
        self.s3 = sink
        client = sink.client(retries={"total_max_attempts": 3}, read_timeout=STORAGE_SECONDS)
        self.bucket = Bucket(lambda: client, BUCKET, credentials=Credentials(ACCESS_KEY, SECRET_KEY))
        self.path = f"/{number}/{cell.size.replace(' ', '-')}.mp4"
        self.host = host
        self.order = self.to(cell.row.fault)

    def to(self, fault: str | None) -> Order:
        """The order for the medium of a host with that fault."""
        wanted = order(self.host.url(self.path, fault=fault))
        return replace(wanted, network=Network(ca_file=str(self.host.ca_file))) if self.host.ca_file else wanted

    def one_after_the_other(self) -> None:
        if self.cell.row.s3:
            self.cell.row.s3[self.cell.size != "1 MiB"](self.s3)
        begun: list[Upload] = []
        for number, expected in enumerate(self.cell.outcomes):
            wanted = replace(self.order, began=begun.append, resume=begun[-1] if begun else None)
            if expected is RIGHT:
                self.right(transfer(wanted, self.bucket))
            else:
                self.refused(wanted, expected, stored=number == 0 and self.cell.row.stored_though == self.cell.size)

    def at_once(self) -> None:
        """As when a queue hands out a message twice."""
        with ThreadPoolExecutor(2) as both:
            first, second = both.map(transfer, [self.order] * 2, [self.bucket] * 2)
        self.right(first)
        self.right(second)

    def killed(self) -> None:
        """As when a function runs out of its time: what it had begun is gone on with, or of no effect."""
        begun = killed_transfer(self.order.url, self.s3, self._in_the_middle)
        assert self.s3.keys == []
        self.s3.calls.clear()
        self.right(transfer(replace(self.to(None), resume=begun), self.bucket))
        large = self.cell.size == "40 MiB"
        assert (begun is not None, self.s3.calls["CreateMultipartUpload"]) == (large, 0)
        assert self.s3.calls["UploadPart"] == (1 if large else 0)  # the other one is there

    def _in_the_middle(self) -> bool:
        return any(upload.parts for upload in list(self.s3.objects.uploads.values())) or (
            self.s3.calls["PutObject"] > 0
        )

    def right(self, done: object) -> None:
        """There is the object, and what is said of it is true."""
        medium = self.cell.medium
        kept(self.s3, medium.content)
        assert self.s3.object(KEY).crc64nvme == medium.crc64nvme
        assert isinstance(done, Stored)
        assert done.checksum == f"crc64nvme:{crc_text(medium.crc64nvme)}"
        assert (done.bytes, done.version_id) == (len(medium.content), self.s3.object(KEY).version_id)

    def refused(self, wanted: Order, expected: TransferError, *, stored: bool) -> None:
        """There is none, and the reason says why."""
        with pytest.raises(TransferError) as refusal:
            transfer(wanted, self.bucket)
        assert type(refusal.value) is type(expected)
        assert refusal.value.reason.startswith(expected.reason)
        assert bool(self.s3.keys) == stored
        assert all(upload.parts for upload in self.s3.objects.uploads.values())


STORAGE_SECONDS = 3.0  # and the other times for a busy machine with AT_ONCE transfers: none of these is a few pieces'


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[Cell, Future[None]]]:
    """The transfers of all cells that were chosen."""
    ids = {item.name for item in request.session.items if item.path == request.path}
    chosen = [cell for cell in CELLS if f"{test_it_is_the_right_object_or_none_and_a_reason.__name__}[{cell}]" in ids]
    with pytest.MonkeyPatch.context() as shorter, media_host() as plain, media_host(tls=True) as secure:
        shorter.setattr(outbound, "STORAGE_SECONDS", STORAGE_SECONDS)
        shorter.setattr(watch, "STALL_SECONDS", 2.0)
        for host in (plain, secure):
            host.media |= {f"{name.replace(' ', '-')}.mp4": long_medium(size).medium for name, size in SIZES.items()}

        def run(number: int, cell: Cell) -> None:
            with sink(keep=True) as s3:
                one = Run(cell, number, secure if cell.row.tls else plain, s3)
                {"at once": one.at_once, "killed": one.killed}.get(cell.row.how, one.one_after_the_other)()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            started = {cell: pool.submit(run, number, cell) for number, cell in enumerate(chosen)}
            yield started
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_it_is_the_right_object_or_none_and_a_reason(cell: Cell, runs: dict[Cell, Future[None]]) -> None:
    runs[cell].result()


def test_the_matrix_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({str(cell) for cell in CELLS}) == len(CELLS)
    told = f"{len(TITLES)} faults in {len(MATRIX)} variants, {' and '.join(SIZES)}: {len(CELLS)} cells"
    with capsys.disabled():
        sys.stdout.write(f" {told} ")
    assert told == "24 faults in 61 variants, 1 MiB and 40 MiB: 122 cells"
