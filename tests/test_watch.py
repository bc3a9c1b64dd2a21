"""A host that stalls, drips or never ends is given up, however busy it looks."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack

import pytest

from dailies.addresses import Ways
from dailies.errors import HostFailed
from dailies.outbound import Network, get
from dailies.watch import Watch
from local.media_host import media_host
from tests.slow_hosts import CLIP, SLOW


@pytest.mark.parametrize("fault", SLOW)
def test_a_slow_host_is_given_up_for_its_own_reason(slow_hosts: Mapping[str, Future[str]], fault: str) -> None:
    assert slow_hosts[fault].result(timeout=30) == SLOW[fault][1]


def test_when_the_time_is_over_all_that_are_under_way_are_cut() -> None:
    with media_host() as host, ExitStack() as reading:
        watch = reading.enter_context(Watch(0.5))
        url = host.url(f"/{CLIP}", fault="stall-at-half")
        media = [reading.enter_context(watch.over(get(url, Ways(frozenset({"127.0.0.1"})), Network()))) for _ in "ab"]
        began = time.monotonic()
        for medium in media:
            with pytest.raises(HostFailed, match="not finished in the time there was"):
                medium.read_into(memoryview(bytearray(256 * 1024)))
        assert time.monotonic() - began < 5
        assert watch.left < 0


def test_what_is_read_in_time_is_let_be() -> None:
    with media_host() as host, Watch(30) as watch:
        with watch.over(get(host.url(f"/{CLIP}"), Ways(frozenset({"127.0.0.1"})), Network())) as medium:
            assert medium.read_into(memoryview(bytearray(256 * 1024))) == len(host.media[CLIP].content)
        assert watch.left > 0
