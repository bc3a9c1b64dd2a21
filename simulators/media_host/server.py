"""A media host on loopback: serves the media of `media.py` under as many paths as one likes, on request badly.

    with media_host() as host:
        host.url("/job-1/generation.mp4")                           # a signed link, good for an hour
        host.url("/job-1/generation.mp4", lifetime=None)            # a link without a signature
        host.url("/job-1/generation.mp4", fault="cut-chunked")      # one of media_faults.FAULTS
        host.add("/batches/1.jsonl", rows, "application/jsonl")     # other content
        host.redirect("/v2/generations/1/result", to=host.url(...)) # 302
        host.revoke("/job-1/generation.mp4")                        # the links given so far are over, new ones are not
        host.remove("/job-1/generation.mp4")                        # 404 from now on
        host.requests                                               # what was asked for, headers included

A path's last segment names the medium; what stands before it is free and makes paths distinct. `python -m
simulators.media_host.server` serves until it is interrupted.
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

FAULT = "/fault"  # a segment of paths: /signed/fault/<name>/<path>

# What each answers to a link that is over; Google's as others have met it.
OVER: dict[Dialect, Answer] = {"X-Amz": refusal(403, "AccessDenied"), "X-Goog": refusal(400, "ExpiredToken")}


class MediaHost:
    """What is served, and what was asked for. `ca_file` is the authority to trust where it speaks TLS."""

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
        """A link to a path that ends in a medium's name or was added. It is signed as S3's or Google's are and dies
        `lifetime` seconds after `issued` (now); with None it is neither signed nor does it die."""
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
        """Answer a path so, whatever is asked."""
        self._added[path] = answer

    def redirect(self, path: str, to: str) -> None:
        """Answer a path with 302."""
        self.answers(path, redirect(to))

    def revoke(self, path: str) -> None:
        """End the signed links given for a path until now, as if their time was over. `url` makes good ones."""
        self._revoked[_parts(path)[2]] += 1

    def remove(self, path: str) -> None:
        """There is no such medium any more: 404 for every link."""
        self._removed.add(_parts(path)[2])

    def requests_for(self, path: str) -> list[Request]:
        """The requests for a path as it was given to `url`, whatever the fault, the signature and the query."""
        return [request for request in self.requests if _parts(request.path)[2] == path]

    def answer(self, request: Request) -> tuple[Pieces, bool]:
        """What to send, and whether the connection may be used again."""
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
        """What signs the links of a path: a number that grows with each revocation."""
        return f"credential-{self._revoked[_parts(path)[2]]}"

    def _refused(self, request: Request) -> Answer | None:
        """What a signed link is refused with, in the words of whose way it is signed in; None where it holds."""
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
    """Whether a path is a signed one, its fault, and what remains."""
    path = unquote(path)
    rest = path.removeprefix(SIGNED + "/")
    signed, rest = rest != path, "/" + rest.removeprefix("/")
    if not rest.startswith(FAULT + "/"):
        return signed, None, rest
    fault, _, rest = rest.removeprefix(FAULT + "/").partition("/")
    return signed, fault, "/" + rest


class _Server(LoopbackServer):
    """The sockets. TLS is ended as it should be, so that the other side knows the end from a cut."""

    host: MediaHost

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, ssl.SSLSocket):
            with suppress(OSError, ValueError):  # whoever is gone need not hear of it
                request.setblocking(False)  # said, and the other side's answer not waited for
                request.unwrap()
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and sends the pieces of its answer."""

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
        elif piece == RESET:  # no lingering: closing drops what is under way and tells the other side so
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif piece == HANG_UP:
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        elif self.server.stopping.wait(None if piece == float("inf") else float(piece)):
            raise ConnectionAbortedError("the host stops")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Nothing: `MediaHost.requests` keeps what was asked for."""


@cache
def _read_once(folder: Path) -> dict[str, SampleMedia]:
    """The hosts of a process share what they serve: 27 MB."""
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
    """A media host on 127.0.0.1 while the context lasts; `port` 0 takes a free one. With `tls` it speaks https as
    `localhost` and 127.0.0.1, certified by an authority of its own (`ca_file`). Links die by the clock `now`, in
    seconds since 1970, and are signed with `key`, or one that nobody knows. `kind` may know more media."""
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
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    with media_host(port=options.parse_args().port) as host, suppress(KeyboardInterrupt):
        for name in host.media:
            print(host.url(f"/{name}", lifetime=None))
        print(f"{host.base_url}{FAULT}/<fault>/<name>, where <fault> is one of: {' '.join(sorted(FAULTS))}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
