"""An MP4 is walked box by box, in any order of its bytes; its header has its duration and size.

The header's values are compared with PyAV, which uses FFmpeg's libraries.
"""

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from random import Random
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.transfer.mp4 import BoxWalk, MediaInfo
from simulators.media_host.samples import media, padded
from testkit.support import encoded_media
from tests.unit.transfer.test_formats import FTYP, box

type Options = dict[str, str]


def clip(form: str, *, options: Options | None = None, pictures: bool = True, sound: bool = False) -> bytes:
    """A second and more of grey pictures, of silence, or of both, written by FFmpeg."""
    file = BytesIO()
    with av.open(file, "w", format=form, options=options or {}) as container:
        frames: list[tuple[Any, Iterator[Any]]] = []
        if pictures:
            video = container.add_stream("libx264", rate=25, options={"g": "5", "threads": "1"})
            video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
            frames.append((video, greys(30)))
        if sound:
            frames.append((container.add_stream("aac", rate=48_000, layout="mono"), silence(60)))
        for stream, shown in frames:
            for frame in (*shown, None):
                container.mux(stream.encode(frame))
    return file.getvalue()


def greys(count: int) -> Iterator[av.VideoFrame]:
    for number in range(count):
        frame = av.VideoFrame(96, 64, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([100 + number]) * plane.buffer_size)
        frame.pts = number
        yield frame


def silence(count: int) -> Iterator[av.AudioFrame]:
    for number in range(count):
        frame = av.AudioFrame("fltp", "mono", 1024)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = 48_000, 1024 * number
        yield frame


WRITTEN = {
    "index last": clip("mp4"),
    "as QuickTime": clip("mov"),
    "picture and sound": clip("mp4", sound=True),
    "sound alone": clip("ipod", sound=True, pictures=False),
}
FRAGMENTED = clip("mp4", options={"movflags": "+frag_keyframe+empty_moov+default_base_moof"}, sound=True)

CLIPS = {name: medium.content for name, medium in media().items() if name.endswith(".mp4")}
CLIP = CLIPS["segment.mp4"]
INDEX_LAST = FTYP + box(b"mdat", bytes(500)) + box(b"moov", box(b"trak", bytes(range(200))))
PEEK = 64  # small, so that much must be peeked at


def walked(content: bytes, pieces: list[tuple[int, int]]) -> BoxWalk:
    """A walk that has seen these spans, and then peeked at what it still needed."""
    walk = BoxWalk()
    for start, end in pieces:
        walk.feed(start, memoryview(content)[start:end])
    for _ in range(len(content) + 1):
        at = walk.next_gap(len(content))
        if at is None:
            return walk
        assert 0 <= at < len(content), "there are no bytes there"
        walk.feed(at, content[at : at + PEEK])
    raise AssertionError("it never has enough")


def spans(content: bytes, cuts: list[int]) -> list[tuple[int, int]]:
    return list(pairwise([0, *sorted({at % len(content) for at in cuts} - {0}), len(content)]))


