"""Sync's generations and batches: their scripted changes, and their form in GET and webhook calls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from simulators.media_host.samples import SampleMedia
from simulators.provider_apis.callbacks import Callback
from simulators.provider_apis.state import Part
from simulators.provider_calls.call import compact
from simulators.provider_calls.sync import sync_batch_result, sync_batch_row, sync_proofs, zulu

# Sync's words for its error codes, https://sync.so/docs/developer-guides/error-handling
ERRORS = {
    "generation_unsupported_model": "The requested model is not supported for this operation.",
    "generation_media_metadata_missing": "Required media metadata is missing from the request.",
    "generation_audio_length_exceeded": "The provided audio exceeds the maximum allowed length.",
    "generation_text_length_exceeded": "Text must be less than 5000 characters in one generation.",
    "generation_audio_missing": "No audio file was provided in the request.",
    "generation_video_missing": "No video file was provided in the request.",
    "generation_timeout": "The generation process exceeded the maximum allowed time.",
    "generation_pipeline_failed": "An error occurred in the generation pipeline.",
    "generation_database_error": "An error occurred while accessing the database.",
    "generation_internal_auth": "Authentication failed for internal generation service.",
    "generation_unhandled_error": "An unexpected error occurred during the generation process.",
}
INPUT = [
    {"type": "video", "url": "https://assets.sync.so/docs/example-video.mp4"},
    {"type": "audio", "url": "https://assets.sync.so/docs/example-audio.wav"},
]
ENDS = frozenset({"COMPLETED", "FAILED"})  # statuses that call the webhook

type Secret = Callable[[], str]  # Sync's current signing secret


@dataclass
class Generation:
    """One generation. `output` and `segment` name media as simulators/provider_apis/links.py describes. With
    `leads_through_api` its `outputUrl` is as seen in real traffic: a link to the API with a token, which redirects to a
    signed link."""

    _part: Part = field(repr=False)
    _secret: Secret = field(repr=False)
    id: str
    webhook_url: str = ""
    model: str = "lipsync-2"
    input: list[Any] = field(default_factory=lambda: list(INPUT))
    options: Any = field(default_factory=lambda: {"sync_mode": "loop"})
    status: str = "PENDING"
    output: str = ""
    segment: str = ""
    seconds: float | None = None
    error_code: str = ""
    leads_through_api: bool = False

    def __post_init__(self) -> None:
        self.created_at = self._part.shared.clock.date()
        self.token = self._part.shared.chance.uuid("sync", "token", self.id)

    def becomes(self, status: str) -> "Generation":
        """Set another status, in Sync's words. COMPLETED and FAILED call the webhook."""
        with self._part.shared.lock:
            self.status = status
            callback = self._callback(self._told(), self._secret)
        if self.webhook_url and status in ENDS:
            self._part.notify(callback)
        return self

    def completes(self, output: str = "generation.mp4", segment: str = "", *, seconds: float = 2.0) -> "Generation":
        """Set COMPLETED, with these media; `seconds` is the output's duration."""
        with self._part.shared.lock:
            self.output, self.segment, self.seconds = output, segment, seconds
        return self.becomes("COMPLETED")

    def fails(self, code: str = "generation_pipeline_failed", *, status: str = "FAILED") -> "Generation":
        """Set FAILED; or REJECTED, CANCELED, TIMED_OUT, which call no webhook."""
        with self._part.shared.lock:
            self.error_code = code
        return self.becomes(status)

    def shown(self) -> dict[str, Any]:
        """The response to GET: every field, null for missing values, the output under its old and new name."""
        url = self._output_url() or None
        return {
            "id": self.id,
            "createdAt": zulu(self.created_at),
            "status": self.status,
            "model": self.model,
            "input": self.input,
            "webhookUrl": self.webhook_url or None,
            "options": self.options,
            "outputUrl": url,
            "outputMediaUrl": url,
            "segmentOutputUrl": self._part.links.url(self.id, self.segment) or None,
            "outputDuration": self.seconds,
            "error": ERRORS.get(self.error_code, self.error_code) or None,
            "error_code": self.error_code or None,
        }

    def _told(self) -> dict[str, Any]:
        """The body of a webhook call: the same without null values and the newer name."""
        shown = self.shown()
        return {name: value for name, value in shown.items() if value is not None and name != "outputMediaUrl"}

    def _output_url(self) -> str:
        if self.output and self.leads_through_api:
            return f"{self._part.base_url}/v2/generations/{quote(self.id, safe='')}/result?token={self.token}"
        return self._part.links.url(self.id, self.output)

    def _callback(self, body: dict[str, Any], secret: Secret) -> Callback:
        return _signed("sync/generation", self.id, self.webhook_url, body, secret)


