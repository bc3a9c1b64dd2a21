"""The format of a file is found in its bytes, and so is whether it is complete."""

import json
import struct
import tracemalloc
from io import BytesIO
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dailies.transfer import formats
from dailies.transfer.formats import HEAD_BYTES, MAX_LINE, Format, IntegrityCheck, looks_like, sniff
from dailies.transfer.mp4 import MediaInfo
from simulators.media_host.samples import media, padded
from testkit.support.encoded_media import HEIGHT, WIDTH, clip, picture, sound

CLIP = media()["segment.mp4"].content  # ftyp, moov, free, mdat: as providers serve it
PICTURE = media()["product.png"].content

JPEG = picture("mjpeg", "mjpeg", "yuvj420p")
GIF = picture("gif", "gif", "rgb8", frames=3)
WEBM = clip("webm", "libvpx-vp9", sound="libopus")
MKV = clip("matroska", "libx264")
LIVE = clip("webm", "libvpx-vp9", piped=True)  # its segment has no size
MP3 = sound("mp3", "libmp3lame")
OGG = sound("ogg", "libopus", rate=48_000)
AIFF = sound("aiff", "pcm_s16be")
RF64 = sound("wav", "pcm_s16le", options=(("rf64", "always"),))
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
INDEX = box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"tkhd", bytes(84))))
HEIC = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic") + box(b"meta", bytes(40)) + box(b"mdat", bytes(90))


def error(content: bytes, pieces: list[int] | None = None) -> str:
    """The error of the file; `pieces`: where it is cut into the pieces that are fed."""
    what = sniff(content[:HEAD_BYTES])
    assert what
    whole = IntegrityCheck(what)
    for start, end in pairwise([0, *sorted(pieces or []), len(content)]):
        whole.feed(start, memoryview(content)[start:end])
    return whole.error(len(content))


