"""The operations of Captions' creator: what a poll and the webhook show of them, how a script moves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.apis.captions import Captions

CREDITS = 30


@dataclass
class Operation:
    """One operation. `output` names a medium as local/apis/links.py says."""

    _captions: Captions = field(repr=False)
    id: str
    state: str = "QUEUED"
    progress: int | None = None
    output: str = ""
    error: str = ""

    def becomes(self, state: str, progress: int | None = None) -> Operation:
        """Another state, in Captions' words, and how far it is in percent."""
        with self._captions.world.lock:
            self.state, self.progress = state, progress
        return self

    def completes(self, output: str = "operation.mp4") -> Operation:
        """COMPLETE, with this medium."""
        with self._captions.world.lock:
            self.output = output
        return self.becomes("COMPLETE")

    def fails(self, error: str = "The operation failed.") -> Operation:
        """Failed, which is not one of the states: a poll is answered with an error."""
        with self._captions.world.lock:
            self.error = error
        return self

    def shown(self) -> dict[str, Any]:
        """As a poll shows it: what there is none of is absent."""
        shown = {"url": self._captions.links.url(self.id, self.output), "state": self.state, "progress": self.progress}
        return {name: value for name, value in shown.items() if value not in ("", None)}
