"""A provider's API is called only at the owner's URL, and its response arrives in time or is given up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import sleep
from urllib.parse import urlsplit

import pytest

from dailies.errors import ApiUnavailable, CredentialsRejected
from dailies.outbound.api import MAX_API_BYTES, call
from dailies.outbound.connection import Network
from dailies.providers.contract import Request
from simulators.media_host.server import MediaHost, media_host

CLIP = "generation.mp4"
SYSTEM = Network()


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@contextmanager
def dripping(start: bytes) -> Iterator[tuple[int, Event]]:
    """A host that takes one connection, sends this and then one byte at a time for five seconds: its port, and whether
    the client closed before the end.
    """
    left = Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            try:
                connection.sendall(start)
                for _ in range(100):
                    sleep(0.05)
                    connection.sendall(b"\0")
            except OSError:
                left.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=drip, daemon=True).start()
        yield listening.getsockname()[1], left


def test_any_response_is_returned(host: MediaHost) -> None:
    host.add("/v2/generate/g-1", b'{"id":"g-1"}', "application/json")
    request = Request("GET", host.url("/v2/generate/g-1", lifetime=None) + "?wait=false", {"x-api-key": "k"})
    assert call(request, SYSTEM) == (200, b'{"id":"g-1"}', 0)
    assert host.requests[-1].header("x-api-key") == "k"
    assert host.requests[-1].query == "wait=false"
    assert call(Request("GET", host.url("/nothing", lifetime=None), {}), SYSTEM)[0] == 404


def test_a_redirect_is_not_followed_so_that_the_key_goes_nowhere_else(host: MediaHost) -> None:
    host.redirect("/v2/moved", to=host.url(f"/elsewhere/{CLIP}"))
    assert call(Request("GET", host.url("/v2/moved"), {"x-api-key": "k"}), SYSTEM)[0] == 302
    assert host.requests_for(f"/elsewhere/{CLIP}") == []


def test_an_answer_without_end_is_not_read_to_its_end(host: MediaHost) -> None:
    host.add("/endless.json", bytes(MAX_API_BYTES + 1), "application/json")
    with pytest.raises(ApiUnavailable, match="answered too much"):
        call(Request("GET", host.url("/endless.json"), {}), SYSTEM)


def test_an_answer_that_drips_is_given_up_in_time(host: MediaHost) -> None:
    with pytest.raises(ApiUnavailable, match=r"no whole answer within 0\.2 s"):
        call(Request("GET", host.url(f"/{CLIP}", fault="body-drip"), {}), SYSTEM, seconds=0.2)


def test_a_handshake_that_drips_is_given_up_in_time() -> None:
    with dripping(b"\x16\x03\x03\x40\x00") as (port, left):  # the head of a TLS record of 16 KB
        with pytest.raises(ApiUnavailable, match=r"no whole answer within 0\.2 s"):
            call(Request("GET", f"https://127.0.0.1:{port}/v2/generate/g-1", {}), SYSTEM, seconds=0.2)
        assert left.wait(60)


def test_the_request_goes_to_the_configured_name(host: MediaHost) -> None:
    host.add("/v2/named", b"{}", "application/json")
    call(Request("GET", host.url("/v2/named", lifetime=None), {}), SYSTEM)
    assert host.requests[-1].header("host") == urlsplit(host.url("/v2/named")).netloc


@pytest.mark.parametrize("key", ["ключ", "clé", "a\nb", "a\r", "a\0"])
def test_a_key_that_cannot_be_sent_is_the_owners_to_mend(host: MediaHost, key: str) -> None:
    before = len(host.requests)
    with pytest.raises(CredentialsRejected, match=r"the API key cannot be sent: .* printable ASCII") as refused:
        call(Request("GET", host.url("/v2/generate/g-1"), {"x-api-key": key}), SYSTEM)
    assert len(host.requests) == before
    assert key not in str(refused.value)


def test_an_unreachable_host_is_retried_later() -> None:
    with pytest.raises(ApiUnavailable, match="provider's API"):
        call(Request("GET", "http://127.0.0.1:1/v2/generate/g-1", {"x-api-key": "k"}), SYSTEM)
