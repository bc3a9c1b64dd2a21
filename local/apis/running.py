"""The three providers' APIs, started and ended together."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.apis.callbacks import Callback
from local.apis.captions import Captions
from local.apis.chance import Chance
from local.apis.clock import Clock
from local.apis.creatify import Creatify
from local.apis.exchange import Request
from local.apis.server import Server
from local.apis.sync import Sync
from local.apis.world import World
from local.media_host import MediaHost, media_host


@dataclass(frozen=True)
class ProviderApis:
    """The providers, their common clock, the host of their media; every call that was made of them (`requests`) and by
    them (`callbacks`), in order."""

    sync: Sync
    creatify: Creatify
    captions: Captions
    clock: Clock
    host: MediaHost
    requests: list[Request]
    callbacks: list[Callback]


@contextmanager
def provider_apis(*, seed: int = 0, start: float | None = None, port: int = 0) -> Iterator[ProviderApis]:
    """The APIs on 127.0.0.1 while the context lasts, empty of jobs. The same seed makes up the same ids, secrets and
    failures. With `start` (seconds since 1970) time stands still until it is moved; otherwise it runs."""
    clock, chance, server = Clock(start), Chance(seed), Server(port)
    with media_host(now=clock.now, key=chance.letters(32, "links").encode()) as host:
        world = World(clock, chance, host, server.base_url)
        sync, creatify, captions = Sync(world), Creatify(world), Captions(world)
        server.mount(world, [(one.api, one.part.gate) for one in (sync, creatify, captions)])
        with server.serving(), _ticking(clock):
            yield ProviderApis(sync, creatify, captions, clock, host, world.requests, world.callbacks)


@contextmanager
def _ticking(clock: Clock) -> Iterator[None]:
    thread = threading.Thread(target=clock.run)
    thread.start()
    try:
        yield
    finally:
        clock.stop()
        thread.join()
