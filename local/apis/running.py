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
    """The APIs on 127.0.0.1 while the context lasts, empty of jobs. The same seed makes up the same ids and secrets and
    draws the same fates. With `start` (seconds since 1970) time stands still until it is moved; otherwise it runs."""
    clock = Clock(start)
    server = Server(port)
    with media_host(now=clock.now) as host:
        world = World(clock, Chance(seed), host, server.base_url)
        sync, creatify, captions = Sync(world), Creatify(world), Captions(world)
        server.mount(world, [(sync.api, sync.gate), (creatify.api, creatify.gate), (captions.api, captions.gate)])
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        ticking = threading.Thread(target=clock.run)
        serving.start()
        ticking.start()
        try:
            yield ProviderApis(sync, creatify, captions, clock, host, world.requests, world.callbacks)
        finally:
            clock.stop()
            ticking.join()
            server.shutdown()
            serving.join()
            server.server_close()