class TestOrder:
    @pytest.mark.parametrize("content", [CLIP, INDEX_LAST], ids=["index first", "index last"])
    @given(cuts=st.lists(st.integers(0, 10**6), max_size=12), random=st.randoms(use_true_random=False))
    def test_bytes_in_any_order_give_the_same_result(self, content: bytes, cuts: list[int], random: Random) -> None:
        pieces = spans(content, cuts)
        random.shuffle(pieces)
        walk = walked(content, pieces)
        assert walk.error(len(content)) == ""
        assert walk.media_info() == walked(content, [(0, len(content))]).media_info()

    @pytest.mark.parametrize("content", [CLIP, INDEX_LAST], ids=["index first", "index last"])
    def test_nothing_is_read_past_the_end_of_a_cut_file(self, content: bytes) -> None:
        for end in [*range(len(FTYP), 1000), *range(len(content) - 300, len(content))]:
            cut = content[: min(end, len(content) - 1)]
            walk = walked(cut, [(0, len(cut))])
            assert walk.error(len(cut)), f"cut at {len(cut)} of {len(content)}"

    @given(
        content=(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: FTYP + tail)).filter(
            lambda content: b"moov" not in content[:-8]  # with a box's header after it, it may be one that holds a box
        )
    )
    def test_no_bytes_are_too_odd(self, content: bytes) -> None:
        assert walked(content, [(0, len(content))]).error(len(content))

    @pytest.mark.parametrize("open_end", [False, True], ids=["with its size", "to the end"])
    @pytest.mark.parametrize("inside", [b"", b"\0\0\0\x08mvh", b"\0\0\0\x07mvhd", bytes(40)])
    def test_an_index_that_holds_no_box_is_none(self, inside: bytes, open_end: bool) -> None:
        index = (b"\0\0\0\0moov" + inside) if open_end else box(b"moov", inside)
        content = FTYP + box(b"mdat", b"p") + index
        assert walked(content, [(0, len(content))]).error(len(content)) == "the MP4's moov box is empty"

    def test_an_index_that_reaches_to_the_end_is_read(self) -> None:
        content = FTYP + box(b"mdat", b"p") + b"\0\0\0\0moov" + movie(0, 1000, 7000)
        walk = walked(content, spans(content, [len(content) - 50]))
        assert (walk.error(len(content)), walk.media_info().duration) == ("", 7.0)

    BOXES = st.tuples(
        st.integers(0, 40), st.sampled_from([b"moov", b"mdat", b"free", b"\0\0\0\0"]), st.binary(max_size=40)
    )

    @given(boxes=st.lists(BOXES, max_size=9), data=st.data())
    def test_boxes_of_any_size_have_an_end(self, boxes: list[tuple[int, bytes, bytes]], data: st.DataObject) -> None:
        content = FTYP + b"".join(size.to_bytes(4) + name + body for size, name, body in boxes)
        cuts = data.draw(st.lists(st.integers(0, len(content))))
        pieces = data.draw(st.permutations(spans(content, cuts)))
        assert walked(content, pieces).error(len(content)) == walked(content, spans(content, [])).error(len(content))


class TestFragments:
    """An MP4 written while it was recorded: its header has no length, and its boxes are many."""

    def test_it_is_complete_without_a_duration(self) -> None:
        assert FRAGMENTED.count(b"moof") > 3
        walk = walked(FRAGMENTED, [(0, len(FRAGMENTED))])
        assert walk.error(len(FRAGMENTED)) == ""
        assert walk.media_info() == MediaInfo(None, 96, 64)

    @given(cuts=st.lists(st.integers(0, 10**6), max_size=9), random=st.randoms(use_true_random=False))
    def test_it_is_walked_in_any_order(self, cuts: list[int], random: Random) -> None:
        pieces = spans(FRAGMENTED, cuts)
        random.shuffle(pieces)
        assert walked(FRAGMENTED, pieces).error(len(FRAGMENTED)) == ""

    def test_a_cut_within_a_fragment_is_detected(self) -> None:
        for end in range(len(FRAGMENTED) - 200, len(FRAGMENTED)):
            assert walked(FRAGMENTED[:end], [(0, end)]).error(end)


class TestFacts:
    @pytest.mark.parametrize("name", WRITTEN)
    def test_they_are_those_that_a_player_finds_however_it_was_written(self, name: str) -> None:
        content = WRITTEN[name]
        with av.open(BytesIO(content), "r") as container:
            assert container.duration
            duration = container.duration / av.time_base
            seen = [(video.width, video.height) for video in container.streams.video]
        walk = walked(content, [(0, len(content))])
        facts = walk.media_info()
        assert walk.error(len(content)) == ""
        assert facts.duration == pytest.approx(duration, abs=0.001)
        assert (facts.width, facts.height) == (seen[0] if seen else (None, None))

    @pytest.mark.parametrize("wide", [False, True], ids=["sizes of 32 bits", "sizes of 64 bits"])
    @pytest.mark.parametrize("version", [0, 1])
    def test_the_long_forms_of_sizes_and_times_are_known(self, version: int, wide: bool) -> None:
        content = (
            FTYP
            + box(b"moov", movie(version, 90_000, 450_450) + box(b"trak"), wide=wide)
            + box(b"mdat", b"p", wide=wide)
        )
        walk = walked(content, [(0, len(content))])
        assert walk.error(len(content)) == ""
        assert walk.media_info() == MediaInfo(5.005, None, None)

    def test_a_box_beyond_4_gib_is_stepped_over(self) -> None:
        """Only its head is needed, and what follows it."""
        front = FTYP + struct.pack(">I4sQ", 1, b"mdat", 5 * 2**30)
        total = len(FTYP) + 5 * 2**30 + len(back := box(b"moov", movie(1, 1000, 7000) + box(b"trak")))
        walk = BoxWalk()
        walk.feed(0, front)
        assert walk.next_gap(total) == total - len(back)
        walk.feed(total - len(back), back)
        assert (walk.next_gap(total), walk.error(total), walk.media_info().duration) == (None, "", 7.0)

    @pytest.mark.parametrize(
        ("version", "scale", "length"),
        [(0, 1000, 0), (0, 0, 7000), (0, 1000, 2**32 - 1), (1, 1000, 2**64 - 1), (2, 0, 0)],
    )
    def test_a_header_with_an_unknown_duration_gives_none(self, version: int, scale: int, length: int) -> None:
        content = FTYP + box(b"moov", movie(version, scale, length)) + box(b"mdat", b"p")
        assert walked(content, [(0, len(content))]).media_info().duration is None

    @pytest.mark.parametrize("name", CLIPS)
    def test_duration_and_size_are_those_that_a_player_finds(self, name: str) -> None:
        with av.open(BytesIO(CLIPS[name]), "r") as container:
            (video,) = container.streams.video
            assert container.duration
            expected = MediaInfo(container.duration / av.time_base, video.width, video.height)
        facts = walked(CLIPS[name], [(0, len(CLIPS[name]))]).media_info()
        assert facts.duration == pytest.approx(expected.duration, abs=0.001)
        assert (facts.width, facts.height) == (expected.width, expected.height)

    def test_padding_changes_nothing(self) -> None:
        longer = padded(CLIP, len(CLIP) + 4096)
        assert walked(longer, [(0, len(longer))]).media_info() == walked(CLIP, [(0, len(CLIP))]).media_info()

    @given(moov=st.binary(max_size=200) | st.binary(max_size=150).map(lambda body: box(b"mvhd", body)))
    def test_a_header_that_is_odd_says_nothing_or_something(self, moov: bytes) -> None:
        content = FTYP + box(b"moov", moov) + box(b"mdat", b"p")
        facts = walked(content, [(0, len(content))]).media_info()
        assert facts.duration is None or facts.duration >= 0


