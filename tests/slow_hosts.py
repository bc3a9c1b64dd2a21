"""Media hosts that never end their answers, all asked at once.

Giving them up takes as long as it takes on AWS. So they are asked early (test_outbound.py) and waited for late
(test_watch.py).
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from dailies.addresses import Ways
from dailies.errors import HostFailed
from dailies.outbound import Network, get
from dailies.watch import Watch
from local.media_host import media_host

CLIP = "generation.mp4"
# What the whole answer may take, in seconds, and why it is given up.
SLOW: dict[str, tuple[float, str]] = {
    "silent": (60, "no whole head within 15 s"),
    "headers-drip": (60, "the host's head is malformed or too long"),  # 10 s for the hundredth header
    "stall-at-half": (60, "the host was silent for too long"),
    "body-drip": (10, "not finished in the time there was"),
}


@pytest.fixture(scope="session")
def slow_hosts() -> Iterator[Mapping[str, Future[str]]]:
    """Why each is given up, when it is."""
    with ThreadPoolExecutor(len(SLOW)) as pool, media_host() as host:
        asked = {
            fault: pool.submit(given_up, host.url(f"/{CLIP}", fault=fault), seconds)
            for fault, (seconds, _) in SLOW.items()
        }
        while len(host.requests) < len(SLOW):
            time.sleep(0.01)
        yield asked


def given_up(url: str, seconds: float) -> str:
    try:
        with Watch(seconds) as watch:
            medium = get(url, Ways(private=frozenset({"127.0.0.1"})), Network())
            with watch.over(medium):
                while medium.read_into(memoryview(bytearray(256 * 1024))):
                    pass
    except HostFailed as error:
        return error.reason
    return "it ended"
