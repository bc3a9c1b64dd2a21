"""Creatify's API: product-to-video jobs, with an id and a key in `X-API-ID` and `X-API-KEY`; paths end in a slash.

Statuses initializing, image_generating, image_generated, video_generating, video_generated, failed; each change calls
the webhook that the submission named, unsigned, with the whole job. Documented: 100 ids in a call, 200 characters in a
webhook's URL. Guesses: the errors, which are those of Django REST framework; that a list without ids is whole; no limit
of calls is documented, so there is none.

https://docs.creatify.ai/api-reference/product_to_video (checked 2026-11-21)
"""

from typing import Any

from local.apis.creatify_jobs import ProductToVideo
from local.apis.exchange import Api, Refused, Request, json_answer, route
from local.apis.gate import Gate
from local.apis.links import Links
from local.apis.world import World
from local.media_answers import Answer

BASE_PATH = "/creatify/api"
MOST_IDS = 100
PLACE = "/product_to_videos"


class Creatify:
    """The API and its scripting. `api_id` and `api_key` may be set to others, as the provider's user does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.base_url = f"{world.base_url}{BASE_PATH}/"
        self.api_id = world.chance.uuid("creatify", "id")
        self.api_key = world.chance.letters(40, "creatify", "key")
        self.paged = False  # whether a list comes as {"results": [...]}: only the bare array is documented
        self.links = Links(world.host, "creatify", "X-Amz")
        self.callbacks = world.callbacks_of_one()
        self.gate = Gate(world.clock, [])
        self.fail = self.gate.fail
        self.jobs: dict[str, ProductToVideo] = {}
        self.api = Api(
            "creatify",
            BASE_PATH,
            [
                route("GET", f"{PLACE}/{{id}}/", self._job),
                route("GET", f"{PLACE}/", self._jobs),
            ],
            self._authenticate,
            _error,
        )

    @property
    def credentials(self) -> dict[str, str]:
        """What the secret with the API's key holds."""
        return {"api_id": self.api_id, "api_key": self.api_key}

    def job(self, job_id: str, *, webhook_url: str = "") -> ProductToVideo:
        """The job of that id; one that is initializing, where there is none yet."""
        with self.world.lock:
            return self.jobs.setdefault(job_id, ProductToVideo(self, job_id, webhook_url))

    def forget(self, job_id: str) -> None:
        """The API knows the job no longer: 404."""
        with self.world.lock:
            self.jobs.pop(job_id, None)

    # ---- the calls ----

    def _authenticate(self, request: Request) -> None:
        given = tuple(request.headers.get(name) for name in ("x-api-id", "x-api-key"))
        if None in given:
            raise Refused(401, "Authentication credentials were not provided.")
        if given != (self.api_id, self.api_key):
            raise Refused(403, "Invalid API credentials.")

    def _job(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found(job_id).shown())

    def _jobs(self, request: Request) -> Answer:
        """The newest first; those of the ids, where the query has some. Unknown ones are left out."""
        ids = [job_id for job_id in request.query.get("ids", "").split(",") if job_id]
        if len(ids) > MOST_IDS:
            raise Refused(400, {"ids": [f"Ensure this field has no more than {MOST_IDS} elements."]})
        shown = [job.shown() for job in reversed(self.jobs.values()) if not ids or job.id in ids]
        if self.paged:
            return json_answer({"count": len(shown), "next": None, "previous": None, "results": shown})
        return json_answer(shown)

    def _found(self, job_id: str) -> ProductToVideo:
        if job_id not in self.jobs:
            raise Refused(404, "Not found.")
        return self.jobs[job_id]


def _error(_status: int, why: Any) -> dict[str, Any]:
    """What is wrong with a field stands under its name."""
    return why if isinstance(why, dict) else {"detail": why}
