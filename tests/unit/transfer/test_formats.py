"""What bytes are is seen in the bytes, and so is whether they are all there."""

import json
import struct
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.transfer import formats
from dailies.transfer.formats import HEAD_BYTES, MAX_LINE, Format, IntegrityCheck, looks_like, sniff
from simulators.media_host.samples import media, padded

CLIP = media()["segment.mp4"].content  # ftyp, moov, free, mdat: as providers serve it
PICTURE = media()["product.png"].content

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(1, 200)) + b"\xff\xd9"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(range(40)) + b"\x00;"
LINES = b'{"requestId":"r-1","status":"COMPLETED"}\n{"requestId":"r-2","status":"FAILED"}\n'


def box(name: bytes, content: bytes = b"", *, wide: bool = False) -> bytes:
    """A box of an MP4; `wide`: with its size in eight bytes."""
    if wide:
        return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), name) + content


def riff(kind: bytes, content: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + kind + content


WAV = riff(b"WAVE", b"fmt \x10\x00\x00\x00" + bytes(80))
WEBP = riff(b"WEBP", b"VP8 \x10\x00\x00\x00" + bytes(80))
FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2avc1mp41")
INDEX = box(b"moov", box(b"mvhd", bytes(100)))


def error(content: bytes, pieces: list[int] | None = None) -> str:
    """What is wrong with it; `pieces`: where it is cut into the pieces that are fed."""
    what = sniff(content[:HEAD_BYTES])
    assert what
    whole = IntegrityCheck(what)
    for start, end in pairwise([0, *sorted(pieces or []), len(content)]):
        whole.feed(start, memoryview(content)[start:end])
    return whole.error(len(content))


class TestSniffing:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (CLIP, formats.MP4),
            (FTYP, formats.MP4),
            (box(b"ftyp", b"qt  \x20\x05\x03\x00"), formats.MOV),
            (box(b"moov"), formats.MOV),
            (box(b"wide") + box(b"mdat"), formats.MOV),
            (box(b"ftyp", b"M4A \x00\x00\x00\x00"), formats.M4A),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", formats.WEBM),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", formats.MKV),
            (PICTURE, formats.PNG),
            (JPEG, formats.JPEG),
            (GIF, formats.GIF),
            (WEBP, formats.WEBP),
            (WAV, formats.WAV),
            (b"ID3\x04\x00\x00", formats.MP3),
            (b"\xff\xfb\x90\x64", formats.MP3),
            (LINES, formats.JSONL),
            (b"\r\n " + LINES, formats.JSONL),
        ],
    )
    def test_a_medium_is_known_by_its_first_bytes(self, content: bytes, expected: Format) -> None:
        assert sniff(content[:HEAD_BYTES]) == expected

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b"", "nothing"),
            (b"<!DOCTYPE html>\n<html>", "an HTML page"),
            (b"\n  <HTML lang=en>", "an HTML page"),
            (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML or HTML"),
            (b'["a"]', "JSON"),
            (b"Not found", "no known medium"),
            (bytes(HEAD_BYTES), "no known medium"),
            (b"RIFF\x00\x00\x00\x00AVI ", "no known medium"),
        ],
    )
    def test_what_is_none_is_told_in_a_word(self, content: bytes, what: str) -> None:
        assert sniff(content) is None
        assert looks_like(content) == what

    def test_json_is_no_medium_but_a_list_of_jobs_may_be_json(self) -> None:
        assert sniff(b'{"error":"expired"}') == formats.JSONL
        assert looks_like(b'{"error":"expired"}') == "JSON"

    @given(head=st.binary(max_size=HEAD_BYTES))
    def test_no_bytes_are_too_odd(self, head: bytes) -> None:
        found = sniff(head)
        assert found is None or found.extension
        assert looks_like(head)


class TestCutShort:
    """A file that ends too soon is seen, wherever it was cut."""

    @pytest.mark.parametrize("content", [CLIP, PICTURE, WAV, WEBP, JPEG], ids=["MP4", "PNG", "WAV", "WebP", "JPEG"])
    def test_at_every_position_of_a_real_file(self, content: bytes) -> None:
        assert error(content) == ""
        whole = [end for end in range(HEAD_BYTES, len(content)) if not error(content[:end])]
        assert whole == []

    def test_an_mp4_whose_index_comes_last_is_nothing_without_it(self) -> None:
        clip = FTYP + box(b"mdat", bytes(500)) + INDEX
        assert error(clip) == ""
        assert error(clip[: -len(INDEX)]) == "the MP4 has no moov box"
        assert error(clip[:-1]) == "the MP4 is cut within a box"

    def test_an_mp4_whose_index_comes_first_is_nothing_without_its_pictures(self) -> None:
        """Cut between two boxes it looks tidy."""
        clip = FTYP + INDEX + box(b"free") + box(b"mdat", bytes(500))
        assert error(clip) == ""
        for end in range(len(FTYP) + len(INDEX), len(clip)):
            assert error(clip[:end]), f"cut at {end} of {len(clip)}"

    def test_a_line_is_cut(self) -> None:
        assert error(LINES) == error(LINES.rstrip()) == ""
        inside = [
            end for end in range(1, len(LINES)) if LINES[end - 1 : end] != b"\n" and LINES[end : end + 1] != b"\n"
        ]
        assert {error(LINES[:end]) for end in inside} == {"a line is no JSON"}


