"""The simulated media host: its media are real, it serves as S3 does, and each fault is on the wire what its name says.

What is read here is read with a bare socket or with urllib3: the host is not judged by the code it is there to test.
"""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import av
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from local.media import Medium, media, padded
from local.media_answers import PART_BYTES, Request, good
from local.media_faults import COMBINED, FAULTS
from local.media_host import Dialect, MediaHost, media_host

HTTP_CLIENT = urllib3.PoolManager(retries=False)
CLIP = "generation.mp4"

type Made = tuple[Path, dict[str, Medium]]


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("media")
    return folder, media(folder)


def get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return HTTP_CLIENT.request("GET", url, redirect=False, headers=headers, decode_content=False)


def wire(url: str, *, seconds: float = 2.0, limit: int = 2**20, headers: str = "") -> tuple[bytes, str]:
    """The bytes that come for a GET, and why no more came: `closed`, `reset`, `timeout` or `limit`."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    got, until = b"", time.monotonic() + seconds
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=seconds)) as connection:
        connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}\r\n".encode())
        while len(got) < limit:
            connection.settimeout(max(0.01, until - time.monotonic()))
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return got, "timeout"
            except ConnectionResetError:
                return got, "reset"
            if not piece:
                return got, "closed"
            got += piece
    return got, "limit"


def split(message: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of a message as it was on the wire."""
    head, _, body = message.partition(b"\r\n\r\n")
    line, _, lines = head.partition(b"\r\n")
    headers = BytesParser(policy=HTTP).parsebytes(lines + b"\r\n")
    return int(line.split()[1]), {name.lower(): value for name, value in headers.items()}, body


class TestMedia:
    def test_every_clip_is_h264_that_decodes_to_moving_pictures(self, made: Made) -> None:
        for medium in made[1].values():
            if medium.content_type != "video/mp4":
                continue
            with av.open(BytesIO(medium.content), "r") as container:
                (stream,) = container.streams.video
                assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p"), medium.name
                frames = [bytes(frame.planes[0]) for frame in container.decode(stream)]
            assert len(frames) >= 25, medium.name
            assert len(set(frames)) == len(frames), f"{medium.name} stands still"

    def test_the_picture_decodes(self, made: Made) -> None:
        with av.open(BytesIO(made[1]["product.png"].content), "r") as container:
            (picture,) = container.decode(video=0)
            assert (picture.width, picture.height) == (180, 320)

    def test_no_two_media_are_the_same_and_one_needs_several_parts(self, made: Made) -> None:
        content = made[1]
        assert len({medium.sha256 for medium in content.values()}) == len(content)
        assert 20 * 2**20 < len(content["large.mp4"].content) < 40 * 2**20

    def test_they_are_made_once_and_the_same_everywhere(self, made: Made) -> None:
        folder, content = made
        times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
        assert {name: medium.sha256 for name, medium in media(folder).items()} == {
            name: medium.sha256 for name, medium in content.items()
        }
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")} == times
        assert {medium.sha256 for medium in media().values()} == {medium.sha256 for medium in content.values()}

    def test_a_padded_clip_still_plays(self, made: Made) -> None:
        longer = padded(made[1][CLIP].content, 1_000_000)
        assert len(longer) == 1_000_000
        with av.open(BytesIO(longer), "r") as container:
            assert len(list(container.decode(video=0))) == 50

    def test_padding_needs_room_for_its_box(self, made: Made) -> None:
        clip = made[1][CLIP].content
        with pytest.raises(ValueError, match="cannot be padded"):
            padded(clip, len(clip) + 15)


