"""The bus: what the owner's systems are told."""

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
SUBMITTER = "dailies.submit"  # any other source may tell of submitted jobs
MAX_AT_ONCE = 10  # entries that one PutEvents takes


class Bus:
    """The event bus."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Put them on the bus, in order. NotStored where it did not take them all: all may be told again, their `id`
        stays the same."""
        for some in batched(announcements, MAX_AT_ONCE, strict=False):
            answer = self._client.put_events(Entries=[self._entry(announcement) for announcement in some])
            if answer["FailedEntryCount"]:
                codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
                raise NotStored(f"the bus did not take {answer['FailedEntryCount']}: {', '.join(codes)}")

    def submitted(self, provider: str, webhook: str, job_id: str) -> None:
        """Tell that a job was submitted, so that it is tracked. NotStored where the bus did not take it."""
        detail = {"provider": provider, "webhook": webhook, "job_id": job_id}
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._name,
                    "Source": SUBMITTER,
                    "DetailType": "Job Submitted",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise NotStored("the bus did not take that a job was submitted")

    def _entry(self, announcement: Announcement) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": announcement.detail_type,
            "Detail": json.dumps(announcement.detail),
        }