def media_info(content: bytes) -> MediaInfo:
    """What its header says."""
    what = sniff(content[:HEAD_BYTES])
    assert what
    check = IntegrityCheck(what)
    check.feed(0, content)
    return check.media_info()


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
            (WEBM, formats.WEBM),
            (MKV, formats.MKV),
            (box(b"styp", b"msdh\x00\x00\x00\x00"), formats.MP4),
            (box(b"ftyp", b"avif\x00\x00\x00\x00avifmif1"), formats.AVIF),
            (box(b"ftyp", b"mif1\x00\x00\x00\x00mif1miafavif"), formats.AVIF),
            (HEIC, formats.HEIC),
            (box(b"ftyp", b"mif1\x00\x00\x00\x00mif1heic"), formats.HEIC),
            (b"\xff\x0a\xfa\x1f", formats.JXL),
            (b"\x00\x00\x00\x0cJXL \r\n\x87\n", formats.JXL),
            (sound("flac", "flac"), formats.FLAC),
            (OGG, formats.OGG),
            (sound("adts", "aac"), formats.AAC),
            (AIFF, formats.AIFF),
            (RF64, formats.WAV),
            (clip("mpegts", "libx264"), formats.TS),
            (b"\xef\xbb\xbf" + LINES, formats.JSONL),
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
            ("<html>Not found</html>".encode("utf-16"), "no known medium"),
            (b"\xff" * HEAD_BYTES, "no known medium"),
        ],
    )
    def test_an_unaccepted_format_is_named_in_a_word(self, content: bytes, what: str) -> None:
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
    """A file that ends too soon is detected, wherever it was cut."""

    @pytest.mark.parametrize(
        "content",
        [CLIP, PICTURE, WAV, WEBP, JPEG, GIF, WEBM, MKV, MP3, HEIC, sound("mp3", "libmp3lame", rate=22_050)],
        ids=["MP4", "PNG", "WAV", "WebP", "JPEG", "GIF", "WebM", "Matroska", "MP3", "HEIC", "MPEG-2 MP3"],
    )
    def test_at_every_position_of_a_real_file(self, content: bytes) -> None:
        assert error(content) == ""
        ends = [*range(64, min(len(content), 3000)), *range(max(64, len(content) - 300), len(content))]
        assert [end for end in ends if end < len(content) and not error(content[:end])] == []

    @pytest.mark.parametrize("content", [AIFF, RF64], ids=["AIFF", "RF64"])
    def test_by_the_size_in_the_header(self, content: bytes) -> None:
        assert error(content) == ""
        assert error(content[:-1]).endswith("it is 1 bytes short")

    def test_within_a_page_or_a_packet(self) -> None:
        packets = clip("mpegts", "libx264")
        for content in (OGG, packets):
            assert error(content) == ""
            assert error(content[:-1])

    def test_without_an_end_mark_it_is_not_detected(self) -> None:
        """A live muxer writes no size, and a pipe no header after its frames."""
        for content in (LIVE, sound("mp3", "libmp3lame", piped=True, options=(("write_xing", "0"),))):
            assert error(content) == error(content[: len(content) // 2]) == ""

    def test_an_mp4_without_a_track_has_nothing_to_play(self) -> None:
        clip = FTYP + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", bytes(9))
        assert error(clip) == "the MP4 has no track"

    def test_the_second_picture_of_a_jpeg_is_missed_too(self) -> None:
        """A camera's preview, or a gain map, after the first."""
        assert error(JPEG + JPEG) == ""
        assert error(JPEG + JPEG[:-20])

    def test_a_gif_is_not_over_where_a_byte_is_its_trailers(self) -> None:
        ends = [end for end in range(HEAD_BYTES, len(GIF)) if GIF[end - 1 : end] == b";"]
        assert ends
        assert all(error(GIF[:end]) for end in ends)

    def test_a_text_that_begins_like_an_mp3_is_none(self) -> None:
        assert error(b"ID3 is the name of a tag. " * 40)
        assert error(b"\xff\xfb\x90\x64 is how a frame begins. " * 40) == "the mp3: no MP3 frames follow each other"

    def test_an_mp4_whose_index_comes_last_is_nothing_without_it(self) -> None:
        clip = FTYP + box(b"mdat", bytes(500)) + INDEX
        assert error(clip) == ""
        assert error(clip[: -len(INDEX)]) == "the MP4 has no moov box"
        assert error(clip[:-1]) == "the MP4 is cut within a box"

    def test_an_mp4_whose_index_comes_first_is_nothing_without_its_pictures(self) -> None:
        """A cut between two boxes looks tidy."""
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
    """Complete files are accepted, however they were made."""

    @given(pieces=st.lists(st.integers(0, len(CLIP)), max_size=40))
    def test_an_mp4_in_any_pieces(self, pieces: list[int]) -> None:
        assert error(CLIP, pieces) == ""
        assert error(CLIP[:-1], [min(at, len(CLIP) - 1) for at in pieces])

    @pytest.mark.parametrize("content", [CLIP, PICTURE, WAV, JPEG, GIF, LINES, WEBM, MP3, OGG])
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

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF024, 0x80000024, 0xFFFFFF24, 0x7FFF0024])
    def test_a_wav_that_was_streamed_does_not_know_its_length(self, size: int) -> None:
        assert error(b"RIFF" + struct.pack("<I", size) + WAV[8:]) == ""

    @pytest.mark.parametrize("content", [PICTURE, JPEG, GIF], ids=["PNG", "JPEG", "GIF"])
    @pytest.mark.parametrize("behind", [bytes(64), b"\r\n", b"a trailer of the camera's", CLIP])
    def test_what_follows_a_picture_is_counted(self, content: bytes, behind: bytes) -> None:
        whole = IntegrityCheck(sniff(content[:HEAD_BYTES]) or formats.PNG)
        whole.feed(0, content + behind)
        assert whole.error(len(content) + len(behind)) == ""
        assert whole.media_info().trailing == len(behind)

    def test_a_line_end_behind_an_mp4_is_no_box(self) -> None:
        assert error(CLIP + b"\r\n") == ""

    def test_a_picture_in_another_order_is_judged_by_its_end_mark(self) -> None:
        for content in (PICTURE, JPEG, GIF):
            whole = IntegrityCheck(sniff(content[:HEAD_BYTES]) or formats.PNG)
            for start in (0, 200, 100):
                whole.feed(start, content[start : start + 100] if start < 200 else content[200:])
            assert whole.error(len(content)) == ""
            assert whole.error(len(content) + 1) or whole.next_gap(len(content) + 20) is not None

    @pytest.mark.parametrize(
        "content",
        [PICTURE, JPEG, GIF, picture("webp", "libwebp", "yuv420p")],
        ids=["PNG", "JPEG", "GIF", "WebP"],
    )
    def test_a_picture_has_the_size_that_ffmpeg_reads(self, content: bytes) -> None:
        with av.open(BytesIO(content), "r") as read:
            stream = read.streams.video[0]
            assert media_info(content) == MediaInfo(None, stream.width, stream.height)

    @pytest.mark.parametrize(
        "content", [sound("wav", "pcm_s16le"), RF64, sound("flac", "flac")], ids=["WAV", "RF64", "FLAC"]
    )
    def test_a_sound_has_the_duration_that_ffmpeg_reads(self, content: bytes) -> None:
        with av.open(BytesIO(content), "r") as read:
            assert read.duration
            assert media_info(content).duration == pytest.approx(read.duration / av.time_base, abs=0.001)

    def test_a_wav_from_a_pipe_has_the_duration_of_its_bytes(self) -> None:
        piped = media_info(sound("wav", "pcm_s16le", piped=True))
        assert piped.duration == pytest.approx(media_info(sound("wav", "pcm_s16le")).duration, abs=0.01)

    def test_webms_header_gives_its_facts(self) -> None:
        for content, seconds in ((WEBM, 1.3), (MKV, 1.2), (LIVE, None)):
            whole = IntegrityCheck(sniff(content[:HEAD_BYTES]) or formats.MKV)
            whole.feed(0, content)
            info = whole.media_info()
            assert (info.width, info.height) == (WIDTH, HEIGHT)
            assert info.duration == (seconds and pytest.approx(seconds, abs=0.1))

    @given(st.sampled_from([WEBM, MP3, JPEG, GIF, PICTURE, OGG, HEIC]), st.data())
    def test_no_bytes_are_too_odd(self, content: bytes, data: st.DataObject) -> None:
        """After any change, a file is complete or it is not."""
        changed = bytearray(content)
        for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
            changed[at] = data.draw(st.integers(0, 255))
        what = sniff(bytes(content[:HEAD_BYTES]))
        assert what
        whole = IntegrityCheck(what)
        whole.feed(0, bytes(changed))
        assert isinstance(whole.error(len(changed)), str)
        assert whole.media_info().trailing >= 0


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
    def test_the_caller_decides_whether_a_line_is_useful(self, pieces: list[int]) -> None:
        """Each line is checked whole, and none after a match."""
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
