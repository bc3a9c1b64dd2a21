"""What the simulated providers share: time, chance, the media host, and the record of all that was said."""

import threading
from dataclasses import dataclass, field

from local.apis.callbacks import Callback, Callbacks
from local.apis.chance import Chance
from local.apis.clock import Clock
from local.apis.exchange import Request
from local.media_host import MediaHost


@dataclass
class World:
    """`lock` is held while a call is answered and while a job is changed, and never while a webhook is called."""

    clock: Clock
    chance: Chance
    host: MediaHost
    base_url: str
    requests: list[Request] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def callbacks_of_one(self) -> Callbacks:
        """The callbacks of one more provider."""
        return Callbacks(self.clock, self.chance, self.callbacks)
