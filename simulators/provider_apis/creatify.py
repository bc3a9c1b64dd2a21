"""Creatify's API: product-to-video jobs, with an id and a key in `X-API-ID` and `X-API-KEY`. Paths end in a slash.

Statuses initializing, image_generating, image_generated, video_generating, video_generated, failed. Each change calls
the webhook that the submission named, unsigned, with the complete job. A regeneration is a new job. Documented: 100 ids
in a request, 200 characters in a webhook's URL; no rate limit, so none is simulated.

Guesses: the errors, which are those of Django REST framework; status 200 for submissions; the list without ids is
complete; a video needs a photo.

https://docs.creatify.ai/api-reference/product_to_video (checked 2026-11-21)
"""

from itertools import count
from typing import Any

from simulators.media_host.answers import Answer
from simulators.provider_apis.creatify_jobs import ProductToVideo
from simulators.provider_apis.exchange import Api, Refused, Request, json_answer, route
from simulators.provider_apis.state import SharedState

BASE_PATH = "/creatify/api"
MAX_IDS = 100
MAX_WEBHOOK_URL = 200  # characters
JOBS = "/product_to_videos/"
FIELDS = ("type", "product_url", "aspect_ratio", "override_avatar", "product_showcase_url", "image_prompt")
VIDEO_FIELDS = ("motion_style", "video_prompt")


class Creatify:
    """The API and its scripting. Tests may change `api_id` and `api_key`, as the provider's user can."""

    def __init__(self, shared: SharedState) -> None:
        self.part = shared.part("creatify", BASE_PATH, dialect="X-Amz")
        self.base_url, self.links, self.callbacks = f"{self.part.base_url}/", self.part.links, self.part.callbacks
        self.fail = self.part.gate.fail
        self.api_id = shared.chance.uuid("creatify", "id")
        self.api_key = shared.chance.letters(40, "creatify", "key")
        self.paged = False  # whether a list is {"results": [...]}: only the bare array is documented
        self.page_size = 0  # max jobs in one response of a list; 0: all
        self.jobs: dict[str, ProductToVideo] = {}
        self._numbers = count(1)
        self.api = Api(
            self.part.provider,
            BASE_PATH,
            [
                route("GET", JOBS, self._jobs),
                route("POST", f"{JOBS}gen_image/", self._gen_image),
                route("GET", f"{JOBS}{{id}}/", self._job),
                route("POST", f"{JOBS}{{id}}/regen_image/", self._regen_image),
                route("POST", f"{JOBS}{{id}}/gen_video/", self._gen_video),
                route("POST", f"{JOBS}{{id}}/regen_video/", self._regen_video),
            ],
            self._authenticate,
            _error,
        )

    @property
    def credentials(self) -> dict[str, str]:
        """The value of the secret with the API key."""
        return {"api_id": self.api_id, "api_key": self.api_key}

    def job(self, job_id: str, *, webhook_url: str = "") -> ProductToVideo:
        """The job with this id; made as initializing if there is none."""
        with self.part.shared.lock:
            return self.jobs.get(job_id) or self._new(job_id, webhook_url=webhook_url)

    def forget(self, job_id: str) -> None:
        """Remove the job from the API: 404."""
        with self.part.shared.lock:
            self.jobs.pop(job_id, None)

    def _new(self, job_id: str = "", **fields: Any) -> ProductToVideo:
        job_id = job_id or self.part.shared.chance.uuid("creatify", "job", next(self._numbers))
        self.jobs[job_id] = ProductToVideo(self.part, job_id, **fields)
        return self.jobs[job_id]

    # ---- requests ----

    def _authenticate(self, request: Request) -> None:
        given = tuple(request.headers.get(name) for name in ("x-api-id", "x-api-key"))
        if None in given:
            raise Refused(401, "Authentication credentials were not provided.")
        if given != (self.api_id, self.api_key):
            raise Refused(403, "Invalid API credentials.")

    def _job(self, _request: Request, job_id: str) -> Answer:
        return json_answer(self._found(job_id).shown())

    def _jobs(self, request: Request) -> Answer:
        """All jobs, newest first, or those with the ids in the query. Unknown ids are omitted."""
        ids = [job_id for job_id in request.query.get("ids", "").split(",") if job_id]
        if len(ids) > MAX_IDS:
            raise Refused(400, {"ids": [f"Ensure this field has no more than {MAX_IDS} elements."]})
        found = [job for job in reversed(self.jobs.values()) if not ids or job.id in ids]
        shown = [job.shown() for job in found[: self.page_size or None]]
        if self.paged:
            following = f"{self.base_url}product_to_videos/?page=2" if len(shown) < len(found) else None
            return json_answer({"count": len(found), "next": following, "previous": None, "results": shown})
        return json_answer(shown)

    def _gen_image(self, request: Request) -> Answer:
        asked = request.json()
        if not asked.get("product_url"):
            raise Refused(400, {"product_url": ["This field is required."]})
        fields = {name: asked[name] for name in FIELDS if name in asked}
        return self._makes_image(self._new(webhook_url=_webhook_url(asked), asked=fields))

    def _regen_image(self, request: Request, job_id: str) -> Answer:
        source, asked = self._found(job_id), request.json()
        fields = source.asked | {name: asked[name] for name in FIELDS if name in asked}
        return self._makes_image(
            self._new(
                webhook_url=_webhook_url(asked), asked=fields, regen_type="regen_image", regen_source_id=source.id
            )
        )

    def _gen_video(self, request: Request, job_id: str) -> Answer:
        """Continues the same job."""
        job, asked = self._with_photo(job_id), request.json()
        job.webhook_url = _webhook_url(asked) or job.webhook_url
        return self._makes_video(job, asked)

    def _regen_video(self, request: Request, job_id: str) -> Answer:
        source, asked = self._with_photo(job_id), request.json()
        job = self._new(
            webhook_url=_webhook_url(asked),
            asked=dict(source.asked),
            photo=source.photo,
            regen_type="regen_video",
            regen_source_id=source.id,
        )
        return self._makes_video(job, asked)

    def _makes_image(self, job: ProductToVideo) -> Answer:
        end = job.fails if self.part.fails(job.id) else job.has_image
        self.part.work(lambda: job.status, lambda: job.becomes("image_generating"), end)
        return json_answer(job.shown())

    def _makes_video(self, job: ProductToVideo, asked: dict[str, Any]) -> Answer:
        job.asked |= {name: asked[name] for name in VIDEO_FIELDS if name in asked}
        job.becomes("video_generating", soon=True)
        end = job.fails if self.part.fails(job.id) else job.completes
        self.part.work(lambda: job.status, lambda: None, end)
        return json_answer(job.shown())

    def _found(self, job_id: str) -> ProductToVideo:
        if job_id not in self.jobs:
            raise Refused(404, "Not found.")
        return self.jobs[job_id]

    def _with_photo(self, job_id: str) -> ProductToVideo:
        job = self._found(job_id)
        if not job.photo:
            raise Refused(400, "The image has not been generated yet.")
        return job


def _webhook_url(asked: dict[str, Any]) -> str:
    url = str(asked.get("webhook_url") or "")
    if len(url) > MAX_WEBHOOK_URL:
        raise Refused(400, {"webhook_url": [f"Ensure this field has no more than {MAX_WEBHOOK_URL} characters."]})
    return url


def _error(_status: int, why: Any) -> dict[str, Any]:
    """An invalid field's error, under the field's name."""
    return why if isinstance(why, dict) else {"detail": why}