class TestServing:
    def test_any_path_that_ends_in_a_mediums_name_is_that_medium(self, host: MediaHost) -> None:
        for folder in ("", "/job-1", "/a/b%20c"):
            answer = get(host.url(f"{folder}/{CLIP}"))
            assert (answer.status, answer.data) == (200, host.media[CLIP].content)
            assert answer.headers["Content-Type"] == "video/mp4"
        assert get(host.url("/job-1/nothing.mp4")).status == 404

    def test_a_signed_link_dies_and_cannot_be_altered(self, host: MediaHost) -> None:
        signed = host.url(f"/signed-1/{CLIP}", lifetime=60)
        assert get(signed).status == 200
        assert get(signed.replace("signed-1", "signed-2")).status == 403
        assert get(signed.replace("Expires=60", "Expires=600")).status == 403
        assert get(signed.partition("?")[0]).status == 403
        assert get(host.url(f"/signed-1/{CLIP}", lifetime=None)).status == 200

    @pytest.mark.parametrize(
        ("dialect", "status", "code"), [("X-Amz", 403, b"AccessDenied"), ("X-Goog", 400, b"ExpiredToken")]
    )
    def test_one_that_is_over_is_refused_as_whose_way_it_is_signed_in_does(
        self, host: MediaHost, dialect: Dialect, status: int, code: bytes
    ) -> None:
        path = f"/over/{dialect}/{CLIP}"
        given = host.url(path, dialect=dialect)
        assert get(given).status == 200
        host.revoke(path)
        for url in (given, host.url(path, lifetime=60, issued=time.time() - 61, dialect=dialect)):
            answer = get(url)
            assert (answer.status, code in answer.data) == (status, True)
        assert get(host.url(path, dialect=dialect)).status == 200
        assert get(given[:-1] + ("0" if given[-1] != "0" else "1")).status == 403

    def test_a_link_signed_anew_is_the_same_but_for_its_query(self, host: MediaHost) -> None:
        first, second = (host.url(f"/job-2/{CLIP}", issued=issued) for issued in (1_000_000_000, 1_000_000_100))
        assert first != second
        assert first.partition("?")[0] == second.partition("?")[0]

    def test_other_content_and_redirects_are_served_where_they_were_put(self, host: MediaHost) -> None:
        host.add("/batches/1.jsonl", b"{}\n", "application/jsonl")
        host.redirect("/v2/batches/1/result", to=host.url("/batches/1.jsonl"))
        answer = get(host.url("/v2/batches/1/result", lifetime=None) + "?token=secret")
        assert answer.status == 302
        rows = get(answer.headers["Location"])
        assert (rows.status, rows.data, rows.headers["Content-Type"]) == (200, b"{}\n", "application/jsonl")

    def test_what_was_asked_for_can_be_read_back_with_its_headers(self, host: MediaHost) -> None:
        get(host.url(f"/read-back/{CLIP}", fault="empty"), Range="bytes=0-9", **{"X-Api-Key": "leaked"})
        (request,) = host.requests_for(f"/read-back/{CLIP}")
        assert (request.method, request.header("Range"), request.header("x-api-key")) == ("GET", "bytes=0-9", "leaked")
        assert "X-Amz-Signature=" in request.query

    def test_a_connection_is_used_again(self, host: MediaHost) -> None:
        with urllib3.HTTPConnectionPool("127.0.0.1", urlsplit(host.base_url).port, maxsize=1, retries=False) as pool:
            for _ in range(3):
                pool.request("GET", f"/{CLIP}")
            assert pool.num_connections == 1

    def test_head_tells_the_length_and_sends_nothing(self, host: MediaHost) -> None:
        answer = HTTP_CLIENT.request("HEAD", host.url(f"/{CLIP}"))
        assert (answer.headers["Content-Length"], answer.data) == (str(len(host.media[CLIP].content)), b"")

    def test_a_fault_that_does_not_exist_is_told_at_once(self, host: MediaHost) -> None:
        with pytest.raises(ValueError, match=r"no fault 'cut'; there are: .*cut-chunked"):
            host.url(f"/{CLIP}", fault="cut")

    def test_over_tls_only_its_own_authority_vouches_for_it(self) -> None:
        with media_host(tls=True) as host:
            url = host.url(f"/{CLIP}")
            assert url.startswith("https://")
            with urllib3.PoolManager(ca_certs=str(host.ca_file)) as trusting:
                assert trusting.request("GET", url).data == host.media[CLIP].content
            with urllib3.PoolManager(retries=False) as strict, pytest.raises(urllib3.exceptions.SSLError) as refused:
                strict.request("GET", url)
            assert isinstance(refused.value.args[0], ssl.SSLCertVerificationError)

    def test_closing_ends_what_is_still_open_and_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())
        with media_host() as host:
            url = urlsplit(host.url(f"/{CLIP}", fault="silent"))
            hanging = socket.create_connection(("127.0.0.1", url.port or 0), timeout=5)
            hanging.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while not host.requests:
                time.sleep(0.01)
        with closing(hanging):
            assert hanging.recv(1) == b""
        assert set(threading.enumerate()) == before