class TestWhole:
    """Files that are whole are taken, however they were made."""

    @given(pieces=st.lists(st.integers(0, len(CLIP)), max_size=40))
    def test_an_mp4_in_any_pieces(self, pieces: list[int]) -> None:
        assert error(CLIP, pieces) == ""
        assert error(CLIP[:-1], [min(at, len(CLIP) - 1) for at in pieces])

    @pytest.mark.parametrize("content", [CLIP, PICTURE, WAV, JPEG, GIF, LINES])
    def test_byte_by_byte(self, content: bytes) -> None:
        assert error(content, list(range(len(content)))) == ""

    @pytest.mark.parametrize(
        "clip",
        [
            FTYP + INDEX + box(b"mdat", b"p" * 99, wide=True),
            FTYP + box(b"mdat", b"p" * 99, wide=True) + INDEX,
            FTYP + INDEX + struct.pack(">I4s", 0, b"mdat") + b"p" * 99,  # 0: to the end of the file
            FTYP + INDEX + box(b"moof") + box(b"mdat", b"p") + box(b"moof") + box(b"mdat", b"p"),
            FTYP + INDEX + box(b"mdat", b"p") + bytes(3),
            FTYP + INDEX + box(b"mdat", b"p") + bytes(100),
            padded(CLIP, len(CLIP) + 4096),
        ],
        ids=["wide sizes", "index last", "open end", "fragments", "three zeros", "many zeros", "padded"],
    )
    def test_the_ways_in_which_an_mp4_is_written(self, clip: bytes) -> None:
        assert error(clip) == ""

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
    def test_a_wav_that_was_streamed_does_not_know_its_length(self, size: int) -> None:
        assert error(b"RIFF" + struct.pack("<I", size) + WAV[8:]) == ""

    def test_zeros_after_a_pictures_end_are_padding(self) -> None:
        assert error(JPEG + bytes(5)) == error(JPEG + b"\r\n") == error(GIF + b"\x00") == ""

    def test_a_picture_without_its_end_mark(self) -> None:
        assert error(PICTURE + b"more") == "the png has no end mark"
        assert error(GIF[:-1]) == "the gif has no end mark"
        assert zlib.crc32(b"IEND") == 0xAE426082  # what the mark ends with

    @pytest.mark.parametrize("content", [b"\x1a\x45\xdf\xa3" + bytes(90), b"ID3" + bytes(90)], ids=["Matroska", "MP3"])
    def test_a_format_that_does_not_tell_is_taken_as_it_comes(self, content: bytes) -> None:
        assert error(content) == ""


class TestLines:
    @given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())), st.data())
    def test_every_line_must_be_json(self, rows: list[dict[str, object]], data: st.DataObject) -> None:
        content = b"{}\n" + b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        pieces = data.draw(st.lists(st.integers(0, len(content))))
        assert error(content, pieces) == ""
        assert error(content + b"Service unavailable", pieces) == "a line is no JSON"
        assert error(b"{}\n<html>\n" + content, pieces) == "a line is no JSON"

    @pytest.mark.parametrize("row", [b"[" * 100_000, b'{"a":' * 100_000, b'{"n":' + b"9" * 10_000 + b"}", b"\xff"])
    def test_what_no_parser_takes_is_no_line(self, row: bytes) -> None:
        assert error(b"{}\n" + row + b"\n") == "a line is no JSON"

    @pytest.mark.parametrize("pieces", [[], [5], list(range(len(LINES)))])
    def test_whether_one_is_of_use_is_for_who_asks_to_say(self, pieces: list[int]) -> None:
        """Each line is shown to him whole, and none that comes after one that is."""
        shown: list[bytes] = []

        def unread(content: bytes, useful: bytes) -> bool:
            def is_useful(line: bytes) -> bool:
                shown.append(line)
                return useful in line

            shown.clear()
            whole = IntegrityCheck(formats.JSONL, is_useful)
            for start, end in pairwise([0, *pieces, len(content)]):
                whole.feed(start, content[start:end])
            return whole.unread

        first, last = LINES.splitlines()
        assert not unread(LINES, b"r-1")
        assert shown == [first]
        assert not unread(LINES.rstrip(), b"r-2")
        assert shown == [first, last]
        assert unread(LINES, b"r-3")
        assert not IntegrityCheck(formats.JSONL).unread
        assert not IntegrityCheck(formats.MP4, lambda _: False).unread

    def test_a_line_without_end_is_refused_and_not_kept(self) -> None:
        """A host that sends 2 GiB without a newline must not fill the memory."""
        whole, piece = IntegrityCheck(formats.JSONL), b"x" * 2**20
        whole.feed(0, b'{"a":"')
        tracemalloc.start()
        for number in range(64):
            whole.feed(6 + number * len(piece), piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert whole.error(6 + 64 * len(piece)) == "a line is no JSON"
        assert peak < 8 * MAX_LINE
