"""A media host on the loopback: serves the media of `samples.py` under any path, with faults on request.

    with media_host() as host:
        host.url("/job-1/generation.mp4")                           # a signed link, valid for an hour
        host.url("/job-1/generation.mp4", lifetime=None)            # a link without a signature
        host.url("/job-1/generation.mp4", fault="cut-chunked")      # one of faults.FAULTS
        host.add("/batches/1.jsonl", rows, "application/jsonl")     # other content
        host.redirect("/v2/generations/1/result", to=host.url(...)) # 302
        host.revoke("/job-1/generation.mp4")                        # existing links expire, new ones work
        host.remove("/job-1/generation.mp4")                        # 404 from now on
        host.requests                                               # all requests, with headers

The last segment of a path names the medium; the rest is free and makes paths distinct.
`python -m simulators.media_host.server` serves until it is interrupted.
"""

import argparse
import hmac
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from secrets import token_bytes
from urllib.parse import parse_qs, unquote, urlsplit

from simulators.loopback_server import LoopbackServer, certified
from simulators.media_host.answers import HANG_UP, RESET, Answer, Exchange, Pieces, Request, good, redirect, refusal
from simulators.media_host.faults import FAULTS, bad
from simulators.media_host.links import HOUR, SIGNED, Dialect, signature, signed_url
from simulators.media_host.samples import FOLDER, SampleMedia, media

FAULT = "/fault"  # segments of paths: /signed/fault/<name>/<path>

# The status for an expired link; Google's was seen by others.
OVER: dict[Dialect, Answer] = {"X-Amz": refusal(403, "AccessDenied"), "X-Goog": refusal(400, "ExpiredToken")}