class TestRanges:
    CONTENT = bytes(range(256)) * 4
    MEDIUM = Medium("x.bin", "application/octet-stream", CONTENT)

    def ask(self, **headers: str) -> tuple[int, dict[str, str], bytes]:
        asked = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
        answer = good(Request("GET", "/x.bin", "", asked, 0.0), self.MEDIUM)
        return answer.status, answer.headers, answer.body

    @given(first=st.integers(0, 1023), last=st.integers(0, 5000))
    def test_from_first_to_last(self, first: int, last: int) -> None:
        status, headers, body = self.ask(Range=f"bytes={first}-{last}")
        if last < first:
            assert status == 416
        else:
            assert (status, body) == (206, self.CONTENT[first : last + 1])
            assert headers["Content-Range"] == f"bytes {first}-{min(last, 1023)}/1024"
            assert headers["Content-Length"] == str(len(body))

    @pytest.mark.parametrize(
        ("asked", "status", "due"),
        [
            ("bytes=1000-", 206, CONTENT[1000:]),
            ("bytes=-5", 206, CONTENT[-5:]),
            ("bytes=-5000", 206, CONTENT),
            ("bytes=1024-", 416, b""),
            ("bytes=-0", 416, b""),
            ("bytes=0-1,5-6", 200, CONTENT),
            ("lines=0-1", 200, CONTENT),
            ("bytes=", 200, CONTENT),
        ],
    )
    def test_the_other_forms(self, asked: str, status: int, due: bytes) -> None:
        got, _, body = self.ask(Range=asked)
        assert (got, body) == (status, due)

    def test_a_piece_of_another_version_is_not_given(self) -> None:
        etag = self.ask()[1]["ETag"]
        assert self.ask(Range="bytes=0-1", If_Range=etag)[0] == 206
        assert self.ask(Range="bytes=0-1", If_Range='"other"')[0] == 200
        assert self.ask(Range="bytes=0-1", If_Match=etag)[0] == 206
        assert self.ask(Range="bytes=0-1", If_Match='"other"')[0] == 412


