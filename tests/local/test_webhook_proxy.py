"""The proxy forwards a request unchanged: the function gets the bytes that the provider signed."""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import ports, processes
from local.up import FRONT_DOOR_SCRIPT

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Bytes: \xff\r\nConnection: close\r\n\r\n\x00\x01\x02\x03"
PATIENCE = 120  # seconds: a connection that is not served ends the test
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


class Api:
    """Plays the API: keeps each request byte by byte and answers ANSWER once `together` requests have arrived."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.together = threading.Barrier(1)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed: the test is over
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            while length and len(body) < int(length[1]):
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            self.together.wait(PATIENCE)
            connection.sendall(ANSWER)


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.listener.close()


@pytest.fixture
def open_proxy(tmp_path: Path) -> Iterator[Callable[[int], int]]:
    """Open a proxy to the API's port; its own port."""

    def open_proxy(api_port: int) -> int:
        port = ports.free()
        command = [sys.executable, "-P", str(FRONT_DOOR_SCRIPT), str(port), str(api_port), "api.localhost"]
        processes.start("door", command, {}, tmp_path)
        while not ports.is_taken(port):
            assert processes.running("door", tmp_path), (tmp_path / "door.log").read_text()
            time.sleep(0.01)
        return port

    yield open_proxy
    processes.end("door", tmp_path)


@pytest.fixture
def proxy(open_proxy: Callable[[int], int], api: Api) -> int:
    return open_proxy(api.port)


def send(port: int, request: bytes) -> bytes:
    """All responses until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_only_the_host_and_the_connections_end_are_changed(proxy: int, api: Api) -> None:
    body = bytes(range(256)) * 1000
    kept = (
        b"content-type: application/octet-stream\r\nX-Signature: one\r\nx-signature: two\r\nX-Empty:\r\n"
        b"X-Bytes: caf\xc3\xa9 \xff\r\nX-Host: a\r\nAuthorization: Bearer abc\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    line = b"POST /webhooks/a%2Fb%00?x=%C3%A9 HTTP/1.1\r\n"
    answer = send(proxy, line + b"hOsT: 127.0.0.1:1\r\nConnection: keep-alive, x\r\n" + kept + body)
    assert answer == ANSWER
    assert api.requests == [line + b"Host: api.localhost\r\nConnection: close\r\n" + kept + body]


def test_fifty_at_once_are_each_answered(proxy: int, api: Api) -> None:
    api.together = threading.Barrier(50)  # none is answered before all have arrived
    request = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    with ThreadPoolExecutor(50) as callers:
        answers = list(callers.map(lambda _: send(proxy, request), range(50)))
    assert answers == [ANSWER] * 50


def test_headers_without_end_are_refused_and_the_refusal_arrives(proxy: int, api: Api) -> None:
    answer = send(proxy, b"POST / HTTP/1.1\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert api.requests == []


def test_where_the_api_is_gone_the_answer_is_502(open_proxy: Callable[[int], int]) -> None:
    answer = send(open_proxy(ports.free()), b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")
