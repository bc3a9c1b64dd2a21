"""Hypothesis strategies: events of one job, and jobs that such events merge into.

Times, links and words come from small sets, so that events collide: at the same time, about the same medium, in the
same state. Jobs are made only by merging, so no impossible job is tested. A medium is drawn as a whole, which is faster
than field by field.
"""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from itertools import product

from hypothesis import strategies as st

from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job, JobError, MediaLink, MediaState, Origin, Receipt, Status, Upload
from dailies.providers.contract import Webhook
from dailies.providers.creatify import PRODUCT_TO_VIDEOS
from dailies.providers.sync import GENERATION

SIGNED = "SIGNED0123"  # in every query and token of a generated link, and nowhere else

MOMENTS = st.sampled_from([f"2026-01-15T10:30:0{second}.000000Z" for second in range(6)])
_LINKS = [
    f"https://{host}/{name}.mp4?X-Signature={SIGNED}&X-Expires={number}"
    for host, name, number in product(["h1.example", "h2.example"], ["one", "two"], range(4))
]
LINKS = st.sampled_from(_LINKS)
MEDIA = st.sampled_from([
    MediaLink(*known)
    for known in product(["output", "segment"], _LINKS, [None, Decimal("12.5")], ["", "", "0123abcd"])
])  # fmt: skip
WORDS: st.SearchStrategy[tuple[Status, str]] = st.sampled_from([
    ("pending", "PENDING"),
    ("processing", "PROCESSING"),
    ("completed", "COMPLETED"),
    ("failed", "FAILED"),
    ("failed", "REJECTED"),
    ("canceled", "CANCELED"),
    ("unknown", "UPSCALING"),
])  # fmt: skip
_ERRORS = [
    JobError(*known)
    for known in product(["", "timeout"], ["", "ß\x00", *map("no answer from {}".format, _LINKS)], [False, True])
]
BESIDE = st.sampled_from(
    list(
        product(
            [*_ERRORS, *(None for _ in _ERRORS)],
            [None, Decimal(0), Decimal(30), Decimal("12.5")],
            [None, "b-1", "b-2"],
            ["", "bearer (current)"],
        )
    )
)
TRIED: st.SearchStrategy[MediaState] = st.sampled_from(["pending", "failed", "lost"])
ARCHIVED = st.sampled_from(
    list(
        product(
            ["h1.example", "s3.example"],
            ["", "v1", "v2"],
            [1, 2, 3],
            ["sha256:YQ==", "sha256:Yg=="],
            [None, Decimal("12.512")],
            [0, 320],
            [0, 180],
            ["", "the provider said that it plays 9 s"],
        )
    )
)
UPLOADS = st.builds(
    Upload,
    key=st.just("media/sync/j-1/output-0123abcd.mp4"),
    upload_id=st.sampled_from(["u-1", "u-2"]),
    part_bytes=st.just(16 * 2**20),
    total=st.integers(16 * 2**20, 10**13),
    validator=st.sampled_from(["", '"etag"']),
)
ORIGINS: tuple[Origin, ...] = ("webhook", "poll", "track", "batch")
DIGESTS = st.integers(0, 9).map("{:064x}".format)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """The result of an attempt to archive one of the generated media."""
    medium, at = draw(MEDIA), draw(MOMENTS)
    if draw(st.booleans()):
        state, reason = draw(TRIED), draw(st.sampled_from(["cut short", "the host answered 404"]))
        return Receipt(role=medium.role, media_id=medium.media_id, state=state, at=at, reason=reason)
    host, version, size, checksum, seconds, width, height, note = draw(ARCHIVED)
    return Receipt(
        role=medium.role,
        media_id=medium.media_id,
        state="archived",
        at=at,
        source_host=host,
        key=f"media/sync/j-1/{medium.role}-{medium.media_id}.mp4",
        version_id=version,
        bytes=size,
        checksum=checksum,
        content_type="video/mp4",
        seconds=seconds,
        width=width,
        height=height,
        note=note,
    )


@st.composite
def events(draw: st.DrawFn, webhook: Webhook = GENERATION, *, clock: bool | None = None) -> Event:
    """A delivery's or the archive's event. `clock`: whether the provider sends its time; None for either."""
    event = Event(
        event_id=draw(DIGESTS),
        provider=webhook.provider,
        webhook=webhook.name,
        job_id="j-1",
        status="unknown",
        provider_status="",
        origin="archive",
        received_at=draw(MOMENTS),
    )
    if draw(st.integers(0, 2)) == 0:
        if draw(st.booleans()):
            return replace(event, upload=draw(UPLOADS))
        return replace(event, receipt=draw(receipts()))
    status, word = draw(WORDS)
    origin = draw(st.sampled_from(ORIGINS))
    has_clock = draw(st.booleans()) if clock is None else clock
    error, spent, parent, proof = draw(BESIDE)
    return replace(
        event,
        status=status,
        provider_status=word,
        occurred_at=draw(MOMENTS) if has_clock else None,
        origin=origin,
        contradiction=draw(st.sampled_from([None, "", "another link"])) if origin == "poll" else None,
        silent=origin == "poll" and draw(st.booleans()),
        media=tuple(draw(st.lists(MEDIA, max_size=2))),
        error=error,
        credits=spent,
        parent=parent,
        payload=b"what was said",
        proof=proof,
    )


def merged(events: list[Event]) -> Job:
    """The job that they merge into."""
    job = reduce(merge, events, None)
    assert job
    return job


HISTORIES = st.lists(events(), min_size=1, max_size=6) | st.lists(events(PRODUCT_TO_VIDEOS), min_size=1, max_size=6)
JOBS = st.lists(events(), min_size=1, max_size=4).map(merged)