class TestFaults:
    """Each fault as it is on the wire. `due` is the body that a good host would send."""

    @pytest.fixture
    def due(self, host: MediaHost) -> bytes:
        return host.media[CLIP].content

    def test_each_is_named_in_a_test_of_this_file(self) -> None:
        tests = Path(__file__).read_text(encoding="utf-8")
        assert not {fault for fault in FAULTS - COMBINED.keys() if f'"{fault}"' not in tests}

    # Whole media, told in less usual ways

    def test_chunked(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="chunked"))
        assert (answer.data, answer.headers["Transfer-Encoding"], "Content-Length" in answer.headers) == (
            due,
            "chunked",
            False,
        )

    def test_no_length(self, host: MediaHost, due: bytes) -> None:
        _, headers, body = split(wire(host.url(f"/{CLIP}", fault="no-length"))[0])
        assert body == due
        assert not {"content-length", "transfer-encoding"} & set(headers)

    def test_range_ignored(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="range-ignored"), Range="bytes=5-9")
        assert (answer.status, answer.data, "Content-Range" in answer.headers) == (200, due, False)

    def test_gzip_unasked(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="gzip-unasked"))
        assert (answer.headers["Content-Encoding"], gzip.decompress(answer.data)) == ("gzip", due)

    def test_partial_unasked(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="partial-unasked"))
        assert (answer.status, answer.data) == (206, due)
        assert answer.headers["Content-Range"] == f"bytes 0-{len(due) - 1}/{len(due)}"

    def test_slow(self, host: MediaHost, due: bytes) -> None:
        host.add("/slow.mp4", due * 100, "video/mp4")
        began = time.monotonic()
        got, why = wire(host.url("/slow.mp4", fault="slow"), limit=2**20)
        assert time.monotonic() - began > 0.15  # 15 pieces of 64 KiB and their pauses
        assert why == "limit"
        assert (due * 100).startswith(split(got)[2])

    # Media that end too soon, too late or never

    def test_cut_with_length(self, host: MediaHost, due: bytes) -> None:
        _, headers, body = split(wire(host.url(f"/{CLIP}", fault="cut-with-length"))[0])
        assert (headers["content-length"], body) == (str(len(due)), due[: len(due) // 2])

    def test_cut_with_length_within_a_range(self, host: MediaHost, due: bytes) -> None:
        url = host.url(f"/{CLIP}", fault="cut-with-length")
        status, headers, body = split(wire(url, headers="Range: bytes=100-199\r\n")[0])
        assert (status, headers["content-length"], body) == (206, "100", due[100:150])

    def test_cut_at_part(self, host: MediaHost, due: bytes) -> None:
        _, headers, body = split(wire(host.url(f"/{CLIP}", fault="cut-at-part"))[0])
        assert (headers["content-length"], body) == (str(len(due)), due[: len(due) // 2])
        long = due * (40 * 2**20 // len(due))
        host.add("/long.mp4", long, "video/mp4")
        url = host.url("/long.mp4", fault="cut-at-part")
        for at in (0, 7):
            _, headers, body = split(wire(url, limit=2**26, headers=f"Range: bytes={at}-\r\n")[0])
            assert (headers["content-length"], body) == (str(len(long) - at), long[at : at + PART_BYTES])

    def test_cut_once(self, host: MediaHost, due: bytes) -> None:
        first, second = (split(wire(host.url(f"/once/{CLIP}", fault="cut-once"))[0])[2] for _ in range(2))
        assert (first, second) == (due[: len(due) // 2], due)

    def test_cut_with_weak_etag(self, host: MediaHost, due: bytes) -> None:
        _, headers, body = split(wire(host.url(f"/{CLIP}", fault="cut-with-weak-etag"))[0])
        assert headers["etag"].startswith('W/"')
        assert body == due[: len(due) // 2]

    def test_cut_chunked(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="cut-chunked"))
        assert why == "closed"
        assert split(got)[2] == f"{len(due) // 2:x}\r\n".encode() + due[: len(due) // 2] + b"\r\n"  # no last chunk

    def test_cut_without_length(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="cut-without-length"))
        _, headers, body = split(got)
        assert (why, body) == ("closed", due[: len(due) // 2])
        assert not {"content-length", "transfer-encoding"} & set(headers)

    def test_end_unannounced(self, host: MediaHost, due: bytes) -> None:
        """Over TLS, a reader that heeds TLS's own end misses it."""
        got, why = wire(host.url(f"/{CLIP}", fault="end-unannounced"))
        _, headers, body = split(got)
        assert (why, body) == ("closed", due)
        assert not {"content-length", "transfer-encoding"} & set(headers)

    def test_reset_at_half(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="reset-at-half"))
        assert why == "reset"
        assert len(got) < len(due)

    def test_stall_at_half(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="stall-at-half"), seconds=0.5)
        assert (why, split(got)[2]) == ("timeout", due[: len(due) // 2])

    @pytest.mark.parametrize(
        ("fault", "more"), [("length-too-long", 1000), ("length-too-short", -1000), ("length-huge", 100 * 2**40)]
    )
    def test_length_too_long_too_short_huge(self, host: MediaHost, due: bytes, fault: str, more: int) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault=fault))
        _, headers, body = split(got)
        said = more if fault == "length-huge" else len(due) + more
        assert (why, int(headers["content-length"]), body) == ("closed", said, due)

    def test_empty(self, host: MediaHost) -> None:
        answer = get(host.url(f"/{CLIP}", fault="empty"))
        assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"", "video/mp4")

    def test_body_drip(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="body-drip"), seconds=0.8)
        assert why == "timeout"
        assert 2 <= len(split(got)[2]) <= 9
        assert due.startswith(split(got)[2])

    def test_body_flood(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="body-flood"), limit=8 * 2**20)
        assert why == "limit"
        assert due in got

    # Something else than the medium

    @pytest.mark.parametrize(("fault", "said"), [("html-page", "text/html"), ("html-page-as-mp4", "video/mp4")])
    def test_html_page_as_mp4(self, host: MediaHost, fault: str, said: str) -> None:
        answer = get(host.url(f"/{CLIP}", fault=fault))
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith(said)
        assert answer.data.startswith(b"<!DOCTYPE html>")

    def test_wrong_content_range(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="wrong-content-range"), Range="bytes=10-19")
        assert (answer.status, answer.data) == (206, due[10:20])
        assert answer.headers["Content-Range"] == f"bytes 11-20/{len(due) + 1}"

    def test_whole_as_range(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="whole-as-range"), Range="bytes=10-19")
        assert (answer.status, answer.data) == (206, due)
        assert answer.headers["Content-Range"] == f"bytes 0-{len(due) - 1}/{len(due)}"

    def test_end_unavailable(self, host: MediaHost, due: bytes) -> None:
        url = host.url(f"/{CLIP}", fault="end-unavailable")
        spans = ("10-19", "10-", "-9", f"10-{len(due) - 2}", f"10-{len(due) - 1}")
        assert [get(url, Range=f"bytes={span}").status for span in spans] == [206, 503, 503, 206, 503]
        assert get(url).status == 200

    def test_range_not_satisfiable(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="range-not-satisfiable"), Range="bytes=0-")
        assert (answer.status, answer.data, answer.headers["Content-Range"]) == (416, b"", f"bytes */{len(due)}")

    def test_changing(self, host: MediaHost, due: bytes) -> None:
        first, second = (get(host.url(f"/changes/{CLIP}", fault="changing")) for _ in range(2))
        assert first.headers["ETag"] != second.headers["ETag"]
        assert first.data != second.data
        assert first.data[:-1] == second.data[:-1] == due[:-1]

    # No answer, or one that never begins

    def test_silent(self, host: MediaHost) -> None:
        assert wire(host.url(f"/{CLIP}", fault="silent"), seconds=0.5) == (b"", "timeout")

    def test_hang_up(self, host: MediaHost) -> None:
        assert wire(host.url(f"/{CLIP}", fault="hang-up")) == (b"", "closed")

    def test_headers_drip(self, host: MediaHost) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="headers-drip"), seconds=0.8)
        assert why == "timeout"
        assert got.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\n\r\n" not in got
        assert 2 <= got.count(b"X-More") <= 9

    def test_headers_flood(self, host: MediaHost) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="headers-flood"), limit=2**20)
        assert why == "limit"
        assert b"\r\n\r\n" not in got

    # Elsewhere, not at all, not yet

    def test_redirect_to_metadata(self, host: MediaHost) -> None:
        answer = get(host.url(f"/{CLIP}", fault="redirect-to-metadata"))
        assert (answer.status, urlsplit(answer.headers["Location"]).hostname) == (302, "169.254.169.254")

    def test_redirect_to_itself(self, host: MediaHost) -> None:
        url = host.url(f"/{CLIP}", fault="redirect-to-itself")
        with pytest.raises(urllib3.exceptions.MaxRetryError, match="too many redirects"):
            urllib3.PoolManager().request("GET", url, retries=urllib3.Retry(redirect=5))

    def test_redirect_to_good(self, host: MediaHost, due: bytes) -> None:
        url = host.url(f"/{CLIP}", fault="redirect-to-good")
        assert get(url).status == 302
        with urllib3.PoolManager() as following:
            assert following.request("GET", url).data == due

    @pytest.mark.parametrize(
        ("fault", "status"),
        [("forbidden", 403), ("expired", 400), ("missing", 404), ("gone", 410), ("busy", 429), ("broken", 500)],
    )
    def test_forbidden_expired_missing_gone_busy_broken(self, host: MediaHost, fault: str, status: int) -> None:
        answers = [get(host.url(f"/refused/{CLIP}", fault=fault)) for _ in range(2)]
        assert [answer.status for answer in answers] == [status, status]
        assert {answer.headers["Connection"] for answer in answers} == {"close"}

    def test_unavailable_twice(self, host: MediaHost, due: bytes) -> None:
        answers = [get(host.url(f"/twice/{CLIP}", fault="unavailable-twice")) for _ in range(3)]
        assert [answer.status for answer in answers] == [503, 503, 200]
        assert answers[2].data == due

    def test_busy_once(self, host: MediaHost, due: bytes) -> None:
        first, second = (get(host.url(f"/busy/{CLIP}", fault="busy-once")) for _ in range(2))
        assert (first.status, first.headers["Retry-After"]) == (429, "1")
        assert (second.status, second.data) == (200, due)

    @pytest.mark.parametrize(("fault", "said"), [("busy-two-minutes", "120"), ("busy-a-week", "604800")])
    def test_busy_for_so_long(self, host: MediaHost, fault: str, said: str) -> None:
        answers = [get(host.url(f"/long/{CLIP}", fault=fault)) for _ in range(2)]
        assert [(answer.status, answer.headers["Retry-After"]) for answer in answers] == [(429, said)] * 2

    def test_back_in_two_minutes(self, host: MediaHost) -> None:
        answer = get(host.url(f"/{CLIP}", fault="back-in-two-minutes"))
        until = parsedate_to_datetime(answer.headers["Retry-After"])
        assert answer.status == 503
        assert 110 <= until.timestamp() - time.time() <= 121

    # Two in one

    @pytest.mark.parametrize("fault", [fault for fault in COMBINED if fault.startswith("plain-")])
    def test_a_plain_host_knows_no_ranges(self, host: MediaHost, due: bytes, fault: str) -> None:
        asked = wire(host.url(f"/{CLIP}", fault=fault), headers="Range: bytes=100-199\r\n")
        assert asked == wire(host.url(f"/{CLIP}", fault=fault.removeprefix("plain-")))
        assert split(asked[0])[0] == 200

    @pytest.mark.parametrize("fault", [fault for fault in COMBINED if "-then-" in fault])
    def test_one_fault_follows_the_other(self, host: MediaHost, fault: str) -> None:
        first, _, later = fault.partition("-then-")
        for alone in ("cut-at-part" if first == "cut" else first, later):
            (got, why), (due, due_why) = (
                wire(host.url(f"/{folder}/{CLIP}", fault=name, lifetime=None), seconds=0.3)
                for folder, name in (("then", fault), (fault, alone))
            )
            assert why == due_why
            assert told(got) == told(due)


def told(message: bytes) -> tuple[int, set[str], str | None]:
    status, headers, _ = split(message)
    return status, set(headers), headers.get("content-length")