class MediaHost:
    """The served content and the received requests. `ca_file` is the certificate authority to trust if it speaks
    TLS."""

    def __init__(
        self,
        base_url: str,
        content: dict[str, SampleMedia],
        ca_file: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
        key: bytes | None = None,
    ) -> None:
        self.base_url = base_url
        self.media = content
        self.ca_file = ca_file
        self.requests: list[Request] = []
        self._now = now
        self._added: dict[str, SampleMedia | Answer] = {}
        self._removed: set[str] = set()
        self._attempts: Counter[str] = Counter()
        self._revoked: Counter[str] = Counter()
        self._key = key or token_bytes(32)
        self._lock = threading.Lock()

    def url(
        self,
        path: str,
        *,
        fault: str | None = None,
        lifetime: int | None = HOUR,
        issued: float | None = None,
        dialect: Dialect = "X-Amz",
    ) -> str:
        """A link to a path that ends in a medium's name or was added. It is signed as S3's or Google's are, and expires
        `lifetime` seconds after `issued` (now). None makes an unsigned link that never expires."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no fault {fault!r}; there are: {', '.join(sorted(FAULTS))}")
        path = path if fault is None else f"{FAULT}/{fault}{path}"
        if lifetime is None:
            return self.base_url + path
        return signed_url(
            self.base_url,
            path,
            key=self._key,
            issued=self._now() if issued is None else issued,
            lifetime=lifetime,
            credential=self._credential(path),
            dialect=dialect,
        )

    def add(self, path: str, content: bytes, content_type: str) -> None:
        """Serve other content at a path; `url` makes links to it."""
        self._added[path] = SampleMedia(path.rpartition("/")[2], content_type, content)

    def answers(self, path: str, answer: Answer) -> None:
        """Return this response for every request of a path."""
        self._added[path] = answer

    def redirect(self, path: str, to: str) -> None:
        """Redirect a path with 302."""
        self.answers(path, redirect(to))

    def revoke(self, path: str) -> None:
        """Expire the signed links made for a path so far. `url` makes valid ones again."""
        self._revoked[_parts(path)[2]] += 1

    def remove(self, path: str) -> None:
        """Remove a medium: 404 for every link."""
        self._removed.add(_parts(path)[2])

    def requests_for(self, path: str) -> list[Request]:
        """The requests for a path as given to `url`, with any fault, signature or query."""
        return [request for request in self.requests if _parts(request.path)[2] == path]

    def answer(self, request: Request) -> tuple[Pieces, bool]:
        """The response, and whether the connection may be reused."""
        with self._lock:
            self.requests.append(request)
            self._attempts[request.path] += 1
            attempt = self._attempts[request.path]
        signed, fault, path = _parts(request.path)
        if signed and (refused := self._refused(request)):
            return iter(refused), True
        found = self._added.get(path) or self.media.get(path.rpartition("/")[2])
        if found is None or path in self._removed or fault not in {None, *FAULTS}:
            return iter(refusal(404, "NoSuchKey")), True
        if isinstance(found, Answer):
            return iter(found), True
        if fault is None:
            return iter(good(request, found)), True
        return bad(fault, Exchange(request, found, attempt, good_path=path)), False

    def _credential(self, path: str) -> str:
        """The key name that signs a path's links: it contains the number of revocations."""
        return f"credential-{self._revoked[_parts(path)[2]]}"

    def _refused(self, request: Request) -> Answer | None:
        """The error for an invalid signed link, in the signer's format; None if the link is valid."""
        terms = {name: values[0] for name, values in parse_qs(request.query).items()}
        dialect: Dialect = "X-Goog" if "X-Goog-Signature" in terms else "X-Amz"
        given = terms.pop(f"{dialect}-Signature", "")
        if not hmac.compare_digest(given.encode(), signature(request.path, terms, self._key).encode()):
            return refusal(403, "SignatureDoesNotMatch")
        issued = datetime.strptime(terms[f"{dialect}-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        dies = (issued + timedelta(seconds=int(terms[f"{dialect}-Expires"]))).timestamp()
        if self._now() < dies and terms[f"{dialect}-Credential"] == self._credential(request.path):
            return None
        return OVER[dialect]


def _parts(path: str) -> tuple[bool, str | None, str]:
    """Whether a path is signed, its fault, and the rest."""
    path = unquote(path)
    rest = path.removeprefix(SIGNED + "/")
    signed, rest = rest != path, "/" + rest.removeprefix("/")
    if not rest.startswith(FAULT + "/"):
        return signed, None, rest
    fault, _, rest = rest.removeprefix(FAULT + "/").partition("/")
    return signed, fault, "/" + rest


class _Server(LoopbackServer):
    """The sockets. TLS ends with close_notify, so that the client can distinguish the end from a cut."""

    host: MediaHost

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, ssl.SSLSocket):
            with suppress(OSError, ValueError):  # the client has disconnected
                request.setblocking(False)  # close_notify is sent; the client's is not awaited
                request.unwrap()
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and sends the pieces of its response."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        request = Request(self.command, url.path, url.query, headers, time.time())
        pieces, reusable = self.server.host.answer(request)
        self.close_connection = self.close_connection or not reusable
        for piece in pieces:
            self._send(piece)

    do_HEAD = do_GET  # noqa: N815  the name that http.server looks for

    def _send(self, piece: bytes | float | str) -> None:
        if isinstance(piece, bytes):
            self.wfile.write(piece)
        elif piece == RESET:  # no lingering: closing drops unsent data and resets the connection
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif piece == HANG_UP:
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        elif self.server.stopping.wait(None if piece == float("inf") else float(piece)):
            raise ConnectionAbortedError("the host stops")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Logs nothing: `MediaHost.requests` keeps the requests."""


@cache
def _read_once(folder: Path) -> dict[str, SampleMedia]:
    """All hosts of a process share the content that they serve: 27 MB."""
    return media(folder)


@contextmanager
def media_host(
    *,
    port: int = 0,
    tls: bool = False,
    folder: Path = FOLDER,
    now: Callable[[], float] = time.time,
    key: bytes | None = None,
    kind: type[MediaHost] = MediaHost,
) -> Iterator[MediaHost]:
    """A media host on 127.0.0.1 while the context is open; `port` 0 picks a free one. With `tls` it speaks HTTPS as
    `localhost` and 127.0.0.1, with a certificate authority of its own (`ca_file`). `now` is the clock by which links
    expire, in seconds since 1970. Links are signed with `key`, by default a random one. `kind` may be a subclass with
    more media."""
    with tempfile.TemporaryDirectory() as made:
        authority = Path(made) / "ca.pem" if tls else None
        server = _Server(port, _Handler, certified(authority) if authority else None)
        base_url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        server.host = kind(base_url, dict(_read_once(folder)), authority, now=now, key=key)
        with server.serving():
            yield server.host


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m simulators.media_host.server", description="Serve the simulated providers' media."
    )
    options.add_argument("--port", type=int, default=0, help="0 picks a free one")
    with media_host(port=options.parse_args().port) as host, suppress(KeyboardInterrupt):
        for name in host.media:
            print(host.url(f"/{name}", lifetime=None))
        print(f"{host.base_url}{FAULT}/<fault>/<name>, where <fault> is one of: {' '.join(sorted(FAULTS))}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
