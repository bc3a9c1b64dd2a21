"""A host that stalls, drips or never ends is given up, however busy it looks.

The limits are shorter here than on AWS, and the host drips faster: tests/e2e/test_bad_hosts.py waits for the real ones.
"""

from contextlib import ExitStack

import pytest

from dailies.errors import HostFailed
from dailies.outbound import connection
from dailies.outbound.address_guard import FetchPolicy
from dailies.outbound.connection import Network
from dailies.outbound.media import get
from dailies.transfer.watchdog import Watchdog
from simulators.media_host import answers
from simulators.media_host.server import media_host

CLIP = "generation.mp4"
LOOPBACK = FetchPolicy(private=frozenset({"127.0.0.1"}))


@pytest.mark.parametrize(
    ("fault", "limits", "seconds", "reason"),
    [
        ("silent", {"HEADER_SECONDS": 0.5}, 60, "no whole head within 0.5 s"),
        ("headers-drip", {"HEADER_SECONDS": 60}, 60, "the host's head is malformed or too long"),  # its hundredth line
        ("stall-at-half", {"SILENCE_SECONDS": 0.5}, 60, "the host was silent for too long"),
        ("body-drip", {}, 0.5, "not finished within the time limit"),
    ],
)
def test_a_slow_host_is_given_up_for_its_own_reason(
    monkeypatch: pytest.MonkeyPatch, fault: str, limits: dict[str, float], seconds: float, reason: str
) -> None:
    monkeypatch.setattr(answers, "DRIP_SECONDS", 0.003)
    for name, limit in limits.items():
        monkeypatch.setattr(connection, name, limit)
    with media_host() as host, pytest.raises(HostFailed) as failed:
        read_all(host.url(f"/{CLIP}", fault=fault), seconds)
    assert failed.value.reason == reason


def read_all(url: str, seconds: float) -> None:
    with Watchdog(seconds) as watchdog, watchdog.closing(get(url, LOOPBACK, Network())) as medium:
        while medium.read_into(memoryview(bytearray(256 * 1024))):
            pass


def test_when_the_time_is_over_all_that_are_under_way_are_cut() -> None:
    with media_host() as host, ExitStack() as reading:
        watchdog = reading.enter_context(Watchdog(0.5))
        url = host.url(f"/{CLIP}", fault="stall-at-half")
        media = [reading.enter_context(watchdog.closing(get(url, LOOPBACK, Network()))) for _ in "ab"]
        for medium in media:
            with pytest.raises(HostFailed, match="not finished within the time limit"):
                medium.read_into(memoryview(bytearray(256 * 1024)))
        assert watchdog.left < 0


def test_what_is_read_in_time_is_let_be() -> None:
    with media_host() as host, Watchdog(60) as watchdog:
        with watchdog.closing(get(host.url(f"/{CLIP}"), LOOPBACK, Network())) as medium:
            assert medium.read_into(memoryview(bytearray(256 * 1024))) == len(host.media[CLIP].content)
        assert watchdog.left > 0
