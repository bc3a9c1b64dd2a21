"""The EventBridge bus, which passes events to the owner's systems."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from botocore.config import Config

from dailies.errors import NotStored
from dailies.jobs.announcements import Announcement

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

CLIENT = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
SOURCE = "dailies"
SUBMITTER = "dailies.submit"  # other sources may publish `Job Submitted` too
MAX_ENTRIES = 10  # EventBridge's limit for one PutEvents


class Bus:
    """The bus `name`. Botocore's errors pass through."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Publish them in order. NotStored if the bus did not accept all of them.

        Safe to repeat: an announcement keeps its `id`.
        """
        for some in batched(announcements, MAX_ENTRIES, strict=False):
            self._put([self._entry(announcement) for announcement in some])

    def submitted(self, provider: str, webhook: str, job_id: str) -> None:
        """Publish `Job Submitted`, so Dailies tracks the job. NotStored if the bus did not accept it."""
        detail = {"provider": provider, "webhook": webhook, "job_id": job_id}
        self._put(
            [
                {
                    "EventBusName": self._name,
                    "Source": SUBMITTER,
                    "DetailType": "Job Submitted",
                    "Detail": json.dumps(detail),
                }
            ]
        )

    def _put(self, entries: "Sequence[PutEventsRequestEntryTypeDef]") -> None:
        answer = self._client.put_events(Entries=entries)
        if failed := answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise NotStored(f"the bus did not accept {failed} of {len(entries)} events: {', '.join(codes)}")

    def _entry(self, announcement: Announcement) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": announcement.detail_type,
            "Detail": json.dumps(announcement.detail),
        }
