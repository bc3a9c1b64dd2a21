"""A medium without a promised length ends at the end of its bytes: only its container shows whether it is complete."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat

import pytest

from dailies.aws.bucket import Bucket
from dailies.errors import HostFailed, MediumRefused
from dailies.transfer.transfer import HELD_BYTES, transfer
from resilience.transfers.orders import MIB, kept, order, stored
from simulators.media_host.samples import media, padded
from simulators.s3 import S3Simulator

CLIP = media()["generation.mp4"].content
LARGE = padded(CLIP, 20 * MIB)  # three parts of HELD_BYTES


@contextmanager
def streaming(*pieces: bytes, chunked: bool = False, endless: bool = False) -> Iterator[str]:
    """A host without ranges or lengths: it sends pieces, the last one without end if it is `endless`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding" if chunked else "Connection", "chunked" if chunked else "close")
            self.end_headers()
            self.close_connection = True
            try:
                for piece in chain(pieces, repeat(pieces[-1]) if endless else ()):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                self.wfile.write(b"0\r\n\r\n" if chunked else b"")
            except OSError:
                return  # the client has closed the connection

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/o.mp4?X-Amz-Signature=0"
        finally:
            server.shutdown()
            thread.join()


both_ways = pytest.mark.parametrize("chunked", [False, True], ids=["until it closes", "chunked"])


@both_ways
@pytest.mark.parametrize("content", [CLIP, LARGE, padded(CLIP, HELD_BYTES), padded(CLIP, 2 * HELD_BYTES)])
def test_it_is_archived_if_its_container_is_complete(
    s3: S3Simulator, bucket: Bucket, content: bytes, chunked: bool
) -> None:
    with streaming(content, chunked=chunked) as url:
        assert stored(order(url), bucket).bytes == len(content)
    kept(s3, content)


@pytest.mark.parametrize("content", [CLIP[:-1], CLIP[:9000], LARGE[:-1], LARGE[: 2 * HELD_BYTES], LARGE[:HELD_BYTES]])
def test_it_is_not_where_it_was_cut(s3: S3Simulator, bucket: Bucket, content: bytes) -> None:
    with streaming(content) as url, pytest.raises(HostFailed, match=r"^cut short: the MP4 is cut within a box$"):
        transfer(order(url), bucket)
    assert (s3.keys, s3.open_uploads) == ([], [])


@both_ways
def test_one_that_never_ends_is_left_at_the_limit(s3: S3Simulator, bucket: Bucket, chunked: bool) -> None:
    flood = streaming(CLIP, bytes(MIB), chunked=chunked, endless=True)
    with flood as url, pytest.raises(MediumRefused, match="larger than the limit"):
        transfer(replace(order(url), max_bytes=30 * MIB), bucket)
    assert (s3.keys, s3.open_uploads) == ([], [])
    assert s3.calls["UploadPart"] == 3
