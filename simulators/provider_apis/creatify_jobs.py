"""Creatify's product-to-video jobs: their scripted changes, and their form in GET and webhook calls."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.provider_apis.callbacks import Callback
from simulators.provider_apis.state import Part
from simulators.provider_calls.creatify import CREATIFY_ZONE

PRODUCT_URL = "https://m.media-amazon.com/images/I/71xUtGqbKQL._SL1500_.jpg"  # the example in Creatify's guide
PHOTO, VIDEO = "product.png", "product.mp4"


@dataclass
class ProductToVideo:
    """One job. `photo` and `video` name media as simulators/provider_apis/links.py describes. `asked` has the fields of
    its submission. A regeneration names its kind and its source job."""

    _part: Part = field(repr=False)
    id: str
    webhook_url: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    status: str = "initializing"
    photo: str = ""
    video: str = ""
    failed_reason: str = ""
    regen_type: str = ""
    regen_source_id: str = ""

    def __post_init__(self) -> None:
        self.created_at = self.updated_at = self._part.shared.clock.date()

    def becomes(self, status: str, *, soon: bool = False) -> "ProductToVideo":
        """Set another status, in Creatify's words, and call the webhook (`soon`: after the current response)."""
        with self._part.shared.lock:
            self.status = status
            self.updated_at = self._part.shared.clock.date()
            callback = self._callback(self.shown())
        if self.webhook_url:
            self._part.notify(callback, soon=soon)
        return self

    def has_image(self, photo: str = PHOTO) -> "ProductToVideo":
        """Set image_generated, with this photo."""
        with self._part.shared.lock:
            self.photo = photo
        return self.becomes("image_generated")

    def completes(self, video: str = VIDEO, photo: str = "") -> "ProductToVideo":
        """Set video_generated, with this video, and this photo or the existing one."""
        with self._part.shared.lock:
            self.video, self.photo = video, photo or self.photo or PHOTO
        return self.becomes("video_generated")

    def fails(self, reason: str = "The product could not be found in the picture.") -> "ProductToVideo":
        """Set failed."""
        with self._part.shared.lock:
            self.failed_reason = reason
        return self.becomes("failed")

    def shown(self) -> dict[str, Any]:
        """The complete job: empty strings for missing values, null for the avatar."""
        links = self._part.links
        return {
            "id": self.id,
            "type": self.asked.get("type", "product_anyshot"),
            "product_url": self.asked.get("product_url", PRODUCT_URL),
            "aspect_ratio": self.asked.get("aspect_ratio", "9x16"),
            "override_avatar": self.asked.get("override_avatar"),
            "motion_style": self.asked.get("motion_style", ""),
            "product_showcase_url": self.asked.get("product_showcase_url", ""),
            "image_prompt": self.asked.get("image_prompt", ""),
            "video_prompt": self.asked.get("video_prompt", ""),
            "status": self.status,
            "generated_video_url": links.url(self.id, self.video),
            "generated_photo_url": links.url(self.id, self.photo),
            "created_at": _local(self.created_at),
            "updated_at": _local(self.updated_at),
            "webhook_url": self.webhook_url,
            "failed_reason": self.failed_reason,
            "regen_type": self.regen_type,
            "regen_source_id": self.regen_source_id,
        }

    def _callback(self, body: dict[str, Any]) -> Callback:
        raw = json.dumps(body).encode()  # as Python's requests writes it: with spaces, in ASCII
        return Callback("creatify/product_to_videos", self.id, str(body["status"]), self.webhook_url, raw, _no_proof)


def _no_proof(_body: bytes) -> dict[str, str]:
    return {}


def _local(at: datetime) -> str:
    return at.astimezone(CREATIFY_ZONE).isoformat(timespec="microseconds")
