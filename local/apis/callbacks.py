"""A provider's calls of webhooks: sent when a job changes, or lost, doubled, late or overtaken as a test wants it.

The body is what the job was at the change; the proof is made when it is sent, so a late callback has a good one.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from local.apis.chance import Chance
from local.apis.clock import Clock
from local.callers import Call, Reply, send

OVERTAKEN_SECONDS = 60  # an overtaken callback that nothing overtakes is sent after all
MIXED_SECONDS = 30  # a late one in a mix is late by up to so much


@dataclass(frozen=True)
class Fate:
    """What becomes of a callback: how often it is sent, how late, and whether the job's next one overtakes it."""

    copies: int = 1
    seconds: float = 0
    overtaken: bool = False


SENT, LOST, DOUBLED, OVERTAKEN = Fate(), Fate(copies=0), Fate(copies=2), Fate(overtaken=True)


def late(seconds: float) -> Fate:
    """Sent so much later, by the providers' clock."""
    return Fate(seconds=seconds)


@dataclass
class Callback:
    """A webhook's call: what of which job it tells, and what the webhook answered to each time it was sent (None where
    nobody answered)."""

    webhook: str
    job_id: str
    case: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    prove: Callable[[bytes], dict[str, str]] = field(repr=False)
    fate: Fate = SENT
    replies: list[Reply | None] = field(default_factory=list)


class Callbacks:
    """Those of one provider. `told` has them in the order in which the jobs changed, the lost ones too. `comes_again`
    has the seconds to wait before each further try of one that is answered 5xx or not at all; no provider documents
    that it tries again, so there is none unless a test wants it."""

    def __init__(self, clock: Clock, chance: Chance, told: list[Callback]) -> None:
        self.told: list[Callback] = []
        self.comes_again: tuple[float, ...] = ()
        self._all_told = told
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._scripts: list[_Script] = []
        self._mix: dict[str, float] = {}
        self._overtaken: defaultdict[str, list[Callback]] = defaultdict(list)

    def are(self, fate: Fate, *, times: int | None = None, job_id: str | None = None) -> None:
        """The next callbacks, or from now on all, of any or of one job, have this fate. The latest word counts."""
        with self._lock:
            self._scripts.insert(0, _Script(fate, times, job_id))

    def mix(self, *, lost: float = 0, doubled: float = 0, delayed: float = 0, overtaken: float = 0) -> None:
        """Of the callbacks that nothing else is said of, these shares have these fates; which ones, the seed says."""
        self._mix = {"lost": lost, "doubled": doubled, "delayed": delayed, "overtaken": overtaken}

    def tell(self, callback: Callback) -> None:
        """A job has changed: call its webhook, as its fate is."""
        with self._lock:
            callback.fate = self._fate(callback)
            self._remember(callback)
            overtaken = [] if callback.fate.overtaken else self._overtaken.pop(callback.job_id, [])
            if callback.fate.overtaken:
                self._overtaken[callback.job_id].append(callback)
        if callback.fate.overtaken:
            self._clock.after(OVERTAKEN_SECONDS, lambda: self._release(callback))
        elif callback.fate.seconds:
            self._clock.after(callback.fate.seconds, lambda: self._send(callback))
        else:
            self._send(callback)
        for held in overtaken:
            self._send(held)

    def forge(self, callback: Callback) -> Reply | None:
        """Somebody else calls the webhook: sent once, now, whatever the fates are; what it was answered."""
        with self._lock:
            self._remember(callback)
        self._send_once(callback)
        return callback.replies[0]

    def _remember(self, callback: Callback) -> None:
        self.told.append(callback)
        self._all_told.append(callback)

    def _fate(self, callback: Callback) -> Fate:
        for script in self._scripts:
            if script.job_id in (None, callback.job_id):
                return self._take(script)
        name = (callback.webhook, callback.job_id, sum(told.job_id == callback.job_id for told in self.told))
        drawn = self._chance.fraction("fate", *name)
        for kind, share in self._mix.items():
            if drawn < share:
                delay = late(MIXED_SECONDS * self._chance.fraction("delay", *name))
                return {"lost": LOST, "doubled": DOUBLED, "delayed": delay, "overtaken": OVERTAKEN}[kind]
            drawn -= share
        return SENT

    def _take(self, script: "_Script") -> Fate:
        if script.times is not None:
            script.times -= 1
            if not script.times:
                self._scripts.remove(script)
        return script.fate

    def _release(self, callback: Callback) -> None:
        with self._lock:
            held = self._overtaken[callback.job_id]
            if callback not in held:
                return
            held.remove(callback)
        self._send(callback)

    def _send(self, callback: Callback) -> None:
        for _ in range(callback.fate.copies):
            self._send_once(callback)
        if callback.replies and self.comes_again and _unheard(callback.replies[-1]):
            self._clock.after(self.comes_again[0], lambda: self._again(callback, 1))

    def _again(self, callback: Callback, tries: int) -> None:
        self._send_once(callback)
        if tries < len(self.comes_again) and _unheard(callback.replies[-1]):
            self._clock.after(self.comes_again[tries], lambda: self._again(callback, tries + 1))

    def _send_once(self, callback: Callback) -> None:
        url = urlsplit(callback.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        headers = {"Content-Type": "application/json", **callback.prove(callback.body)}
        call = Call(callback.webhook, callback.case, callback.job_id, path, headers, callback.body)
        try:
            callback.replies.append(send(call, f"{url.scheme}://{url.netloc}"))
        except HTTPError:
            callback.replies.append(None)


@dataclass
class _Script:
    """A word on what becomes of callbacks; `times` None is for good."""

    fate: Fate
    times: int | None
    job_id: str | None


def _unheard(reply: Reply | None) -> bool:
    return reply is None or reply.status >= 500
