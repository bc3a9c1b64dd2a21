"""The Captions API: operations of the creator and the registered webhooks, all POST, with a key in `x-api-key`.

States QUEUED, PROCESSING, COMPLETE. 5 calls a minute; links are signed in Google's way, for days. An operation that is
done calls the webhook that its submission named by `webhookId`, with the webhook's secret as bearer.

Guesses: errors have a `detail`; what a failed operation answers to a poll (400); what `creator.failure` says beyond
`event` and `operationId`.

https://help.captions.ai/api-reference (checked 2026-11-21)
"""

from typing import Any

from local.apis.captions_jobs import Operation
from local.apis.exchange import Api, Refused, Request, json_answer, route
from local.apis.gate import Gate, Limit
from local.apis.links import Links
from local.apis.world import World
from local.media_answers import Answer

BASE_PATH = "/captions/api"
LINK_SECONDS = 543_058  # 6.3 days, as seen in a real link


class Captions:
    """The API and its scripting. `api_key` may be set to another, as the provider's user does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.base_url = world.base_url + BASE_PATH
        self.api_key = world.chance.letters(40, "captions", "key")
        self.links = Links(world.host, "captions", "X-Goog")
        self.links.lifetime = LINK_SECONDS
        self.callbacks = world.callbacks_of_one()
        self.gate = Gate(world.clock, [Limit(5, lambda _request: True)])
        self.fail = self.gate.fail
        self.jobs: dict[str, Operation] = {}
        self.api = Api("captions", BASE_PATH, [route("POST", "/creator/poll", self._poll)], self._authenticate, _error)

    @property
    def credentials(self) -> dict[str, str]:
        """What the secret with the API's key holds."""
        return {"api_key": self.api_key}

    def job(self, job_id: str) -> Operation:
        """The operation of that id; one that is QUEUED, where there is none yet."""
        with self.world.lock:
            return self.jobs.setdefault(job_id, Operation(self, job_id))

    def forget(self, job_id: str) -> None:
        """The API knows the operation no longer: 404."""
        with self.world.lock:
            self.jobs.pop(job_id, None)

    # ---- the calls ----

    def _authenticate(self, request: Request) -> None:
        if "x-api-key" not in request.headers:
            raise Refused(401, "API key is missing")
        if request.headers["x-api-key"] != self.api_key:
            raise Refused(403, "Invalid API key")

    def _poll(self, request: Request) -> Answer:
        job = self.jobs.get(str(request.json().get("operationId")))
        if job is None:
            raise Refused(404, "Operation not found")
        if job.error:
            raise Refused(400, job.error)
        return json_answer(job.shown())


def _error(_status: int, why: Any) -> dict[str, Any]:
    return {"detail": why}
