"""A medium in parts, several at once: for a host that answers ranges truthfully, by as many connections as pay.

One stream begins at the front. Where the host, not we, is what is waited for, more connections take ranges from the
back, until they meet. Each part passes through in pieces; one that fails is asked for again, alone.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from dailies.backoff import backoff
from dailies.errors import HostFailed, LinkDead, StorageFailed, TransferError
from dailies.jobs.models import Upload
from dailies.outbound import media
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.outbound.media import MediaResponse
from dailies.transfer import thread_time
from dailies.transfer.formats import IntegrityCheck
from dailies.transfer.multipart import MultipartObject
from dailies.transfer.upload import PIECE_BYTES, ChunkBuffer, PutStream, UploadedPart
from dailies.transfer.watchdog import Watchdog

MAX_CONNECTIONS = 16  # under a cap of 30 MB/s each, more than one core can pass on
GROWTH = 4  # 1, 4, 16
LOOK_SECONDS = 0.25  # between two looks at the speed
IDLE_SHARE = 0.4  # of a connection's time: where it waits less than that, we are what is waited for
PAYS = 1.15  # how much faster more connections must have made it to be followed by more
TRIES = 4  # of a connection, one after the other, before it is given up
PAUSE_SECONDS = 0.2  # after the first of them; doubles
PEEK_BYTES = 64 * 1024  # for a header that no part's bytes have shown
MAX_PEEKS = 64
MAX_RETRY_AFTER = 10.0  # seconds that a host may ask one connection to wait; for longer the whole transfer comes again

type Fill = Callable[[memoryview], int]
"""Fills a buffer with a medium's next bytes; less only at its end."""


class _ProgressSample(NamedTuple):
    """How far we are: seconds by the clock, seconds that each connection wanted a core for, bytes passed on."""

    at: float
    wanted: Mapping[threading.Thread, float]
    passed: int


