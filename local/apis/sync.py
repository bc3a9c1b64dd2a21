"""Sync's API: generations and batches, with a key in `x-api-key`.

Statuses PENDING, PROCESSING, COMPLETED, FAILED, REJECTED, CANCELED, TIMED_OUT; of a batch PENDING, JOBS_CREATED,
PROCESSING, COMPLETED, FAILED. Limits: 60 a minute on POST /v2/generate, 600 elsewhere. Errors have `message`, `error`
and `statusCode`. A completed or failed job calls the webhook that its submission named, with the object that GET shows.

Guesses: that a list of generations is whole, and what 400 and 401 say.

https://sync.so/docs/api-reference (checked 2026-11-21)
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from local.apis.exchange import Api, Refused, Request, json_answer, route, text_answer
from local.apis.gate import Gate, Limit
from local.apis.links import Links
from local.apis.sync_jobs import Batch, Generation
from local.apis.world import World
from local.callers import sync_proofs
from local.media_answers import Answer, redirect

BASE_PATH = "/sync"


class Sync:
    """The API and its scripting. `api_key` and `signing_secret` may be set to others, as the provider's user does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.base_url = world.base_url + BASE_PATH
        self.api_key = f"sk-{world.chance.letters(32, 'sync', 'key')}"
        self.signing_secret = f"whsec_{world.chance.letters(32, 'sync', 'signing')}"
        self.results_need_key = False  # whether a batch's result asks for the key before it redirects: not documented
        self.links = Links(world.host, "sync", "X-Amz")
        self.callbacks = world.callbacks_of_one()
        self.gate = Gate(world.clock, [Limit(60, _submits), Limit(600, lambda request: not _submits(request))])
        self.fail = self.gate.fail
        self.jobs: dict[str, Generation] = {}
        self.batches: dict[str, Batch] = {}
        self.api = Api(
            "sync",
            BASE_PATH,
            [
                route("GET", "/v2/generate/{id}", self._generation),
                route("GET", "/v2/generations", self._generations),
                route("GET", "/v2/generations/{id}/download", self._download),
                route("GET", "/v2/generations/{id}/result", self._result, open=True),
                route("GET", "/v2/batch/{id}", self._batch),
                route("GET", "/v2/batches/{id}/result", self._batch_result, open=True),
                route("GET", "/v2/organizations/webhook/secret", self._secret),
            ],
            self._authenticate,
            _error,
        )

    @property
    def credentials(self) -> dict[str, str]:
        """What the secret with the API's key holds."""
        return {"api_key": self.api_key}

    def job(self, job_id: str, *, webhook_url: str = "") -> Generation:
        """The generation of that id; one that is PENDING, where there is none yet."""
        with self.world.lock:
            return self.jobs.setdefault(job_id, Generation(self, job_id, webhook_url))

    def batch(self, job_id: str, *, webhook_url: str = "", snake_case: bool = False) -> Batch:
        """The batch of that id; one that is PENDING, where there is none yet. The schema spells names in snake_case,
        the example in camelCase."""
        with self.world.lock:
            return self.batches.setdefault(job_id, Batch(self, job_id, webhook_url, snake_case))

    def forget(self, job_id: str) -> None:
        """The API knows the job no longer: 404."""
        with self.world.lock:
            self.jobs.pop(job_id, None)
            self.batches.pop(job_id, None)

    def prover(self, secret: str | None = None) -> Callable[[bytes], dict[str, str]]:
        """What proves a body to be Sync's, in both documented headers, by the signing secret at that time or another.
        The time in it is the real one: whoever checks it has no other clock."""
        return lambda body: sync_proofs(secret or self.signing_secret, body, int(time.time()))["both"]

    # ---- the calls ----

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("x-api-key") != self.api_key:
            raise Refused(401, "Invalid API key")

    def _generation(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found(job_id).shown())

    def _generations(self, request: Request) -> Answer:
        """The newest first; of some statuses, or some ids, where the query says so."""
        statuses, ids = (request.query.get(name, "") for name in ("status", "ids"))
        shown = [
            job.shown()
            for job in reversed(self.jobs.values())
            if (not statuses or job.status in statuses.split(",")) and (not ids or job.id in ids.split(","))
        ]
        return json_answer(shown)

    def _download(self, _request: Request, job_id: str) -> Answer:
        """A link as plain text, of an output that is there."""
        job = self._found(job_id)
        if not job.output:
            raise Refused(404, "Generation has no output")
        return text_answer(self.links.url(job.id, job.output))

    def _result(self, request: Request, job_id: str) -> Answer:
        """What `outputUrl` leads through: the token in it is all the proof there is."""
        job = self._found(job_id)
        if request.query.get("token") != job.token:
            raise Refused(401, "Invalid token")
        if not job.output:
            raise Refused(404, "Generation has no output")
        return redirect(self.links.url(job.id, job.output))

    def _batch(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found_batch(job_id).shown())

    def _batch_result(self, request: Request, job_id: str) -> Answer:
        if self.results_need_key:
            self._authenticate(request)
        batch = self._found_batch(job_id)
        if not batch.result:
            raise Refused(404, "Batch has no result")
        return redirect(self.links.url(batch.id, batch.result))

    def _secret(self, _request: Request) -> Answer:
        return json_answer({"secret": self.signing_secret})

    def _found(self, job_id: str) -> Generation:
        if job_id not in self.jobs:
            raise Refused(404, "Generation not found")
        return self.jobs[job_id]

    def _found_batch(self, job_id: str) -> Batch:
        if job_id not in self.batches:
            raise Refused(404, "Batch not found")
        return self.batches[job_id]


def _submits(request: Request) -> bool:
    return (request.method, request.path) == ("POST", "/v2/generate")


def _error(status: int, why: Any) -> dict[str, Any]:
    return {"message": why, "error": HTTPStatus(status).phrase, "statusCode": status}
