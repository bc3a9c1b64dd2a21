"""A case's result in a form that is equal for equal results, and its problems."""

import json
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from resilience.faults.account import MOVED, Found, Row

MEDIA_ID = re.compile(r"-[0-9a-f]{8}\.")  # derived from the link, which contains the case
PART_BYTES = 20 * 1024 * 1024  # larger ones are multipart
AGAIN = "Job Needs Attention"  # each attempt that fails a medium records it, and a fault may cause one more
NUMBER = re.compile(r"\bjob\d")  # a scenario that runs until its fault occurs has several equal jobs
OF_THE_JOB = ("status", "stage", "error", "parent")
AS_TOLD = ("provider_status", "credits")  # which a call and a poll may report differently
OF_A_MEDIUM = ("role", "state", "key", "bytes", "checksum", "content_type")


type Freedom = Literal["events", "words", "moved"]
"""What may differ between two cases of some stories: which events were recorded, where a poll may have known first; the
provider's words, where its call has others than its API; what SQS has moved by itself, where a sweep mends it."""


@dataclass(frozen=True)
class State:
    """Jobs; events with the number of their records; objects by key with their size, content and number; published
    events (each id once); messages in the failure queues."""

    jobs: frozenset[str]
    events: frozenset[tuple[str, int]]
    objects: frozenset[tuple[str, int, str, int]]
    told: frozenset[tuple[str, int]]
    failed: frozenset[tuple[str, int]]


def state(found: Found, case: str, *, without: Container[Freedom] = ()) -> State:
    """A case's state, without its name, its times, and the differences that it allows."""
    of_the_job = OF_THE_JOB + (() if "words" in without else AS_TOLD)
    told_rows = [] if "events" in without else [row for row in found.rows if _is_told(row)]

    def plain(value: object) -> str:
        text = json.dumps(value, sort_keys=True, default=str).replace(case, "")
        return NUMBER.sub("job", MEDIA_ID.sub("-*.", text))

    told: Counter[str] = Counter()
    for news in {event["detail"]["id"]: event for event in found.heard}.values():
        told[_news(news).replace(case, "")] += 1
    each: dict[str, int] = {}
    for name, times in told.items():
        plain_name = NUMBER.sub("job", name)
        each[plain_name] = 1 if name.startswith(AGAIN) else max(times, each.get(plain_name, 0))
    return State(
        jobs=frozenset(plain(_job(row, of_the_job)) for row in found.rows if row["sk"] == "job" and "status" in row),
        events=frozenset(Counter(plain(_event(row)) for row in told_rows).items()),
        objects=frozenset(_objects(found, case)),
        told=frozenset(each.items()),
        failed=frozenset(
            (name, len(bodies))
            for name, bodies in found.failed.items()
            if not ("moved" in without and name.endswith(MOVED))
        ),
    )


def lies(found: Found) -> list[str]:
    """Announced facts that are false, as far as the account shows."""
    wrong = []
    jobs = {(row["provider"], row["job_id"]): row for row in found.rows if row["sk"] == "job" and "status" in row}
    for event in found.heard:
        detail, kind = event["detail"], event["detail-type"]
        job = jobs.get((detail["provider"], detail["job_id"]))
        if job is None:
            wrong.append(f"{kind} of a job without a row")
        elif detail["version"] > job["version"]:
            wrong.append(f"{kind} of a version that was never written")
        elif kind == "Media Archived":
            (medium,) = detail["media"]
            if medium.get("version_id") not in [stored.version for stored in found.versions.get(medium["key"], ())]:
                wrong.append(f"{kind} of a missing object")
        elif kind == "Job Settled" and any(medium["state"] == "pending" for medium in detail["media"]):
            wrong.append(f"{kind} with a medium in progress")
    return [*wrong, *_stale(found, jobs.values())]


def _stale(found: Found, jobs: Iterable[Row]) -> Iterator[str]:
    """Settled jobs whose `job.json` is missing, or has other media than the row."""
    for row in jobs:
        stored = found.versions.get(f"media/{row['provider']}/{row['job_id']}/job.json")
        if row["stage"] == "settled" and not stored:
            yield "a settled job without its job.json"
        elif row["stage"] == "settled" and stored:
            page = json.loads(stored[0].content)  # the newest version is first
            told, are = ([{name: one.get(name) for name in OF_A_MEDIUM} for one in of["media"]] for of in (page, row))
            if (page["stage"], page["status"], told) != (row["stage"], row["status"], are):
                yield "a job.json that differs from the settled row"


def _job(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    media = [{name: medium.get(name) for name in OF_A_MEDIUM} for medium in row["media"]]
    for medium in media:
        # A list has links, which contain the case. For a multipart object the emulator returns the whole object's
        # checksum to the client that completes it, and another one later.
        if medium["role"] == "result" or (medium["bytes"] or 0) > PART_BYTES:
            medium["checksum"] = None
    key = {"provider": row["provider"], "job_id": row["job_id"], "webhook": row["webhook"]}
    return {**key, **{name: row.get(name) for name in names}, "media": media}


def _is_told(row: Row) -> bool:
    return row["sk"].startswith("event#") and row.get("origin") not in (None, "archive", "poll")


def _event(row: Row) -> dict[str, Any]:
    """An event by another origin than the archive; for a poll only that it happened."""
    names = ("provider", "webhook", "job_id", "origin", "status", "provider_status", "reason")
    return {name: row.get(name) for name in names}


def _objects(found: Found, case: str) -> Iterator[tuple[str, int, str, int]]:
    for key, versions in found.versions.items():
        if key.endswith("/job.json"):  # overwritten each time that the job settles
            yield NUMBER.sub("job", key.replace(case, "")), 0, "", 1
        elif key.startswith("media/"):
            name = NUMBER.sub("job", MEDIA_ID.sub("-*.", key.replace(case, "")))
            content = "" if key.endswith(".jsonl") else versions[0].digest  # a list has links, which contain the case
            yield name, versions[0].size, content, len(versions)
        else:  # a large body, under the digest of its content
            yield key.rpartition("/")[0], 0, "", 1


def _news(event: dict[str, Any]) -> str:
    detail = event["detail"]
    medium = f" {detail['media'][0]['role']}" if event["detail-type"].startswith("Media") else ""
    return f"{event['detail-type']} {detail['provider']} {detail['job_id']}{medium}"
