"""The table's stream: what a record says has changed."""

from collections.abc import Mapping
from typing import Any

from dailies.models import Event, Job
from dailies.rows import event_of, job_of
from dailies.table import plain


def new_event(record: Mapping[str, Any]) -> Event:
    """The event whose row was inserted."""
    return event_of(plain(record["dynamodb"]["NewImage"]))


def changed_job(record: Mapping[str, Any]) -> tuple[Job | None, Job]:
    """The job before, None where it is new, and after."""
    images = record["dynamodb"]
    old = images.get("OldImage")
    return job_of(plain(old)) if old else None, job_of(plain(images["NewImage"]))
