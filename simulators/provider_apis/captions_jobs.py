"""Operations of Captions' creator: their scripted changes, and their form in polls and webhook calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.provider_apis.callbacks import Callback
from simulators.provider_apis.captions_webhooks import Registration, Webhooks
from simulators.provider_apis.state import Part
from simulators.provider_calls.call import compact

CREDITS = 30  # one a second, for half a minute


@dataclass
class Operation:
    """One operation. `output` names a medium as simulators/provider_apis/links.py describes. `webhook_id` is the
    registered webhook that receives its end; None means every webhook, for jobs that a script makes."""

    _part: Part = field(repr=False)
    _webhooks: Webhooks = field(repr=False)
    id: str
    webhook_id: str | None = None
    state: str = "QUEUED"
    progress: int | None = None
    output: str = ""
    error: str = ""

    @property
    def status(self) -> str:
        """The state, or None for a failed operation, which has no state."""
        return "failed" if self.error else self.state

    def becomes(self, state: str, progress: int | None = None) -> "Operation":
        """Set QUEUED or PROCESSING, and the progress in percent. Calls no webhook."""
        with self._part.shared.lock:
            self.state, self.progress = state, progress
        return self

    def completes(self, output: str = "operation.mp4") -> "Operation":
        """Set COMPLETE with this medium, and send `creator.success`."""
        with self._part.shared.lock:
            self.output, self.state, self.progress = output, "COMPLETE", None
        self._tell("creator.success")
        return self

    def fails(self, error: str = "The operation failed.") -> "Operation":
        """Fail. A failed operation has no state: polls return an error. Sends `creator.failure`."""
        with self._part.shared.lock:
            self.error = error
        self._tell("creator.failure")
        return self

    def shown(self) -> dict[str, Any]:
        """The response to a poll. Missing values are omitted."""
        shown = {"url": self._part.links.url(self.id, self.output), "state": self.state, "progress": self.progress}
        return {name: value for name, value in shown.items() if value not in ("", None)}

    def _tell(self, event: str) -> None:
        with self._part.shared.lock:
            told = [self._callback(event, one.url, self._webhooks.prover(one)) for one in self._hearers(event)]
        for callback in told:
            self._part.notify(callback)

    def _hearers(self, event: str) -> list[Registration]:
        return [
            one
            for one in self._webhooks.registered.values()
            if event in one.enabled_events and self.webhook_id in (None, one.id)
        ]

    def _callback(self, event: str, url: str, prove: Callable[[bytes], dict[str, str]]) -> Callback:
        body: dict[str, Any] = {"event": event, "operationId": self.id}
        if event == "creator.success":
            body = {"url": self._part.links.url(self.id, self.output), **body, "creditsSpent": CREDITS}
        else:
            body |= {"error": self.error}  # a guess: the fields of a failure are not published
        return Callback("captions/creator", self.id, event, url, compact(body), prove)
