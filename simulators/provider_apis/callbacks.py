"""A provider's webhook calls: sent when a job changes, or lost if a test asks for that.

The body is the job at the time of the change; the call is signed when it is sent.
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
    """A webhook call: its URL, the job that it reports, its body and its signature."""

    webhook: str
    job_id: str
    case: str
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    prove: Callable[[bytes], dict[str, str]] = field(repr=False)


class Callbacks:
    """One provider's webhook calls. `told` has them in the order of the changes, lost ones included. No provider
    documents a retry after a response other than 2xx, so none is simulated."""

    def __init__(self, told: list[Callback]) -> None:
        self.told: list[Callback] = []
        self._all_told = told
        self._lock = threading.Lock()
        self._fate = SENT

    def are(self, fate: Fate) -> None:
        """Send or lose the calls from now on."""
        self._fate = fate

    def notify(self, callback: Callback) -> None:
        """Call the webhook of a changed job, or lose the call."""
        with self._lock:
            self.told.append(callback)
            self._all_told.append(callback)
        if self._fate == SENT:
            with suppress(HTTPError):  # no server responds
                self._send(callback)

    def _send(self, callback: Callback) -> None:
        url = urlsplit(callback.url)
        path = f"{url.path}?{url.query}" if url.query else url.path
        headers = {"Content-Type": "application/json", **callback.prove(callback.body)}
        call = Call(callback.webhook, callback.case, callback.job_id, path, headers, callback.body)
        send(call, f"{url.scheme}://{url.netloc}")
