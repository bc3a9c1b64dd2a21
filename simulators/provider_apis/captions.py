"""The Captions API: operations of the creator and registered webhooks, all POST, with a key in `x-api-key`.

States QUEUED, PROCESSING, COMPLETE. 5 requests a minute. Links are signed in Google's format, for days. An operation
that ends calls the webhook that its submission named as `webhookId`, with that webhook's secret as bearer token.

Guesses: errors have a `detail`; a poll of a failed operation returns 400; the fields of `creator.failure` besides
`event` and `operationId`; a submission without `webhookId` calls no webhook.

https://help.captions.ai/api-reference (checked 2026-11-21)
"""

from itertools import count
from typing import Any

from simulators.media_host.answers import Answer
from simulators.provider_apis.captions_jobs import Operation
from simulators.provider_apis.captions_webhooks import Registration, Webhooks
from simulators.provider_apis.exchange import Api, Refused, Request, json_answer, route
from simulators.provider_apis.faults import Limit
from simulators.provider_apis.state import SharedState

BASE_PATH = "/captions/api"
LINK_SECONDS = 543_058  # 6.3 days, as seen in a real link
MAX_SCRIPT = 800  # characters


class Captions:
    """The API and its scripting. Tests may change `api_key`, as the provider's user can; `webhooks` decides when an old
    secret expires."""

    def __init__(self, shared: SharedState) -> None:
        limits = [Limit(5, lambda _request: True)]
        self.part = shared.part("captions", BASE_PATH, dialect="X-Goog", limits=limits)
        self.base_url, self.links, self.callbacks = self.part.base_url, self.part.links, self.part.callbacks
        self.links.lifetime = LINK_SECONDS
        self.fail = self.part.gate.fail
        self.api_key = shared.chance.letters(40, "captions", "key")
        self.webhooks = Webhooks(shared.clock, shared.chance)
        self.jobs: dict[str, Operation] = {}
        self._numbers = count(1)
        self.api = Api(
            self.part.provider,
            BASE_PATH,
            [
                route("POST", "/webhooks/events", self._events),
                route("POST", "/webhooks/register", self._register),
                route("POST", "/webhooks/list", self._list),
                route("POST", "/webhooks/update", self._update),
                route("POST", "/webhooks/delete", self._delete),
                route("POST", "/creator/submit", self._submit),
                route("POST", "/creator/poll", self._poll),
            ],
            self._authenticate,
            _error,
        )

    @property
    def credentials(self) -> dict[str, str]:
        """The value of the secret with the API key."""
        return {"api_key": self.api_key}

    @property
    def registrations(self) -> list[Registration]:
        """The registered webhooks, oldest first."""
        return list(self.webhooks.registered.values())

    def register(self, url: str) -> Registration:
        """Register a webhook for all events, as a user would."""
        with self.part.shared.lock:
            return self.webhooks.register(url, list(self.webhooks.events))

    def job(self, job_id: str, *, webhook_id: str | None = None) -> Operation:
        """The operation with this id; made as QUEUED if there is none. Its end is reported to every registered webhook,
        or to the one with the given id."""
        with self.part.shared.lock:
            made = Operation(self.part, self.webhooks, job_id, webhook_id)
            return self.jobs.setdefault(job_id, made)

    def forget(self, job_id: str) -> None:
        """Remove the operation from the API: 404."""
        with self.part.shared.lock:
            self.jobs.pop(job_id, None)

    # ---- requests ----

    def _authenticate(self, request: Request) -> None:
        if "x-api-key" not in request.headers:
            raise Refused(401, "API key is missing")
        if request.headers["x-api-key"] != self.api_key:
            raise Refused(403, "Invalid API key")

    def _events(self, _request: Request) -> Answer:
        return json_answer({"events": self.webhooks.events})

    def _register(self, request: Request) -> Answer:
        asked = request.json()
        if not asked.get("url") or not asked.get("enabledEvents"):
            raise Refused(400, "url and enabledEvents are required")
        made = self.webhooks.register(asked["url"], self._known(asked["enabledEvents"]))
        return json_answer(made.shown(), self.webhooks.made_status)

    def _list(self, _request: Request) -> Answer:
        return json_answer({"registeredWebhooks": [one.shown() for one in self.registrations]})

    def _update(self, request: Request) -> Answer:
        asked, one = request.json(), self._registered(request)
        events = asked.get("enabledEvents")
        self.webhooks.update(one, asked.get("url"), None if events is None else self._known(events))
        return json_answer(one.shown(), self.webhooks.made_status)

    def _delete(self, request: Request) -> Answer:
        del self.webhooks.registered[self._registered(request).id]
        return json_answer({"success": True})

    def _submit(self, request: Request) -> Answer:
        asked = request.json()
        if not asked.get("script") or len(asked["script"]) > MAX_SCRIPT:
            raise Refused(400, f"script is required, of at most {MAX_SCRIPT} characters")
        webhook_id = asked.get("webhookId") or ""
        if webhook_id and webhook_id not in self.webhooks.registered:
            raise Refused(400, "Unknown webhookId")
        job_id = self.part.shared.chance.letters(20, "captions", "job", next(self._numbers))
        job = self.job(job_id, webhook_id=webhook_id)
        end = job.fails if self.part.fails(job.id) else job.completes
        self.part.work(lambda: job.status, lambda: job.becomes("PROCESSING", progress=45), end)
        return json_answer({"operationId": job.id})

    def _poll(self, request: Request) -> Answer:
        job = self.jobs.get(str(request.json().get("operationId")))
        if job is None:
            raise Refused(404, "Operation not found")
        if job.error:
            raise Refused(400, job.error)
        return json_answer(job.shown())

    def _registered(self, request: Request) -> Registration:
        one = self.webhooks.registered.get(str(request.json().get("id")))
        if one is None:
            raise Refused(404, "Webhook not found")
        return one

    def _known(self, events: list[str]) -> list[str]:
        if not set(events) <= set(self.webhooks.events):
            raise Refused(400, f"enabledEvents are of {', '.join(self.webhooks.events)}")
        return events


def _error(_status: int, why: Any) -> dict[str, Any]:
    return {"detail": why}
