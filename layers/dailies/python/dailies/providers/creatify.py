"""Creatify (creatify.ai): product videos in two stages, a picture and then a video.

It sends a webhook at each change of a job's status. Proof: Creatify offers none, neither signature nor header nor a
list of addresses. So the last segment of the webhook's URL is a secret token. The token does not cover the links in a
body: see `links_are_proven`. The body repeats `webhook_url` with the token, so `in_path` is set. `updated_at` orders
the events. A `failed` does not name its stage.

https://docs.creatify.ai/api-reference/product_to_video/post-apiproduct_to_videos-gen_video (checked 2026-11-21)
"""

import re
import secrets
import string
from collections.abc import Sequence
from urllib.parse import quote

from dailies import timestamps
from dailies.jobs.models import Delivery, JobError, MediaLink, Proof, Report, Status
from dailies.providers.contract import (
    Credentials,
    GetJob,
    Limit,
    ListJobs,
    ProofRules,
    Provider,
    ReportedJob,
    Request,
    StatusPolling,
    Submission,
    Webhook,
    parse_each,
)
from dailies.providers.explanation import Explained, Explanation
from dailies.providers.payload import JobId, Lenient, Payload, StatusWord, Url, list_items
from dailies.providers.signatures import Secrets, path_token

WORDS: dict[str, Status] = {
    "initializing": "pending",
    "image_generating": "processing",
    "image_generated": "completed",  # the stage is complete; a newer video_generating makes the job processing again
    "video_generating": "processing",
    "video_generated": "completed",
    "failed": "failed",
}

MAX_WEBHOOK_URL = 200  # characters
TOKEN_LETTERS = string.ascii_letters + string.digits
TOKEN_LENGTH = 43  # of 62 letters: 256 bits; the template's first token has the same length

# Our route with its token. JSON may escape a slash.
OUR_ROUTE = re.compile(rb"""(webhooks\\?/creatify\\?/product_to_videos\\?/)[^"\\\s?#/]+""")


class ProductToVideo(Payload):
    """A product-to-video job.

    Not read, only documentation of the payload: `type`, `product_url`, `aspect_ratio`, `override_avatar`,
    `motion_style`, `product_showcase_url`, `image_prompt`, `video_prompt`, `webhook_url`, `regen_type`.
    """

    id: JobId
    status: StatusWord
    type: Lenient[str] = None
    product_url: Lenient[str] = None
    aspect_ratio: Lenient[str] = None
    override_avatar: Lenient[str] = None
    motion_style: Lenient[str] = None
    product_showcase_url: Lenient[str] = None
    image_prompt: Lenient[str] = None
    video_prompt: Lenient[str] = None
    generated_video_url: Url = None
    generated_photo_url: Url = None
    created_at: Lenient[str] = None
    updated_at: Lenient[str] = None
    webhook_url: Lenient[str] = None
    failed_reason: Explained = Explanation()
    regen_type: Lenient[str] = None
    regen_source_id: Lenient[JobId] = None


def verify(delivery: Delivery, secrets: Secrets, _rules: ProofRules) -> Proof:
    """Verify the token in the path. It has no time, so a replay verifies too."""
    return path_token(delivery.token, secrets)


def parse_product_to_video(body: bytes) -> Report:
    """The state of a product-to-video job."""
    task = ProductToVideo.read(body)
    links = (("photo", task.generated_photo_url), ("video", task.generated_video_url))
    status = WORDS.get(task.status, "unknown")
    return Report(
        job_id=task.id,
        status=status,
        provider_status=task.status,
        occurred_at=timestamps.parse(task.updated_at or task.created_at or ""),
        media=tuple(MediaLink(role, url) for role, url in links if url),
        # it documents no codes, so nothing says that another submission helps
        error=JobError(*task.failed_reason, retryable=False) if status == "failed" else None,
        parent=task.regen_source_id,
    )


def get_product_to_video(base_url: str, credentials: Credentials, job_id: str) -> Request:
    """https://docs.creatify.ai/api-reference/product_to_video/get-apiproduct_to_videos- (checked 2026-11-21)"""
    return _get(base_url, credentials, f"/product_to_videos/{quote(job_id, safe='')}/")


def list_product_to_videos(base_url: str, credentials: Credentials, job_ids: Sequence[str]) -> Request:
    """https://docs.creatify.ai/api-reference/product_to_video/get-apiproduct_to_videos (checked 2026-11-21)"""
    query = f"?ids={','.join(quote(job_id, safe='') for job_id in job_ids)}" if job_ids else ""
    return _get(base_url, credentials, f"/product_to_videos/{query}")


def read_product_to_videos(body: bytes) -> list[ReportedJob]:
    """The jobs in a list: an array, or a page with `results`."""
    return parse_each(list_items(body, "results"), parse_product_to_video)


def _get(base_url: str, credentials: Credentials, path: str) -> Request:
    return Request("GET", base_url.rstrip("/") + path, _headers(credentials))


def _headers(credentials: Credentials) -> dict[str, str]:
    return {"X-API-ID": credentials["api_id"], "X-API-KEY": credentials["api_key"]}


def _submission(path: str) -> Submission:
    """https://docs.creatify.ai/api-reference/product_to_video/post-apiproduct_to_videos-gen_image (checked 2026-11-21)

    The path of regen_video is a guess, from the similar ones.
    """
    return Submission(
        "product_to_videos",
        f"/product_to_videos/{path}/",
        _headers,
        job_id=lambda body: ProductToVideo.read(body).id,
        webhook_field="webhook_url",
        max_url=MAX_WEBHOOK_URL,
        redact=redact_answer,
    )


def redact_answer(body: bytes) -> bytes:
    """The answer without our token, which its `webhook_url` repeats."""
    return OUR_ROUTE.sub(rb"\1[redacted]", body)


def webhook_url(base: str, token: str) -> str:
    """The webhook URL to submit with a job. `base`: the webhook's URL without the token (output
    CreatifyProductToVideosUrl). ValueError if it is longer than Creatify accepts."""
    url = f"{base.rstrip('/')}/{token}"
    if len(url) > MAX_WEBHOOK_URL:
        raise ValueError(f"the webhook's URL has {len(url)} characters, and Creatify takes {MAX_WEBHOOK_URL}")
    return url


def new_token() -> str:
    """A random token of 256 bits."""
    return "".join(secrets.choice(TOKEN_LETTERS) for _ in range(TOKEN_LENGTH))


GET_JOB = GetJob(get_product_to_video, lambda body, _: parse_product_to_video(body), redact=redact_answer)
PRODUCT_TO_VIDEOS = Webhook(
    provider="creatify", name="product_to_videos", verify=verify, parse=parse_product_to_video, in_path=True
)
CREATIFY = Provider(
    name="creatify",
    webhooks=(PRODUCT_TO_VIDEOS,),
    roles={"photo": frozenset({"image"}), "video": frozenset({"video"})},
    manifests={},
    link_refresh={"photo": GET_JOB, "video": GET_JOB},
    polling={
        "product_to_videos": StatusPolling(
            600, GET_JOB, ListJobs(list_product_to_videos, read_product_to_videos, max_ids=100, redact=redact_answer)
        )
    },
    submissions={
        "gen_image": _submission("gen_image"),
        "regen_image": _submission("{source_id}/regen_image"),
        "gen_video": _submission("{source_id}/gen_video"),
        "regen_video": _submission("{source_id}/regen_video"),
    },
    api_limit=Limit(60),  # a guess: no page has a limit
    links_are_proven=False,
    may_go_on=frozenset({"image_generated"}),
    api_names=("api_id", "api_key"),
)
