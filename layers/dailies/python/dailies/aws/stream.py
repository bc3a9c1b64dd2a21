"""Reads the records of the table's stream. Pure."""

from collections.abc import Mapping
from typing import Any

from dailies.aws.attribute_values import plain
from dailies.aws.telemetry import EVENT_ID
from dailies.jobs.models import Event, Job
from dailies.jobs.rows import event_of, job_of


def log_ids(record: Mapping[str, Any]) -> dict[str, str]:
    """A record's ids for log lines: `job_id`, and for an event row `event_id`, shortened to EVENT_ID characters.

    Only the keys are read, so a record with a malformed row has its ids too. Empty if the keys are malformed.
    """
    match record:
        case {"dynamodb": {"Keys": {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}}} | {
            "dynamodb": {"NewImage": {"pk": {"S": str(pk)}, "sk": {"S": str(sk)}}}
        }:
            _, event, event_id = sk.partition("event#")
            return {"job_id": pk.split("#", 2)[-1], **({"event_id": event_id[:EVENT_ID]} if event else {})}
        case _:
            return {}


def new_event(record: Mapping[str, Any]) -> Event:
    """The event in an inserted row. KeyError or TypeError if the row is malformed."""
    return event_of(plain(record["dynamodb"]["NewImage"]))


def changed_job(record: Mapping[str, Any]) -> tuple[Job | None, Job]:
    """The job before the change, None if it is new, and after. KeyError or TypeError if a row is malformed."""
    images = record["dynamodb"]
    old = images.get("OldImage")
    return job_of(plain(old)) if old else None, job_of(plain(images["NewImage"]))