def movie(version: int, scale: int, length: int) -> bytes:
    """A movie's header: units a second, and its duration in units."""
    times = struct.pack(">QQIQ" if version == 1 else ">IIII", 0, 0, scale, length)
    return box(b"mvhd", bytes([version, 0, 0, 0]) + times + bytes(80))


class TestDuration:
    """The movie's header counts the first fragment at most; `mehd` counts all of them, if a muxer writes it."""

    MVHD = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 1045) + bytes(80))

    @pytest.mark.parametrize(
        ("more", "seconds"),
        [
            (b"", 1.045),
            (box(b"mvex"), None),
            (box(b"mvex", box(b"mehd", bytes(4) + struct.pack(">I", 5000))), 5.0),
            (box(b"mvex", box(b"mehd", b"\1\0\0\0" + struct.pack(">Q", 5000))), 5.0),
            (box(b"mvex", box(b"mehd", b"\1")), None),
        ],
    )
    def test_how_long_it_plays(self, more: bytes, seconds: float | None) -> None:
        content = FTYP + box(b"moov", self.MVHD + more + box(b"trak")) + box(b"mdat", b"p")
        assert walked(content, [(0, len(content))]).media_info().duration == seconds


def test_a_turned_video_has_the_size_that_is_shown() -> None:
    content = bytearray(encoded_media.clip("mp4", "libx264"))
    at = content.index(b"tkhd") + 4 + 40  # the matrix
    assert walked(bytes(content), [(0, len(content))]).media_info().width == encoded_media.WIDTH
    content[at : at + 20] = struct.pack(">5i", 0, 65536, 0, -65536, 0)
    info = walked(bytes(content), [(0, len(content))]).media_info()
    assert (info.width, info.height) == (encoded_media.HEIGHT, encoded_media.WIDTH)


def test_a_heic_has_the_size_of_its_largest_picture_as_it_is_shown() -> None:
    def ispe(width: int, height: int) -> bytes:
        return box(b"ispe", bytes(4) + struct.pack(">II", width, height))

    for turn, shown in ((b"\0", (320, 180)), (b"\1", (180, 320)), (b"\2", (320, 180)), (b"\3", (180, 320))):
        properties = box(b"iprp", box(b"ipco", ispe(160, 90) + ispe(320, 180) + box(b"irot", turn)))
        content = (
            box(b"ftyp", b"heic") + box(b"meta", bytes(4) + box(b"hdlr", bytes(20)) + properties) + box(b"mdat", b"p")
        )
        walk = BoxWalk("HEIC", frozenset({b"meta", b"mdat"}))
        walk.feed(0, content)
        info = walk.media_info()
        assert (walk.error(len(content)), (info.width, info.height)) == ("", shown)
