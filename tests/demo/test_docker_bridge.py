"""A bridge from a container to the loopback: a port on one address, for that address's network, for a limited time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Interface
from urllib.parse import urlsplit

import pytest

from demo.docker_bridge import NoDocker, has_image, opened
from simulators.loopback_server import LoopbackServer

OURS = "127.0.0.2"  # another address of this machine than the server's, like the bridge's
ASKED = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Handler(BaseHTTPRequestHandler):
    """A client that keeps its connections open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"body")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server() -> Iterator[int]:
    """The port of an HTTP server on 127.0.0.1."""
    serving = LoopbackServer(0, Handler)
    with serving.serving():
        yield serving.server_address[1]


async def asked(url: str, caller: str = "127.0.0.1") -> bytes:
    """What the port answers to a request from that address, twice on one connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(caller, 0))
    try:
        answer = b""
        for _ in range(2):
            writer.write(ASKED)
            try:
                answer += await reader.readuntil(b"body")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
        return answer
    finally:
        writer.close()


def test_its_own_network_reaches_the_port_of_the_loopback() -> None:
    async def call(port: int) -> bytes:
        async with opened(IPv4Interface(f"{OURS}/8"), port) as url:
            assert urlsplit(url).hostname == OURS
            return await asked(url)

    with server() as port:
        assert asyncio.run(call(port)).count(b"body") == 2


def test_a_client_from_another_network_is_not_served() -> None:
    async def call(port: int) -> tuple[bytes, bytes]:
        async with opened(IPv4Interface(f"{OURS}/30"), port) as url:
            return await asked(url, "127.0.0.1"), await asked(url, "127.0.0.9")

    with server() as port:
        neighbour, stranger = asyncio.run(call(port))
    assert b"body" in neighbour
    assert stranger == b""


def test_where_nothing_listens_the_connection_is_closed() -> None:
    async def call(port: int) -> bytes:
        async with opened(IPv4Interface(f"{OURS}/8"), port) as url:
            return await asked(url)

    with server() as port:
        pass
    assert asyncio.run(call(port)) == b""


def test_afterwards_nothing_listens_and_what_was_open_is_closed() -> None:
    async def call(port: int) -> bytes:
        async with opened(IPv4Interface(f"{OURS}/8"), port) as url:
            parts = urlsplit(url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(ASKED)
            await reader.readuntil(b"body")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(parts.hostname, parts.port)
        rest = await reader.read()
        writer.close()
        return rest

    with server() as port:
        assert asyncio.run(call(port)) == b""


def test_a_machine_without_docker_gets_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoDocker, match=r"Docker \(not installed\)"):
        has_image("any")
