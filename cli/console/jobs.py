"""The list of jobs: filters, pages, a picture of each job; updates itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from cli import complete_jobs, jobs
from cli.console import rendering
from cli.console.job import medium_url, plays
from cli.console.rendering import url
from dailies import timestamps
from dailies.jobs.models import Job
from dailies.jobs.rows import Item
from dailies.timestamps import Timestamp

EVERY = 4  # seconds: 3 providers, 7 lists and 4 shards are 84 small queries, half a cent an hour
SPANS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
FILTERS = (
    ("provider", "Provider", [("", "All"), *((name, name.capitalize()) for name in jobs.PROVIDERS)]),
    ("status", "Status", [("", "Any"), *((word, word) for word in jobs.STATUSES)]),
    ("stage", "Stage", [("", "Any"), *((word, word) for word in jobs.STAGES)]),
    (
        "since",
        "Updated",
        [("", "Any time"), ("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days")],
    ),
)
MAX_NAMED = 3  # jobs that a screen reader names


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A job's picture in the list: an image, or a video's first frame."""

    url: str
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list. `anchor` is its id in the page; `updated`: the job changed since the page's last request."""

    item: Item
    anchor: str
    thumbnail: Thumbnail | None
    updated: bool


def show(request: Request) -> Response:
    """GET /"""
    stack, query, now = rendering.stack_of(request), request.query_params, timestamps.now()
    after = jobs.Cursor.parse(query["after"]) if query.get("after") else None
    found = jobs.page(stack, criteria(query, now), after=after)
    whole = complete_jobs.whole(stack, (item for item in found.rows if item["stage"] != "waiting"))
    seen = query.get("seen", "")
    rows = [
        Row(
            item, anchor(item["pk"]), thumbnail(whole.get(item["pk"])), updated=bool(seen) and item["updated_at"] > seen
        )
        for item in found.rows
    ]
    filters = {name: query[name] for name, _, _ in FILTERS if query.get(name)}
    answer = rendering.page(
        request,
        "jobs",
        # A later page does not change: its cursor is a time.
        every=EVERY if after is None else 24 * 3600,
        seen=rows[0].item["updated_at"] if rows else timestamps.at(0),  # for an empty list every job is new
        section="/",
        filters=FILTERS,
        filtered=bool(filters),
        rows=rows,
        newest=url("/", **filters),
        older=url("/", **filters, after=found.cursor) if found.cursor else "",
        changes=changes([row.item for row in rows if row.updated]),
    )
    if "hx-request" in request.headers and "shown" not in query:
        answer.headers["HX-Replace-Url"] = url("/", **filters)  # another choice in the form goes into the address bar
    return answer


def criteria(query: QueryParams, now: Timestamp) -> jobs.Filter:
    """The filter of the form. An unknown value does not filter, and the form shows that."""
    since = SPANS.get(query.get("since", ""))
    provider, status, stage = (query.get(name) for name in ("provider", "status", "stage"))
    return jobs.Filter(
        provider=provider if provider in jobs.PROVIDERS else None,
        status=status if status in jobs.STATUSES else None,
        stage=stage if stage in jobs.STAGES else None,
        since=timestamps.from_datetime(datetime.fromisoformat(now) - since) if since else "",
    )


def thumbnail(job: Job | None) -> Thumbnail | None:
    """The picture of a job, an image rather than a video; None if none is archived."""
    shown = [medium for medium in job.media if medium.receipt and plays(medium)] if job else []
    for is_picture in (True, False):
        for medium in shown:
            if job and medium.receipt and medium.receipt.content_type.startswith("image/") == is_picture:
                return Thumbnail(medium_url(job, medium), is_picture)
    return None


def changes(updated: Iterable[Item]) -> str:
    """What a screen reader says about updated jobs."""
    lines = [f"{item['provider']} {item['job_id']}: {item['status']}, {item['stage']}" for item in updated]
    more = len(lines) - MAX_NAMED
    return "; ".join(lines[:MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")


def anchor(pk: str) -> str:
    """The id of a job's row in the page: the job's own id may contain any character."""
    return f"job-{sha256(pk.encode()).hexdigest()[:12]}"
