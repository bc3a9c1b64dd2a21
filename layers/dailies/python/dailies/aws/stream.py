"""The table's stream: what a record says has changed."""

from collections.abc import Mapping
from typing import Any

from dailies.aws.attribute_values import plain
from dailies.aws.telemetry import EVENT_ID
from dailies.jobs.models import Event, Job
from dailies.jobs.rows import event_of, job_of


def log_ids(record: Mapping[str, Any]) -> dict[str, str]:
    """What a record is about, for the lines told of it: its job's id, and the start of its event's where it is an
    event. By its keys alone, whatever else is wrong with it; nothing where it is no record."""
    match record:
        case {"dynamodb": {"Keys": {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}}} | {
            "dynamodb": {"NewImage": {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}}
        }:
            _, event, event_id = sk.partition("event#")
            return {"job_id": pk.split("#", 2)[-1], **({"event_id": event_id[:EVENT_ID]} if event else {})}
        case _:
            return {}


def new_event(record: Mapping[str, Any]) -> Event:
    """The event whose row was inserted."""
    return event_of(plain(record["dynamodb"]["NewImage"]))


def changed_job(record: Mapping[str, Any]) -> tuple[Job | None, Job]:
    """The job before, None where it is new, and after."""
    images = record["dynamodb"]
    old = images.get("OldImage")
    return job_of(plain(old)) if old else None, job_of(plain(images["NewImage"]))
