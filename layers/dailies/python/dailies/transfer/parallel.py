"""Fetches a medium's parts over several connections, if the host answers ranges correctly and more are faster.

One connection streams from the front. If the host is the bottleneck, more connections fetch ranges from the back, until
they meet. Each part is sent on in pieces. A part that fails is fetched again.
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

MAX_CONNECTIONS = 16  # at 30 MB/s each, more than one core can copy
GROWTH = 4  # factor: 1, 4, 16 connections
SAMPLE_SECONDS = 0.25  # between two samples of the speed
MIN_IDLE_SHARE = 0.4  # of a connection's time: if it waits less for the network, this function is the bottleneck
MIN_SPEEDUP = 1.15  # factor by which the last new connections must have raised the speed before more are added
MAX_ATTEMPTS = 4  # that fail in a row before a connection is given up
PAUSE_SECONDS = 0.2  # after the first failed attempt; doubles
PEEK_BYTES = 64 * 1024  # fetched for a box header that the check has not seen in order
MAX_PEEKS = 64  # a medium with more such headers is accepted by its length
MAX_RETRY_AFTER = 10.0  # seconds that one connection waits at the host's request; for more the transfer is retried

type Fill = Callable[[memoryview], int]
"""Fills a buffer with the next bytes and returns their number: less than its size only at the medium's end."""


class _ProgressSample(NamedTuple):
    """The progress at a time.

    `at`: seconds of the monotonic clock. `runnable`: seconds in which each thread ran or waited for a core. `copied`:
    bytes.
    """

    at: float
    runnable: Mapping[threading.Thread, float]
    copied: int


