"""A provider's calls of webhooks: sent when a job changes, or lost where a test wants it.

The body is what the job was at the change, and its proof is made when it is sent.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from simulators.provider_calls.call import Call, send

type Fate = Literal["sent", "lost"]

SENT: Fate = "sent"
LOST: Fate = "lost"


@dataclass
class Callback:
    """A webhook's call: what of which job it tells, and how it is proven."""

    webhook: str
    job_id: str
    case: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    prove: Callable[[bytes], dict[str, str]] = field(repr=False)


class Callbacks:
    """Those of one provider. `told` has them in the order in which the jobs changed, the lost ones too. No provider
    documents that it calls again where it was not answered 2xx, so none does."""

    def __init__(self, told: list[Callback]) -> None:
        self.told: list[Callback] = []
        self._all_told = told
        self._lock = threading.Lock()
        self._fate = SENT

    def are(self, fate: Fate) -> None:
        """From now on, callbacks have this fate."""
        self._fate = fate

    def notify(self, callback: Callback) -> None:
        """A job has changed: call its webhook, as its fate is."""
        with self._lock:
            self.told.append(callback)
            self._all_told.append(callback)
        if self._fate == SENT:
            with suppress(HTTPError):  # nobody answers
                self._send(callback)

    def _send(self, callback: Callback) -> None:
        url = urlsplit(callback.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        headers = {"Content-Type": "application/json", **callback.prove(callback.body)}
        call = Call(callback.webhook, callback.case, callback.job_id, path, headers, callback.body)
        send(call, f"{url.scheme}://{url.netloc}")
