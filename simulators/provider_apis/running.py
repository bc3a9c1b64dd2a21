"""Starts and ends the three providers' APIs together."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from simulators.media_host.server import MediaHost, media_host
from simulators.provider_apis.callbacks import Callback
from simulators.provider_apis.captions import Captions
from simulators.provider_apis.clock import Clock
from simulators.provider_apis.creatify import Creatify
from simulators.provider_apis.exchange import Request
from simulators.provider_apis.random_values import Chance
from simulators.provider_apis.server import Server
from simulators.provider_apis.state import SharedState
from simulators.provider_apis.sync import Sync


@dataclass(frozen=True)
class ProviderApis:
    """The providers, their common clock, their media host, and in order all API requests (`requests`) and webhook calls
    (`callbacks`)."""

    sync: Sync
    creatify: Creatify
    captions: Captions
    clock: Clock
    host: MediaHost
    requests: list[Request]
    callbacks: list[Callback]


@contextmanager
def provider_apis(*, seed: int = 0, start: float | None = None, port: int = 0) -> Iterator[ProviderApis]:
    """The APIs on 127.0.0.1 while the context is open, without jobs. The same seed gives the same ids, secrets and
    failures. With `start` (seconds since 1970) the clock stops until a test moves it; otherwise it runs."""
    clock, chance, server = Clock(start), Chance(seed), Server(port)
    with media_host(now=clock.now, key=chance.letters(32, "links").encode()) as host:
        shared = SharedState(clock, chance, host, server.base_url)
        sync, creatify, captions = Sync(shared), Creatify(shared), Captions(shared)
        server.mount(shared, [(one.api, one.part.gate) for one in (sync, creatify, captions)])
        with server.serving(), _ticking(clock):
            yield ProviderApis(sync, creatify, captions, clock, host, shared.requests, shared.callbacks)


@contextmanager
def _ticking(clock: Clock) -> Iterator[None]:
    thread = threading.Thread(target=clock.run)
    thread.start()
    try:
        yield
    finally:
        clock.stop()
        thread.join()