class Parts:
    """One medium, whose first bytes have come, on its way into an upload of parts."""

    def __init__(
        self,
        *,
        url: str,
        ways: FetchPolicy,
        network: Network,
        watch: Watchdog,
        medium: MediaResponse,
        fill: Fill | None,
        whole: IntegrityCheck,
        target: MultipartObject,
        upload: Upload,
        sent: dict[int, UploadedPart],
    ) -> None:
        self._url = url
        self._ways = ways
        self._network = network
        self._watch = watch
        self._medium = medium
        self._fill = fill
        self._whole = whole
        self._target = target
        self._upload = upload
        self.sent = sent
        count = -(-upload.total // upload.part_bytes)
        self._todo = set(range(1, count + 1)) - sent.keys()
        self._under_way: set[int] = set()
        self._changed = threading.Condition()
        self._failure: TransferError | None = None  # of the connection that failed last
        self._out_of_time = False
        self._slowest = 0.0  # seconds that a part took
        self._passed = 0  # bytes
        self._several = medium.ranges and bool(medium.validator) and not whole.in_order
        self._threads: list[threading.Thread] = []

    def run(self) -> bool:
        """Send all parts. False where the time was over first; TransferError where one cannot be sent.

        A connection that fails leaves its part to the others: a host may take no more than one, or a link be for one.
        """
        self._start(self._stream if self._fill else self._ranges)
        if self._several:
            self._grow()
        for thread in self._threads:
            thread.join()
        try:
            if not self._todo:
                self._peek()
                return True
            if self._failure:
                raise self._failure
        except TransferError:
            if not self.sent or not (self._out_of_time or self._watch.left <= 0):
                raise
        return False

    def _start(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except TransferError as error:
                self._failure = error
            except Exception as error:  # noqa: BLE001  a thread's exception would be lost
                self._failure = StorageFailed(f"unexpected: {type(error).__name__}")

        thread = threading.Thread(target=guarded, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _grow(self) -> None:
        """Add connections while they pay. What those that are there wait for tells whether there is room for more."""
        best = 0.0
        since = self._mark()
        while len(self._threads) < MAX_CONNECTIONS and self._goes_on():
            now = self._mark()
            seconds = max(now.at - since.at, 0.001)
            speed = (now.passed - since.passed) / seconds
            both = now.wanted.keys() & since.wanted.keys()
            wanted = sum(now.wanted[thread] - since.wanted[thread] for thread in both)
            since = now
            if speed < best * PAYS:
                return
            if 1 - wanted / seconds / max(len(both), 1) > IDLE_SHARE:
                best = speed
                running = len(self._threads)
                for _ in range(min(running * GROWTH, MAX_CONNECTIONS) - running):
                    self._start(self._ranges)
                self._rest(LOOK_SECONDS)  # they must first get going
                since = self._mark()

    def _goes_on(self) -> bool:
        """Whether, LOOK_SECONDS later, there are parts for more connections and those that are there have not all
        failed."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(LOOK_SECONDS)
                break
        return bool(self._todo) and any(thread.is_alive() for thread in self._threads)

    def _mark(self) -> "_ProgressSample":
        wanted = {thread: thread_time.runnable_seconds(thread) for thread in self._threads if thread.is_alive()}
        return _ProgressSample(time.monotonic(), wanted, self._passed)

    def _stream(self) -> None:
        """Pass on the stream that has begun, from the front, until it comes to a part that another connection has."""
        with self._target.lane() as lane:
            frame = ChunkBuffer()
            next_number = 1
            while self._fill and self._take(next_number):
                try:
                    with self._or_left(next_number):
                        self._pass(next_number, self._fill, lane, frame)
                except (HostFailed, StorageFailed):
                    if not self._several:
                        raise
                    break
                next_number += 1
        self._medium.close()
        if self._several:
            self._ranges()

    def _ranges(self) -> None:
        """Ask for ranges, from the back. What fails is left, for others too, and after a pause there is another try."""
        medium: MediaResponse | None = None
        frame = ChunkBuffer()
        failures = 0
        with self._target.lane() as lane:
            try:
                while number := self._take():
                    try:
                        with self._or_left(number):
                            medium = self._range(number, medium, lane, frame)
                        failures = 0
                    except (HostFailed, StorageFailed) as error:
                        medium = None
                        failures += 1
                        asked = error.retry_after if isinstance(error, HostFailed) else 0
                        if failures == TRIES or asked > MAX_RETRY_AFTER or self._watch.left <= asked:
                            raise
                        pause = backoff(PAUSE_SECONDS, failures)
                        self._rest(max(pause, asked))
            finally:
                if medium:
                    medium.close()

    def _rest(self, seconds: float) -> None:
        """Wait, but no longer than there is something left to do."""
        with self._changed:
            self._changed.wait_for(lambda: not self._todo and not self._under_way, seconds)

    def _range(self, number: int, medium: MediaResponse | None, lane: PutStream, frame: ChunkBuffer) -> MediaResponse:
        """One part by a range of its own, by the connection of the one before where it still holds."""
        start = (number - 1) * self._upload.part_bytes
        medium = self._ask(start, min(start + self._upload.part_bytes, self._upload.total), medium)
        try:
            with self._watch.reading(medium):
                self._pass(number, medium.read_into, lane, frame)
        except BaseException:
            medium.close()
            raise
        return medium

    def _ask(self, start: int, end: int, medium: MediaResponse | None) -> MediaResponse:
        first = self._medium
        if medium:
            try:
                return medium.again(start, end)
            except (HostFailed, LinkDead):
                medium.close()  # the host ended the connection between two answers, as it may, or the link there

        def get(url: str) -> MediaResponse:
            return media.get(
                url,
                self._ways,
                self._network,
                start=start,
                end=end,
                validator=first.validator,
                codings=first.codings,
                address=first.place.address,
            )

        try:
            found = get(first.place.url)
        except LinkDead:  # what a redirect led to may die before the link itself
            found = get(self._url)
        if found.total != self._upload.total:
            found.close()
            raise HostFailed("the medium changed while it was fetched")
        return found

    def _pass(self, number: int, fill: Fill, lane: PutStream, frame: ChunkBuffer) -> None:
        """Pass one part through."""
        began = time.monotonic()
        start = (number - 1) * self._upload.part_bytes
        size = min(self._upload.part_bytes, self._upload.total - start)
        try:
            lane.begin(size, {"partNumber": str(number), "uploadId": self._upload.upload_id})
            for offset in range(0, size, PIECE_BYTES):
                piece = frame.piece[: min(PIECE_BYTES, size - offset)]
                if fill(piece) < len(piece):
                    raise HostFailed(f"cut short: less than {self._upload.total} bytes")
                with self._changed:
                    self._whole.feed(start + offset, piece)
                    self._passed += len(piece)
                lane.send(frame, len(piece))
            sent = lane.finish()
        except BaseException:
            lane.close()
            raise
        with self._changed:
            self.sent[number] = sent
            self._slowest = max(self._slowest, time.monotonic() - began)

    def _take(self, number: int = 0) -> int:
        """A part to send: the last one there is; for the stream that `number`, once no other connection tries it. 0
        where there is none, or no time is left for it."""
        with self._changed:
            self._changed.wait_for(lambda: number not in self._under_way)
            if not self._todo or (number and number not in self._todo):
                return 0
            if self._watch.left < self._slowest * 1.5:
                self._out_of_time = True
                return 0
            number = number or max(self._todo)
            self._todo.remove(number)
            self._under_way.add(number)
            return number

    @contextmanager
    def _or_left(self, number: int) -> Iterator[None]:
        """Send a part that was taken, or leave it to others."""
        try:
            yield
        finally:
            with self._changed:
                self._under_way.remove(number)
                if number not in self.sent:
                    self._todo.add(number)
                self._changed.notify_all()

    def _peek(self) -> None:
        """Fetch the few bytes that the container's check needs and that no part has shown in time."""
        total = self._upload.total
        piece = memoryview(bytearray(PEEK_BYTES))
        for _ in range(MAX_PEEKS):
            at = self._whole.next_gap(total)
            if at is None or not self._several:
                return
            size = min(PEEK_BYTES, total - at)
            with self._watch.over(self._ask(at, at + size, None)) as medium:
                if medium.read_into(piece[:size]) < size:
                    raise HostFailed("cut short: a range that was there is not")
            self._whole.feed(at, piece[:size])