class Parts:
    """Copies the parts of one medium to a multipart upload.

    - `url`, `policy`, `network`: for further requests.
    - `watchdog`: ends responses that stall.
    - `medium`: the response to the first request.
    - `fill`: reads the rest of that response. None: parts are only fetched as ranges.
    - `integrity`: receives all bytes.
    - `target`, `upload`: where the parts go.
    - `sent`: the parts that are stored, by number. `run` adds to it.
    """

    def __init__(
        self,
        *,
        url: str,
        policy: FetchPolicy,
        network: Network,
        watchdog: Watchdog,
        medium: MediaResponse,
        fill: Fill | None,
        integrity: IntegrityCheck,
        target: MultipartObject,
        upload: Upload,
        sent: dict[int, UploadedPart],
    ) -> None:
        self._url = url
        self._policy = policy
        self._network = network
        self._watchdog = watchdog
        self._medium = medium
        self._fill = fill
        self._integrity = integrity
        self._target = target
        self._upload = upload
        self.sent = sent
        count = -(-upload.total // upload.part_bytes)
        self._todo = set(range(1, count + 1)) - sent.keys()
        self._in_progress: set[int] = set()
        self._changed = threading.Condition()
        self._failure: TransferError | None = None  # of the last connection that gave up
        self._out_of_time = False
        self._slowest = 0.0  # seconds of the slowest part
        self._copied = 0  # bytes
        self._parallel = medium.ranges and bool(medium.validator) and not integrity.in_order
        self._threads: list[threading.Thread] = []

    def run(self) -> bool:
        """Send all parts. False if the time limit came first, TransferError if a part cannot be sent.

        If a connection fails, the others fetch its part: a host, or a link, may allow only one connection.
        """
        self._start(self._stream if self._fill else self._ranges)
        if self._parallel:
            self._grow()
        for thread in self._threads:
            thread.join()
        try:
            if not self._todo:
                self._fill_gaps()
                return True
            if self._failure:
                raise self._failure
        except TransferError:
            if not self.sent or not (self._out_of_time or self._watchdog.left <= 0):
                raise
        return False

    def _start(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except TransferError as error:
                self._failure = error
            except Exception as error:  # noqa: BLE001  else a thread's exception is lost
                self._failure = StorageFailed(f"unexpected error: {type(error).__name__}")

        thread = threading.Thread(target=guarded, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _grow(self) -> None:
        """Add connections while the speed grows and the existing ones mostly wait for the network."""
        best = 0.0
        since = self._sample()
        while len(self._threads) < MAX_CONNECTIONS and self._has_work():
            now = self._sample()
            seconds = max(now.at - since.at, 0.001)
            speed = (now.copied - since.copied) / seconds
            both = now.runnable.keys() & since.runnable.keys()
            runnable = sum(now.runnable[thread] - since.runnable[thread] for thread in both)
            since = now
            if speed < best * MIN_SPEEDUP:
                return
            if 1 - runnable / seconds / max(len(both), 1) > MIN_IDLE_SHARE:
                best = speed
                running = len(self._threads)
                for _ in range(min(running * GROWTH, MAX_CONNECTIONS) - running):
                    self._start(self._ranges)
                self._pause(SAMPLE_SECONDS)  # let them reach their speed first
                since = self._sample()

    def _has_work(self) -> bool:
        """After SAMPLE_SECONDS: whether parts are left for more connections, and not all existing ones have failed."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join(SAMPLE_SECONDS)
                break
        return bool(self._todo) and any(thread.is_alive() for thread in self._threads)

    def _sample(self) -> "_ProgressSample":
        runnable = {thread: thread_time.runnable_seconds(thread) for thread in self._threads if thread.is_alive()}
        return _ProgressSample(time.monotonic(), runnable, self._copied)

    def _stream(self) -> None:
        """Send the parts of the first response, until one that another connection has."""
        with self._target.stream() as stream:
            buffer = ChunkBuffer()
            next_number = 1
            while self._fill and self._claim(next_number):
                try:
                    with self._claimed(next_number):
                        self._copy_part(next_number, self._fill, stream, buffer)
                except (HostFailed, StorageFailed):
                    if not self._parallel:
                        raise
                    break
                next_number += 1
        self._medium.close()
        if self._parallel:
            self._ranges()

    def _ranges(self) -> None:
        """Fetch parts as ranges, from the back. After a failure, pause and try again; others may take the part."""
        medium: MediaResponse | None = None
        buffer = ChunkBuffer()
        failures = 0
        with self._target.stream() as stream:
            try:
                while number := self._claim():
                    try:
                        with self._claimed(number):
                            medium = self._fetch_part(number, medium, stream, buffer)
                        failures = 0
                    except (HostFailed, StorageFailed) as error:
                        medium = None
                        failures += 1
                        retry_after = error.retry_after if isinstance(error, HostFailed) else 0
                        if (
                            failures == MAX_ATTEMPTS
                            or retry_after > MAX_RETRY_AFTER
                            or self._watchdog.left <= retry_after
                        ):
                            raise
                        pause = backoff(PAUSE_SECONDS, failures)
                        self._pause(max(pause, retry_after))
            finally:
                if medium:
                    medium.close()

    def _pause(self, seconds: float) -> None:
        """Wait for a number of seconds, or until all parts are sent."""
        with self._changed:
            self._changed.wait_for(lambda: not self._todo and not self._in_progress, seconds)

    def _fetch_part(
        self, number: int, medium: MediaResponse | None, stream: PutStream, buffer: ChunkBuffer
    ) -> MediaResponse:
        """Fetch one part as a range, over the connection of the part before if it is still open."""
        start = (number - 1) * self._upload.part_bytes
        medium = self._request(start, min(start + self._upload.part_bytes, self._upload.total), medium)
        try:
            with self._watchdog.watching(medium):
                self._copy_part(number, medium.read_into, stream, buffer)
        except BaseException:
            medium.close()
            raise
        return medium

    def _request(self, start: int, end: int, medium: MediaResponse | None) -> MediaResponse:
        first = self._medium
        if medium:
            try:
                return medium.again(start, end)
            except (HostFailed, LinkDead):
                medium.close()  # the host closed the connection, or the link has expired

        def get(url: str) -> MediaResponse:
            return media.get(
                url,
                self._policy,
                self._network,
                start=start,
                end=end,
                validator=first.validator,
                codings=first.codings,
                address=first.place.address,
            )

        try:
            found = get(first.place.url)
        except LinkDead:  # the target of a redirect may expire before the link
            found = get(self._url)
        if found.total != self._upload.total:
            found.close()
            raise HostFailed("the medium changed while it was fetched")
        return found

    def _copy_part(self, number: int, fill: Fill, stream: PutStream, buffer: ChunkBuffer) -> None:
        """Copy one part to S3."""
        began = time.monotonic()
        start = (number - 1) * self._upload.part_bytes
        size = min(self._upload.part_bytes, self._upload.total - start)
        try:
            stream.begin(size, {"partNumber": str(number), "uploadId": self._upload.upload_id})
            for offset in range(0, size, PIECE_BYTES):
                piece = buffer.piece[: min(PIECE_BYTES, size - offset)]
                if fill(piece) < len(piece):
                    raise HostFailed(f"cut short: less than {self._upload.total} bytes")
                with self._changed:
                    self._integrity.feed(start + offset, piece)
                    self._copied += len(piece)
                stream.send(buffer, len(piece))
            sent = stream.finish()
        except BaseException:
            stream.close()
            raise
        with self._changed:
            self.sent[number] = sent
            self._slowest = max(self._slowest, time.monotonic() - began)

    def _claim(self, number: int = 0) -> int:
        """Claim a part and return its number: the last one, or `number` as soon as no other connection is sending it.
        0 if it is sent, no part is left, or no time is left for a part."""
        with self._changed:
            self._changed.wait_for(lambda: number not in self._in_progress)
            if not self._todo or (number and number not in self._todo):
                return 0
            if self._watchdog.left < self._slowest * 1.5:  # a part may be half as slow again as the slowest so far
                self._out_of_time = True
                return 0
            number = number or max(self._todo)
            self._todo.remove(number)
            self._in_progress.add(number)
            return number

    @contextmanager
    def _claimed(self, number: int) -> Iterator[None]:
        """Send a claimed part inside. If it fails, the part is free again."""
        try:
            yield
        finally:
            with self._changed:
                self._in_progress.remove(number)
                if number not in self.sent:
                    self._todo.add(number)
                self._changed.notify_all()

    def _fill_gaps(self) -> None:
        """Fetch the bytes that the integrity check still needs, because the parts arrived in another order."""
        total = self._upload.total
        piece = memoryview(bytearray(PEEK_BYTES))
        for _ in range(MAX_PEEKS):
            at = self._integrity.next_gap(total)
            if at is None or not self._parallel:
                return
            size = min(PEEK_BYTES, total - at)
            with self._watchdog.closing(self._request(at, at + size, None)) as medium:
                if medium.read_into(piece[:size]) < size:
                    raise HostFailed("cut short: a range ended early")
            self._integrity.feed(at, piece[:size])
