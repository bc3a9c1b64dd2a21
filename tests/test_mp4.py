"""An MP4 is walked box by box, whatever order its bytes come in; its header says how long it plays and how large it is.

What the header says is held against PyAV, which reads it by FFmpeg's libraries.
"""

from io import BytesIO
from itertools import pairwise
from random import Random

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.mp4 import BoxWalk, Facts
from local.media import media, padded
from tests.test_containers import FTYP, box

CLIPS = {name: medium.content for name, medium in media().items() if name.endswith(".mp4")}
CLIP = CLIPS["segment.mp4"]
INDEX_LAST = FTYP + box(b"mdat", bytes(500)) + box(b"moov", bytes(range(200)))
PEEK = 64  # small, so that much must be peeked at


def walked(content: bytes, pieces: list[tuple[int, int]]) -> BoxWalk:
    """A walk that has seen these spans of it, and then peeked at what it still needed."""
    walk = BoxWalk()
    for start, end in pieces:
        walk.see(start, memoryview(content)[start:end])
    for _ in range(len(content) + 1):
        at = walk.missing(len(content))
        if at is None:
            return walk
        assert 0 <= at < len(content), "there are no bytes there"
        walk.see(at, content[at : at + PEEK])
    raise AssertionError("it never has enough")


def spans(content: bytes, cuts: list[int]) -> list[tuple[int, int]]:
    return list(pairwise([0, *sorted({at % len(content) for at in cuts} - {0}), len(content)]))


class TestOrder:
    @pytest.mark.parametrize("content", [CLIP, INDEX_LAST], ids=["index first", "index last"])
    @given(cuts=st.lists(st.integers(0, 10**6), max_size=12), random=st.randoms(use_true_random=False))
    def test_bytes_in_any_order_tell_the_same(self, content: bytes, cuts: list[int], random: Random) -> None:
        pieces = spans(content, cuts)
        random.shuffle(pieces)
        walk = walked(content, pieces)
        assert walk.problem(len(content)) == ""
        assert walk.facts() == walked(content, [(0, len(content))]).facts()

    @pytest.mark.parametrize("content", [CLIP, INDEX_LAST], ids=["index first", "index last"])
    def test_of_a_file_that_was_cut_nothing_is_looked_for_behind_its_end(self, content: bytes) -> None:
        for end in [*range(len(FTYP), 1000), *range(len(content) - 300, len(content))]:
            cut = content[: min(end, len(content) - 1)]
            walk = walked(cut, [(0, len(cut))])
            assert walk.problem(len(cut)), f"cut at {len(cut)} of {len(content)}"

    @given(content=st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: FTYP + tail))
    def test_no_bytes_are_too_odd(self, content: bytes) -> None:
        assert walked(content, [(0, len(content))]).problem(len(content))

    BOXES = st.tuples(
        st.integers(0, 40), st.sampled_from([b"moov", b"mdat", b"free", b"\0\0\0\0"]), st.binary(max_size=40)
    )

    @given(boxes=st.lists(BOXES, max_size=9), data=st.data())
    def test_boxes_of_any_size_have_an_end(self, boxes: list[tuple[int, bytes, bytes]], data: st.DataObject) -> None:
        content = FTYP + b"".join(size.to_bytes(4) + name + body for size, name, body in boxes)
        cuts = data.draw(st.lists(st.integers(0, len(content))))
        pieces = data.draw(st.permutations(spans(content, cuts)))
        assert walked(content, pieces).problem(len(content)) == walked(content, spans(content, [])).problem(
            len(content)
        )


class TestFacts:
    @pytest.mark.parametrize("name", CLIPS)
    def test_duration_and_size_are_those_that_a_player_finds(self, name: str) -> None:
        with av.open(BytesIO(CLIPS[name]), "r") as container:
            (video,) = container.streams.video
            assert container.duration
            expected = Facts(container.duration / av.time_base, video.width, video.height)
        facts = walked(CLIPS[name], [(0, len(CLIPS[name]))]).facts()
        assert facts.duration == pytest.approx(expected.duration, abs=0.001)
        assert (facts.width, facts.height) == (expected.width, expected.height)

    def test_padding_changes_nothing(self) -> None:
        longer = padded(CLIP, len(CLIP) + 4096)
        assert walked(longer, [(0, len(longer))]).facts() == walked(CLIP, [(0, len(CLIP))]).facts()

    @given(moov=st.binary(max_size=200) | st.binary(max_size=150).map(lambda body: box(b"mvhd", body)))
    def test_a_header_that_is_odd_says_nothing_or_something(self, moov: bytes) -> None:
        content = FTYP + box(b"moov", moov) + box(b"mdat", b"p")
        facts = walked(content, [(0, len(content))]).facts()
        assert facts.duration is None or facts.duration >= 0