@dataclass
class Batch:
    """One batch of generations. `result` names the list to which its `outputUrl` redirects."""

    _part: Part = field(repr=False)
    _secret: Secret = field(repr=False)
    _generation: Callable[[str], Generation] = field(repr=False)
    id: str
    webhook_url: str = ""
    snake_case: bool = False
    status: str = "PENDING"
    result: str = ""
    succeeded: int = 0
    failed: int = 0
    pending: int = 0

    def __post_init__(self) -> None:
        self.created_at = self._part.shared.clock.date()

    def becomes(self, status: str) -> "Batch":
        """Set another status, in Sync's words. COMPLETED and FAILED call the webhook."""
        with self._part.shared.lock:
            self.status = status
            callback = self._callback(self.shown(), self._secret)
        if self.webhook_url and status in ENDS:
            self._part.notify(callback)
        return self

    def completes(self, generations: Mapping[str, str | None]) -> "Batch":
        """Set COMPLETED, with its generations by id, each with its output or None if it failed. They become jobs of
        their own. The links in the list are signed now."""
        rows = []
        for number, (job_id, output) in enumerate(generations.items(), start=1):
            job = self._generation(job_id)
            job.completes(output) if output else job.fails("generation_audio_missing")
            link = self._part.links.url(job_id, output) if output else None
            rows.append(sync_batch_row(f"request-{number}", job_id, link))
        shared = self._part.shared
        with shared.lock:
            self.result = f"{shared.chance.letters(20, 'sync', 'result', self.id)}.jsonl"
            self.succeeded = sum(output is not None for output in generations.values())
            self.failed, self.pending = len(generations) - self.succeeded, 0
            shared.host.media[self.result] = SampleMedia(self.result, "application/jsonl", sync_batch_result(rows))
        return self.becomes("COMPLETED")

    def fails(self) -> "Batch":
        """Set FAILED for the whole batch."""
        return self.becomes("FAILED")

    def shown(self) -> dict[str, Any]:
        """The form in GET and webhook calls: the example's camelCase, or the schema's snake_case."""
        counts = [self.succeeded + self.failed + self.pending, self.succeeded, self.failed, self.pending]
        if self.snake_case:
            created, names = "created_at", ["total_generations", "success_count", "failed_count", "pending_count"]
        else:
            created, names = "createdAt", ["totalGenerations", "successCount", "failedCount", "pendingCount"]
        shown = {
            "id": self.id,
            "status": self.status,
            "metrics": dict(zip(names, counts, strict=True)),
            "outputUrl": f"{self._part.base_url}/v2/batches/{quote(self.id, safe='')}/result" if self.result else "",
            "webhookUrl": self.webhook_url or None,
            created: zulu(self.created_at),
        }
        return shown if self.snake_case else shown | {"options": {}}

    def _callback(self, body: dict[str, Any], secret: Secret) -> Callback:
        return _signed("sync/batch", self.id, self.webhook_url, body, secret)


def _signed(webhook: str, job_id: str, url: str, body: dict[str, Any], secret: Secret) -> Callback:
    """A callback with both documented headers. Their time is the real time, because receivers have no other clock."""
    return Callback(
        webhook,
        job_id,
        str(body["status"]),
        url,
        compact(body),
        lambda raw: sync_proofs(secret(), raw, int(time.time()))["both"],
    )
