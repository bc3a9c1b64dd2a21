"""Sync's API: generations and batches, with a key in `x-api-key`.

Statuses PENDING, PROCESSING, COMPLETED, FAILED, REJECTED, CANCELED, TIMED_OUT; for a batch PENDING, JOBS_CREATED,
PROCESSING, COMPLETED, FAILED. Limits: 60 requests a minute on POST /v2/generate, 600 elsewhere. Errors have `message`,
`error` and `statusCode`. A completed or failed job calls the webhook that its submission named, with the object that
GET shows.

Guesses: a cursor is a page's last id; the texts of errors, except the rate limit's.

https://sync.so/docs/api-reference (checked 2026-11-21)
"""

from hashlib import sha256
from http import HTTPStatus
from itertools import count
from typing import Any

from simulators.media_host.answers import Answer, redirect
from simulators.provider_apis.exchange import Api, Refused, Request, json_answer, route, text_answer
from simulators.provider_apis.faults import Limit
from simulators.provider_apis.state import SharedState
from simulators.provider_apis.sync_jobs import Batch, Generation

BASE_PATH = "/sync"
MAX_PAGE = 100  # generations in a page of the list


class Sync:
    """The API and its scripting. Tests may change `api_key` and `signing_secret`, as the provider's user can."""

    def __init__(self, shared: SharedState) -> None:
        limits = [Limit(60, _submits), Limit(600, lambda request: not _submits(request))]
        self.part = shared.part("sync", BASE_PATH, dialect="X-Amz", limits=limits)
        self.base_url, self.links, self.callbacks = self.part.base_url, self.part.links, self.part.callbacks
        self.fail = self.part.gate.fail
        self.api_key = f"sk-{shared.chance.letters(32, 'sync', 'key')}"
        self.signing_secret = f"whsec_{shared.chance.letters(32, 'sync', 'signing')}"
        self.results_need_key = False  # whether a batch's result needs the key to redirect: not documented
        self.jobs: dict[str, Generation] = {}
        self.batches: dict[str, Batch] = {}
        self._numbers = count(1)
        self.api = Api(
            self.part.provider,
            BASE_PATH,
            [
                route("POST", "/v2/generate", self._generate),
                route("GET", "/v2/generate/{id}", self._generation),
                route("GET", "/v2/generations", self._generations),
                route("GET", "/v2/generations/{id}/download", self._download),
                route("GET", "/v2/generations/{id}/result", self._result, open=True),
                route("GET", "/v2/batch/{id}", self._batch),
                route("GET", "/v2/batches/{id}/result", self._batch_result, open=True),
                route("GET", "/v2/organizations/webhook/secret", self._webhook_secret),
            ],
            self._authenticate,
            _error,
        )

    @property
    def credentials(self) -> dict[str, str]:
        """The value of the secret with the API key."""
        return {"api_key": self.api_key}

    def job(self, job_id: str, *, webhook_url: str = "") -> Generation:
        """The generation with this id; made as PENDING if there is none."""
        with self.part.shared.lock:
            return self.jobs.get(job_id) or self._new(job_id, webhook_url=webhook_url)

    def batch(self, job_id: str, *, webhook_url: str = "", snake_case: bool = False) -> Batch:
        """The batch with this id; made as PENDING if there is none. The schema has names in snake_case, the example in
        camelCase."""
        with self.part.shared.lock:
            made = Batch(self.part, self._secret, self.job, job_id, webhook_url, snake_case)
            return self.batches.setdefault(job_id, made)

    def forget(self, job_id: str) -> None:
        """Remove the job from the API: 404."""
        with self.part.shared.lock:
            self.jobs.pop(job_id, None)
            self.batches.pop(job_id, None)

    def _new(self, job_id: str, **asked: Any) -> Generation:
        self.jobs[job_id] = Generation(self.part, self._secret, job_id, **asked)
        return self.jobs[job_id]

    def _secret(self) -> str:
        return self.signing_secret

    # ---- requests ----

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("x-api-key") != self.api_key:
            raise Refused(401, "Invalid API key")

    def _generate(self, request: Request) -> Answer:
        """201 with the job, PENDING."""
        asked = request.json()
        wrong = [f"{name} should not be empty" for name in ("model", "input") if not asked.get(name)]
        if wrong:
            raise Refused(400, wrong)
        job = self._new(
            self.part.shared.chance.uuid("sync", "job", next(self._numbers)),
            webhook_url=asked.get("webhookUrl") or "",
            model=asked["model"],
            input=asked["input"],
            options=asked.get("options") or {},
        )
        end = job.fails if self.part.fails(job.id) else job.completes
        self.part.work(lambda: job.status, lambda: job.becomes("PROCESSING"), end)
        return json_answer(job.shown(), 201)

    def _generation(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found(job_id).shown())

    def _generations(self, request: Request) -> Answer:
        """The generations, filtered by status or ids if the query has them. With `limit` (1 to 100) the newest first, a
        page at a time; the next page begins behind `cursor`, a page's last id. Without `limit` all, in no order."""
        statuses, ids, cursor, limit = (request.query.get(name, "") for name in ("status", "ids", "cursor", "limit"))
        if limit and not (limit.isdecimal() and 0 < int(limit) <= MAX_PAGE):
            return json_answer(_error(400, f"limit must be 1 to {MAX_PAGE}"), 400)
        chosen = [
            job
            for job in reversed(self.jobs.values())
            if (not statuses or job.status in statuses.split(",")) and (not ids or job.id in ids.split(","))
        ]
        if not limit:
            return json_answer(
                [job.shown() for job in sorted(chosen, key=lambda job: sha256(job.id.encode()).digest())]
            )
        first = next((place for place, job in enumerate(chosen, 1) if job.id == cursor), 0)
        return json_answer([job.shown() for job in chosen[first : first + int(limit)]])

    def _download(self, _request: Request, job_id: str) -> Answer:
        """A link as plain text, if the output exists."""
        return text_answer(self._link(self._found(job_id)))

    def _result(self, request: Request, job_id: str) -> Answer:
        """The redirect behind `outputUrl`: its token is the only authentication."""
        job = self._found(job_id)
        if request.query.get("token") != job.token:
            raise Refused(401, "Invalid token")
        return redirect(self._link(job))

    def _batch(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found_batch(job_id).shown())

    def _batch_result(self, request: Request, job_id: str) -> Answer:
        if self.results_need_key:
            self._authenticate(request)
        batch = self._found_batch(job_id)
        if not batch.result:
            raise Refused(404, "Batch has no result")
        return redirect(self.links.url(batch.id, batch.result))

    def _webhook_secret(self, _request: Request) -> Answer:
        return json_answer({"secret": self.signing_secret})

    def _link(self, job: Generation) -> str:
        if not job.output:
            raise Refused(404, "Generation has no output")
        return self.links.url(job.id, job.output)

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
