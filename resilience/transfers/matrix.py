"""Faults of a transfer, at 1 MiB (one PUT) and at 40 MiB (three parts). The result is either the right object with the
right checksum, or no object and a reason. No upload stays open except one with parts, which the next transfer resumes.

Each fault has the variants that matter: a host with or without ranges, at the first response or at later ones, once or
permanent. `make proof` tests all of them at both sizes, the tests one of each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dailies.errors import HostFailed, LinkDead, MediumRefused, StorageFailed, TransferError
from resilience.transfers.long_media import MIB, LongMedium, long_medium
from simulators.s3 import S3Simulator

type Size = Literal["1 MiB", "40 MiB"]

SIZES: dict[Size, int] = {"1 MiB": MIB, "40 MiB": 40 * MIB}
ALWAYS = 1000  # times

RIGHT = None  # the right object needs no reason
CUT = HostFailed("cut short: ")
OTHER_RANGE = HostFailed("the host answered another range: ")
CHANGED = HostFailed("the medium changed while it was fetched")
BUSY = HostFailed("the host answered 429")
UNAVAILABLE = HostFailed("the host answered 503")
NO_SUCH_RANGE = HostFailed("the host answered 416")
WHOLE = HostFailed("the host answered a range with the whole")
STALLED = HostFailed("stalled: ")
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

type Trouble = Callable[[S3Simulator], object]


@dataclass(frozen=True)
class Row:
    """The fault: of the media host (`fault`), or of S3 (`s3`), for both sizes. The result: of each transfer in turn, if
    there are several. `tested` is the size in the tests."""

    title: str
    small: Outcome | tuple[Outcome, ...]
    large: Outcome | tuple[Outcome, ...]
    fault: str | None = None
    tls: bool = False
    s3: tuple[Trouble, Trouble] | None = None
    how: str = ""
    stored_though: Size | None = None  # the size of which S3 kept the object without a response
    tested: Size | None = None


def s3(operations: tuple[str, str], act: Callable[[S3Simulator, str], object]) -> tuple[Trouble, Trouble]:
    """The same fault in one operation for a small medium, and in another one for a large one."""
    small, large = operations
    return lambda s3_simulator: act(s3_simulator, small), lambda s3_simulator: act(s3_simulator, large)


PART, COMPLETE = ("PutObject", "UploadPart"), ("PutObject", "CompleteMultipartUpload")

MATRIX = [
    Row("cut early", CUT, CUT, "cut-with-length", tested="40 MiB"),
    Row("cut early", CUT, CUT, "plain-cut-with-length"),
    Row("cut early", HUNG_UP, HUNG_UP, "plain-reset-at-half"),
    Row("cut early", CUT, CUT, "cut-with-weak-etag"),
    Row("cut at a part boundary", CUT, CUT, "cut-at-part", tested="40 MiB"),
    Row("cut at a part boundary", CUT, CUT, "plain-cut-at-part"),
    Row("cut at a part boundary", (CUT, RIGHT), RIGHT, "cut-once"),
    Row("cut at a part boundary", CUT, CUT, "cut-then-cut-with-length"),
    Row("Content-Length too short", OTHER_RANGE, OTHER_RANGE, "length-too-short"),
    Row("Content-Length too short", CUT, CUT, "plain-length-too-short", tested="1 MiB"),
    Row("Content-Length too long", OTHER_RANGE, OTHER_RANGE, "length-too-long", tested="1 MiB"),
    Row("Content-Length too long", CUT, CUT, "plain-length-too-long"),
    Row("Content-Length too long", TOO_LARGE, TOO_LARGE, "plain-length-huge"),
    Row("Content-Length absent", RIGHT, RIGHT, "no-length", tested="40 MiB"),
    Row("Content-Length absent", RIGHT, RIGHT, "plain-no-length"),
    Row("Content-Length absent", CUT, CUT, "cut-without-length"),
    Row("Content-Length absent", CUT, CUT, "plain-cut-without-length"),
    Row("chunked and cut", CUT, CUT, "cut-chunked", tested="1 MiB"),
    Row("chunked and cut", CUT, CUT, "plain-cut-chunked"),
    Row("chunked and cut", RIGHT, RIGHT, "plain-chunked"),  # not at all
    Row("wrong range served", OTHER_RANGE, OTHER_RANGE, "wrong-content-range"),
    Row("wrong range served", (CUT, OTHER_RANGE), OTHER_RANGE, "cut-then-wrong-content-range", tested="40 MiB"),
    Row("206 for the whole", RIGHT, RIGHT, "partial-unasked"),
    Row("206 for the whole", RIGHT, RIGHT, "whole-as-range"),
    Row(
        "206 for the whole",
        (CUT, RIGHT),
        (OTHER_RANGE, OTHER_RANGE, RIGHT),  # the last one starts over
        "cut-then-whole-as-range",
        tested="40 MiB",
    ),
    Row("ETag changes between parts", RIGHT, RIGHT, "changing"),  # there is one response
    Row("ETag changes between parts", CUT, CHANGED, "cut-then-changing", tested="40 MiB"),
    Row("200 for a range", RIGHT, RIGHT, "range-ignored"),
    Row(
        "200 for a range",
        (CUT, RIGHT),
        (WHOLE, RIGHT),
        "cut-then-range-ignored",
        tested="40 MiB",
    ),
    Row("416", NO_SUCH_RANGE, NO_SUCH_RANGE, "range-not-satisfiable"),
    Row("416", (CUT, NO_SUCH_RANGE), NO_SUCH_RANGE, "cut-then-range-not-satisfiable", tested="1 MiB"),
    Row("429 with Retry-After", (BUSY, RIGHT), (BUSY, RIGHT), "busy-once", tested="1 MiB"),
    Row("429 with Retry-After", (CUT, BUSY, RIGHT), RIGHT, "cut-then-busy-once"),
    Row(
        "503 twice then fine",
        (UNAVAILABLE, UNAVAILABLE, RIGHT),
        (UNAVAILABLE, UNAVAILABLE, RIGHT),
        "unavailable-twice",
        tested="1 MiB",
    ),
    Row("503 twice then fine", (CUT, UNAVAILABLE, UNAVAILABLE, RIGHT), RIGHT, "cut-then-unavailable-twice"),
    Row("HTML with 200", PAGE, PAGE, "html-page", tested="1 MiB"),
    Row("HTML with 200", (CUT, PAGE), CHANGED, "cut-then-html-page"),
    Row("gzip unasked", COMPRESSED, COMPRESSED, "gzip-unasked", tested="1 MiB"),
    Row("gzip unasked", CUT, COMPRESSED, "cut-then-gzip-unasked"),
    Row("redirect loop", LOOP, LOOP, "redirect-to-itself", tested="1 MiB"),
    Row("redirect loop", CUT, LOOP, "cut-then-redirect-to-itself"),
    Row("slow drip", STALLED, STALLED, "body-drip", tested="1 MiB"),
    Row("slow drip", (CUT, STALLED), STALLED, "cut-then-body-drip"),
    Row("TLS cut", CUT, CUT, "cut-with-length", tls=True),
    Row("TLS cut", CUT, CUT, "plain-cut-without-length", tls=True),
    Row("TLS cut", HUNG_UP, HUNG_UP, "plain-reset-at-half", tls=True),
    # All bytes came, which the client cannot know.
    Row("TLS cut", HUNG_UP, HUNG_UP, "plain-end-unannounced", tls=True, tested="1 MiB"),
    Row("TLS cut", RIGHT, RIGHT, "plain-no-length", tls=True),  # not at all
    Row("TLS cut", (CUT, RIGHT), RIGHT, "cut-once", tls=True),
    Row("link over in the middle", (CUT, DEAD), DEAD, "cut-then-forbidden", tested="40 MiB"),
    Row(
        "S3 503 on a part",
        (SLOW_DOWN, RIGHT),
        RIGHT,
        s3=s3(PART, lambda s3, name: s3.fail(name)),
        how="once",
        tested="40 MiB",
    ),
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
        tested="40 MiB",
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
        tested="40 MiB",
    ),
    Row(
        "complete answered 200 with an error inside",
        INTERNAL,
        INTERNAL,
        s3=s3(COMPLETE, lambda s3, name: s3.fail(name, status=200, code="InternalError", times=ALWAYS)),
        how="always",
    ),
    Row("duplicate message", (RIGHT, RIGHT), (RIGHT, RIGHT), how="one after the other"),
    Row("duplicate message", (RIGHT, RIGHT), (RIGHT, RIGHT), how="at once", tested="40 MiB"),
    Row("killed in the middle", RIGHT, RIGHT, "stall-at-half", how="killed", tested="40 MiB"),
]


@dataclass(frozen=True)
class Cell:
    """A row at a size."""

    row: Row
    size: Size

    def __str__(self) -> str:
        how = [*filter(None, (self.row.fault, self.row.how, "over TLS" if self.row.tls else ""))]
        return f"{self.row.title} ({', '.join(how)}), {self.size}"

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The results of each transfer in turn."""
        outcomes = self.row.small if self.size == "1 MiB" else self.row.large
        return outcomes if isinstance(outcomes, tuple) else (outcomes,)

    @property
    def medium(self) -> LongMedium:
        """The served and expected medium."""
        medium = long_medium(SIZES[self.size])
        if self.row.fault != "changing":
            return medium
        *pieces, last = medium.pieces
        return LongMedium((*pieces, last[:-1] + b"\1"))  # its first version


CELLS = [Cell(row, size) for row in MATRIX for size in SIZES]
TESTED = [cell for cell in CELLS if cell.row.tested == cell.size]
