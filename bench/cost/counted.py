"""The billed usage of a call, a video, a month: tests/docs/test_cost.py runs the functions and counts."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from bench.cost.assumed import ASK_SECONDS, PER_MESSAGE, RECEIVER_MB, START_SECONDS, archive, copying, gb_seconds
from bench.cost.prices import MONTH, Usage, write_units
from dailies.providers import every_provider
from dailies.providers.contract import Provider

RECEIVE = gb_seconds(RECEIVER_MB, 1)
ADVANCE = gb_seconds(256, 2)
TRACK = gb_seconds(256, 1)


@dataclass(frozen=True, slots=True)
class Call:
    """A provider's call, one of those in events/, and its consequences: its job's row and its published events.

    `row_bytes`: its event row's size. `log_bytes`: of the receiver, and of the functions that follow; the API's own
    lines are included. `found`: media for the archive's queue. `told`: events on the bus. `known`: the job has a row
    already, whose entry in the index moves.
    """

    event: str
    row_bytes: int
    log_bytes: tuple[int, int]
    found: int = 0
    told: int = 0
    known: bool = False

    @property
    def received(self) -> Usage:
        """The usage until the response."""
        asked = Usage(requests=1, invocations=1, gb_seconds=RECEIVE)
        return asked + Usage(writes=write_units(self.row_bytes), log_bytes=self.log_bytes[0])

    @property
    def whole(self) -> Usage:
        """The complete usage."""
        merged = Usage(invocations=1, gb_seconds=ADVANCE, reads=1, writes=3 if self.known else 2)
        told = Usage(invocations=1, gb_seconds=announce(self.found + min(self.told, 1)), events=self.told)
        return self.received + merged + told + Usage(log_bytes=self.log_bytes[1])


def announce(calls: int) -> float:
    """The GB-seconds of announce, for this number of AWS calls: a message for each medium, a page, the bus. Without any
    call it still reads the change."""
    return gb_seconds(256, max(1, calls))


SYNC, BATCH = "sync/generation", "sync/batch"
CREATIFY, CAPTIONS = "creatify/product_to_videos", "captions/creator"

# Sync's and Captions' calls usually are a job's first, and report its end. Creatify calls at each status change: these
# are a video's calls, in order.
USUAL = {
    SYNC: [Call("sync_generation/completed", 974, (470, 206), found=1, told=1)],
    BATCH: [Call("sync_batch/completed", 750, (436, 158), found=1, told=1)],
    CREATIFY: [
        Call("creatify_product_to_video/image_generating", 861, (491, 116)),
        Call("creatify_product_to_video/image_generated", 1005, (491, 206), found=1, told=1, known=True),
        Call("creatify_product_to_video/video_generating", 1014, (491, 116), known=True),
        Call("creatify_product_to_video/video_generated", 1125, (491, 206), found=1, told=1, known=True),
    ],
    CAPTIONS: [Call("captions_creator/success", 1011, (443, 174), found=1, told=1)],
}
# The most expensive call, for a job that the owner's app reported, without an earlier call.
DEAREST = {
    SYNC: replace(USUAL[SYNC][0], known=True),
    BATCH: replace(USUAL[BATCH][0], known=True),
    CREATIFY: replace(USUAL[CREATIFY][-1], found=2),
    CAPTIONS: replace(USUAL[CAPTIONS][0], known=True),
}
# A job that the owner's app reports, until it has its row. The event is the app's own.
TRACKED = Usage(invocations=3, gb_seconds=TRACK + ADVANCE + announce(0), writes=3, reads=1, events=1, log_bytes=349)

# A 20 MB video, from its message to a settled job. Creatify's is the second medium of its job.
SETTLED = ADVANCE + announce(2)
_video = Usage(
    invocations=3, gb_seconds=archive(copying()) + SETTLED, writes=4, reads=2, events=2, messages=PER_MESSAGE, objects=2
)
VIDEOS = {
    SYNC: _video + Usage(log_bytes=745),
    CREATIFY: _video + Usage(writes=1, log_bytes=749),
    CAPTIONS: _video + Usage(log_bytes=750),
}
# Creatify's API is polled first: a request of its rate limit. Its response is recorded and merged; nothing is
# published.
READ_BACK = Usage(
    invocations=5,
    gb_seconds=archive(ASK_SECONDS + copying()) + SETTLED + ADVANCE + announce(0),
    writes=11,
    reads=5,
    events=2,
    messages=PER_MESSAGE,
    objects=2,
    log_bytes=1049,
)

# A run of each of the two schedules without work, and the extra cost of a receiver's new instance.
LOOK = Usage(invocations=1, gb_seconds=gb_seconds(256, 1), secrets=1)
RUNS = MONTH // 300
START = Usage(gb_seconds=START_SECONDS / 2, secrets=2)
MEASURED = {webhook.partition("/")[0] for webhook in USUAL}  # the providers whose calls are counted here
RECEIVERS = sum(len(every_provider()[name].webhooks) for name in MEASURED)  # a function for each webhook
SECRETS = sum(len(every_provider()[name].secrets) for name in MEASURED)
ALARMS = 21  # that the stack has


def sweep(providers: Collection[Provider]) -> Usage:
    """A run of reconcile with nothing to do. Per provider: four reads of the lists with stuck and with silent jobs;
    with an API as many for jobs to poll; if the API lists its newest jobs, its secret, which is read for that call."""
    with_api = sum(provider.has_api for provider in providers)
    with_list = sum(any(polling.list_jobs for polling in provider.polling.values()) for provider in providers)
    return Usage(
        invocations=1,
        gb_seconds=gb_seconds(256, 8 * len(providers) + 8 * with_api + with_list),
        reads=4 * len(providers) + 4 * with_api,
        secrets=with_list,
        log_bytes=171 * len(providers),
    )


SWEEP = sweep([every_provider()[name] for name in MEASURED])
