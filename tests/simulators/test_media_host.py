"""The simulated media host: its media are real, its links expire as S3's and Google's do, and each fault is on the wire
what its name says.

The tests read with a bare socket or urllib3: the host is not judged by the code that it is there to test.
"""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import av
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from simulators.media_host import answers
from simulators.media_host.answers import PART_BYTES, Request, good
from simulators.media_host.faults import COMBINED, FAULTS
from simulators.media_host.links import Dialect
from simulators.media_host.odd_answers import ODD
from simulators.media_host.samples import SampleMedia, media
from simulators.media_host.server import MediaHost, media_host

HTTP_CLIENT = urllib3.PoolManager(retries=False)
CLIP = "generation.mp4"
PATIENCE = 60.0  # seconds: a response that ends does so long before
QUIET = 0.3  # seconds of silence after which nothing is expected any more


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@pytest.fixture
def due(host: MediaHost) -> bytes:
    """The body that a good host would send."""
    return host.media[CLIP].content


def get(url: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return HTTP_CLIENT.request("GET", url, redirect=False, headers=headers, decode_content=False)


def wire(url: str, asked: str = "", *, limit: int = 2**26, last: bytes | None = None) -> tuple[bytes, str]:
    """The bytes of a GET for a range or for all, and why they ended: `closed`, `reset`, `limit`, or `silence` after the
    last expected ones.
    """
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    got = b""
    with closing(socket.create_connection((parts.hostname, parts.port))) as connection:
        span = f"Range: {asked}\r\n" if asked else ""
        connection.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{span}\r\n".encode())
        while len(got) < limit:
            connection.settimeout(QUIET if last is not None and got.endswith(last) else PATIENCE)
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                return got, "silence"
            except ConnectionResetError:
                return got, "reset"
            if not piece:
                return got, "closed"
            got += piece
    return got, "limit"


def split(message: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of a message, as on the wire."""
    head, _, body = message.partition(b"\r\n\r\n")
    line, _, lines = head.partition(b"\r\n")
    headers = BytesParser(policy=HTTP).parsebytes(lines + b"\r\n")
    return int(line.split()[1]), {name.lower(): value for name, value in headers.items()}, body


class TestMedia:
    def test_every_clip_is_h264_that_decodes_to_moving_pictures(self) -> None:
        for medium in media().values():
            if medium.content_type != "video/mp4":
                continue
            with av.open(BytesIO(medium.content), "r") as container:
                (stream,) = container.streams.video
                assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p"), medium.name
                frames = [bytes(frame.planes[0]) for frame in container.decode(stream)]
            assert len(frames) >= 25, medium.name
            assert len(set(frames)) == len(frames), f"{medium.name} stands still"

    def test_no_two_are_the_same_and_one_needs_several_parts(self) -> None:
        content = media()
        assert len({medium.sha256 for medium in content.values()}) == len(content)
        assert len(content["large.mp4"].content) > PART_BYTES
        with av.open(BytesIO(content["product.png"].content), "r") as container:
            assert [(picture.width, picture.height) for picture in container.decode(video=0)] == [(180, 320)]


class TestLinks:
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

    def test_over_tls_only_its_own_authority_vouches_for_it(self) -> None:
        with media_host(tls=True) as host:
            url = host.url(f"/{CLIP}")
            with urllib3.PoolManager(ca_certs=str(host.ca_file)) as trusting:
                assert trusting.request("GET", url).data == host.media[CLIP].content
            with urllib3.PoolManager(retries=False) as strict, pytest.raises(urllib3.exceptions.SSLError) as refused:
                strict.request("GET", url)
            assert isinstance(refused.value.args[0], ssl.SSLCertVerificationError)

    def test_closing_ends_what_is_still_open_and_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())
        with media_host() as host:
            url = urlsplit(host.url(f"/{CLIP}", fault="silent"))
            hanging = socket.create_connection(("127.0.0.1", url.port or 0), timeout=PATIENCE)
            hanging.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while not host.requests:
                time.sleep(0.01)
        with closing(hanging):
            assert hanging.recv(1) == b""
        assert set(threading.enumerate()) <= before


class TestRanges:
    CONTENT = bytes(range(256)) * 4

    def ask(self, **headers: str) -> tuple[int, dict[str, str], bytes]:
        asked = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
        answer = good(Request("GET", "/x.bin", "", asked, 0.0), SampleMedia("x.bin", "video/mp4", self.CONTENT))
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
            ("bytes=1024-", 416, b""),
            ("bytes=0-1,5-6", 200, CONTENT),
            ("lines=0-1", 200, CONTENT),
        ],
    )
    def test_the_other_forms(self, asked: str, status: int, due: bytes) -> None:
        got, _, body = self.ask(Range=asked)
        assert (got, body) == (status, due)

    def test_a_piece_of_another_version_is_not_given(self) -> None:
        etag = self.ask()[1]["ETag"]
        assert [self.ask(Range="bytes=0-1", If_Range=named)[0] for named in (etag, '"other"')] == [206, 200]
        assert [self.ask(Range="bytes=0-1", If_Match=named)[0] for named in (etag, '"other"')] == [206, 412]


def half(due: bytes) -> bytes:
    return due[: len(due) // 2]


def whole(due: bytes) -> bytes:
    return due


def nothing(due: bytes) -> bytes:
    return b""


class Wire(NamedTuple):
    """The result of a fault for a GET: the body, the status, the headers (None: absent; `{size}` and `{last}` are the
    medium's), and how it ends.
    """

    fault: str
    body: Callable[[bytes], bytes] = whole
    status: int = 200
    says: dict[str, str | None] = {}  # noqa: RUF012  never changed
    asked: str = ""
    ends: str = "closed"


NO_LENGTH: dict[str, str | None] = {"content-length": None, "transfer-encoding": None}
WIRES = [
    # Whole media, in unusual framing
    Wire("no-length", says=NO_LENGTH),
    Wire("range-ignored", asked="bytes=5-9", says={"content-range": None}),
    Wire("partial-unasked", status=206, says={"content-range": "bytes 0-{last}/{size}"}),
    # Media that end too soon, too late or never
    Wire("cut-with-length", half, says={"content-length": "{size}"}),
    Wire("cut-with-length", lambda due: due[100:150], 206, {"content-length": "100"}, asked="bytes=100-199"),
    Wire("cut-at-part", half, says={"content-length": "{size}"}),
    Wire("cut-with-weak-etag", half, says={"etag": 'W/"*', "content-length": "{size}"}),
    Wire("cut-chunked", lambda due: b"%x\r\n%b\r\n" % (len(half(due)), half(due)), says={"content-length": None}),
    Wire("cut-without-length", half, says=NO_LENGTH),
    Wire("end-unannounced", says=NO_LENGTH),  # over TLS, a reader that respects TLS's own end misses it
    Wire("stall-at-half", half, ends="silence"),
    Wire("length-too-long", says={"content-length": "{longer}"}),
    Wire("length-too-short", says={"content-length": "{shorter}"}),
    Wire("length-huge", says={"content-length": str(100 * 2**40)}),
    Wire("empty", nothing, says={"content-type": "video/mp4"}),
    # Other content than the medium
    Wire("wrong-content-range", lambda due: due[10:20], 206, {"content-range": "bytes 11-20/*"}, "bytes=10-19"),
    Wire("whole-as-range", whole, 206, {"content-range": "bytes 0-{last}/{size}"}, "bytes=10-19"),
    Wire("range-not-satisfiable", nothing, 416, {"content-range": "bytes [*]/{size}"}, "bytes=0-"),
    # No answer
    Wire("silent", nothing, 0, ends="silence"),
    Wire("hang-up", nothing, 0),
    # Redirects, missing media, not yet available
    Wire("redirect-to-metadata", nothing, 302, {"location": "http://169.254.169.254/*"}),
    Wire("busy-two-minutes", nothing, 429, {"retry-after": "120"}),
    Wire("busy-a-week", nothing, 429, {"retry-after": "604800"}),
]
ANSWERED = {"forbidden": 403, "expired": 400, "missing": 404, "gone": 410, "busy": 429, "broken": 500}


class TestFaults:
    def test_each_is_named_in_a_test_of_this_file(self) -> None:
        """Those of odd hosts are played in tests/unit/transfer/test_real_hosts.py."""
        tests = Path(__file__).read_text(encoding="utf-8")
        assert not {fault for fault in FAULTS - COMBINED.keys() - ODD.keys() if f'"{fault}"' not in tests}

    @pytest.mark.parametrize("seen", WIRES, ids=lambda seen: f"{seen.fault} {seen.asked}".strip())
    def test_on_the_wire_it_is_what_its_name_says(self, host: MediaHost, due: bytes, seen: Wire) -> None:
        url = host.url(f"/wire/{CLIP}", fault=seen.fault)
        got, ends = wire(url, seen.asked, last=seen.body(due) if seen.ends == "silence" else None)
        assert ends == seen.ends
        status, headers, body = split(got) if got else (0, {}, b"")
        assert (status, body if status < 300 else b"") == (seen.status, seen.body(due))
        sizes = {"size": len(due), "last": len(due) - 1, "longer": len(due) + 1000, "shorter": len(due) - 1000}
        for name, said in seen.says.items():
            assert said is None or fnmatchcase(headers[name], said.format(**sizes)), headers[name]
            assert said is not None or name not in headers

    def test_chunked_and_gzip(self, host: MediaHost, due: bytes) -> None:
        answer = get(host.url(f"/{CLIP}", fault="chunked"))
        assert (answer.data, answer.headers["Transfer-Encoding"]) == (due, "chunked")
        answer = get(host.url(f"/{CLIP}", fault="gzip-unasked"))
        assert (answer.headers["Content-Encoding"], gzip.decompress(answer.data)) == ("gzip", due)

    def test_responses_without_an_end(self, host: MediaHost, due: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "DRIP_SECONDS", 0.003)
        assert due in wire(host.url(f"/{CLIP}", fault="body-flood"), limit=8 * 2**20)[0]
        for fault, ended in (("body-drip", True), ("headers-drip", False), ("headers-flood", False)):
            got, why = wire(host.url(f"/{CLIP}", fault=fault), limit=250)
            assert (why, got[:17], b"\r\n\r\n" in got) == ("limit", b"HTTP/1.1 200 OK\r\n", ended)

    def test_a_capped_host_pauses_between_pieces(self, host: MediaHost, due: bytes) -> None:
        host.add("/slow.mp4", due * 100, "video/mp4")
        began = time.monotonic()
        got, _ = wire(host.url("/slow.mp4", fault="slow"), limit=2**20)
        assert time.monotonic() - began > 0.15  # 15 pieces of 64 KiB and their pauses
        assert (due * 100).startswith(split(got)[2])

    def test_one_of_its_cuts_is_where_a_part_ends(self, host: MediaHost) -> None:
        long = bytes(2 * PART_BYTES + 5)
        host.add("/long.mp4", long, "video/mp4")
        _, headers, body = split(wire(host.url("/long.mp4", fault="cut-at-part"), "bytes=7-")[0])
        assert (headers["content-length"], len(body)) == (str(len(long) - 7), PART_BYTES)

    def test_a_reset(self, host: MediaHost, due: bytes) -> None:
        got, why = wire(host.url(f"/{CLIP}", fault="reset-at-half"))
        assert (why, len(got) < len(due)) == ("reset", True)

    @pytest.mark.parametrize(("fault", "said"), [("html-page", "text/html"), ("html-page-as-mp4", "video/mp4")])
    def test_a_page(self, host: MediaHost, fault: str, said: str) -> None:
        answer = get(host.url(f"/{CLIP}", fault=fault))
        assert (answer.status, answer.data[:15]) == (200, b"<!DOCTYPE html>")
        assert answer.headers["Content-Type"].startswith(said)

    def test_an_end_that_cannot_be_had(self, host: MediaHost, due: bytes) -> None:
        url = host.url(f"/{CLIP}", fault="end-unavailable")
        spans = ("10-19", "10-", "-9", f"10-{len(due) - 2}", f"10-{len(due) - 1}")
        assert [get(url, Range=f"bytes={span}").status for span in spans] == [206, 503, 503, 206, 503]

    def test_redirects(self, host: MediaHost, due: bytes) -> None:
        with urllib3.PoolManager() as following:
            assert following.request("GET", host.url(f"/{CLIP}", fault="redirect-to-good")).data == due
            url = host.url(f"/{CLIP}", fault="redirect-to-itself")
            with pytest.raises(urllib3.exceptions.MaxRetryError, match="too many redirects"):
                following.request("GET", url, retries=urllib3.Retry(redirect=5))

    @pytest.mark.parametrize("fault", ANSWERED)
    def test_a_status(self, host: MediaHost, fault: str) -> None:
        assert [get(host.url(f"/refused/{CLIP}", fault=fault)).status for _ in "ab"] == [ANSWERED[fault]] * 2

    @pytest.mark.parametrize(
        ("fault", "bodies"),
        [
            ("cut-once", [(200, half), (200, whole)]),
            ("unavailable-twice", [(503, None), (503, None), (200, whole)]),
            ("busy-once", [(429, None), (200, whole)]),
        ],
    )
    def test_one_that_passes(
        self, host: MediaHost, due: bytes, fault: str, bodies: list[tuple[int, Callable[[bytes], bytes] | None]]
    ) -> None:
        for status, body in bodies:
            got, headers, came = split(wire(host.url(f"/{fault}/{CLIP}", fault=fault))[0])
            assert got == status
            assert body is None or came == body(due)
            assert headers.get("retry-after") == ("1" if status == 429 else None)

    def test_another_medium_each_time(self, host: MediaHost, due: bytes) -> None:
        first, second = (get(host.url(f"/changes/{CLIP}", fault="changing")) for _ in range(2))
        assert first.headers["ETag"] != second.headers["ETag"]
        assert first.data != second.data
        assert first.data[:-1] == second.data[:-1] == due[:-1]

    def test_a_retry_after_date(self, host: MediaHost) -> None:
        before = time.time()
        answer = get(host.url(f"/{CLIP}", fault="back-in-two-minutes"))
        assert answer.status == 503
        assert before + 119 <= parsedate_to_datetime(answer.headers["Retry-After"]).timestamp() <= time.time() + 120

    @pytest.mark.parametrize("fault", [fault for fault in COMBINED if fault.startswith("plain-")])
    def test_a_plain_host_knows_no_ranges(self, host: MediaHost, due: bytes, fault: str) -> None:
        asked = wire(host.url(f"/{CLIP}", fault=fault), "bytes=100-199")
        assert asked == wire(host.url(f"/{CLIP}", fault=fault.removeprefix("plain-")))
        assert split(asked[0])[0] == 200

    @pytest.mark.parametrize("fault", ["cut-then-busy-once", "slow-then-forbidden"])
    def test_one_fault_follows_the_other(self, host: MediaHost, fault: str) -> None:
        first, _, later = fault.partition("-then-")
        for alone in ("cut-at-part" if first == "cut" else first, later):
            both = wire(host.url(f"/then/{CLIP}", fault=fault, lifetime=None))
            assert both == wire(host.url(f"/{fault}/{CLIP}", fault=alone, lifetime=None))
