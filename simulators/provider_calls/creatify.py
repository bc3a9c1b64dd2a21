"""Creatify's calls: no signature, a secret token in the path.

The bodies are the examples of gen_image and regen_image on https://docs.creatify.ai (Product to Video), with a value
for every `<string>`.
"""

import json
from datetime import UTC, datetime, timedelta, timezone

from simulators.provider_calls.call import RECEIVER, Call
from simulators.provider_calls.sample import Case, Medium, Order, Sample

TOKEN = "DailiesExampleToken0123456789abcdefghijklmn"  # noqa: S105  the example of events/, as long as the stack's: 43
JOB_ID = "7e5e8a6f-d0d5-4736-b390-03e696ffc969"
PHOTO_URL = "https://dpbavq092lwjh.cloudfront.net/product_to_video/7e5e8a6f/photo.png"
VIDEO_URL = "https://dpbavq092lwjh.cloudfront.net/product_to_video/7e5e8a6f/video.mp4"
CREATIFY_ZONE = timezone(timedelta(hours=-7))


def creatify_product_to_videos(
    case: str,
    job_id: str,
    token: str,
    *,
    photo_url: str = "",
    video_url: str = "",
    regen_source_id: str | None = None,
    at: datetime | None = None,
) -> Call:
    """A product-to-video job changed: `image_generating image_generated video_generating video_generated failed`, each
    a POST with the complete job; `at` is its `updated_at`. A regeneration names its source job."""
    order = Order(case, job_id, token, {"photo": photo_url, "video": video_url}, at or datetime.now(UTC))
    body = product_to_video_body(order, regen_source_id)
    return PRODUCT_TO_VIDEOS.proven(body, token, case=case, job_id=job_id)


def product_to_video_body(order: Order, regen_source_id: str | None = None) -> bytes:
    """The complete job, as Python's requests writes it: with spaces, in ASCII."""
    body = {
        "id": order.job_id,
        "type": "product_anyshot",
        "product_url": "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg",
        "aspect_ratio": "16x9",
        "override_avatar": None,
        "motion_style": "talking" if "video" in order.case else "",
        "product_showcase_url": "",
        "image_prompt": "a café table at dusk",
        "video_prompt": "",
        "status": order.case,
        "generated_video_url": order.links.get("video", ""),
        "generated_photo_url": order.links.get("photo", ""),
        "created_at": _local(order.at - timedelta(minutes=3)),
        "updated_at": _local(order.at),
        "webhook_url": f"{RECEIVER}/webhooks/creatify/product_to_videos/{order.secret}",
        "failed_reason": "The product could not be found in the picture." if order.case == "failed" else "",
    }
    if regen_source_id:
        body |= {"regen_source_id": regen_source_id, "regen_type": "regen_image"}
    return json.dumps(body).encode()


def _local(at: datetime) -> str:
    return at.astimezone(CREATIFY_ZONE).isoformat(timespec="microseconds")


PRODUCT_TO_VIDEOS = Sample(
    webhook="creatify/product_to_videos",
    secret=TOKEN,
    job_id=JOB_ID,
    cases={
        "video_generated": Case("completed", ("photo", "video"), seconds_before=60),
        "image_generating": Case("processing", seconds_before=150),
        "image_generated": Case("completed", ("photo",), seconds_before=120),
        "video_generating": Case("processing", ("photo",), seconds_before=90),
        "failed": Case("failed", seconds_before=30),
    },
    media={"photo": Medium("product.png", PHOTO_URL), "video": Medium("product.mp4", VIDEO_URL)},
    body=product_to_video_body,
    in_path=True,
)
