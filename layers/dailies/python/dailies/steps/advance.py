"""Merge an event into its job's row."""

from dailies.aws.table import Table
from dailies.errors import VersionConflict
from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job

MAX_ATTEMPTS = 20  # after a conflict; in each conflict another merge of this job succeeded


def advance(table: Table, event: Event) -> Job:
    """Merge an event into its job's row, and return the merged job. VersionConflict after MAX_ATTEMPTS conflicts."""
    for _ in range(MAX_ATTEMPTS):
        job = table.job(event.provider, event.job_id)
        merged = merge(job, event)
        if merged == job or table.replace_job(job, merged):
            return merged
    raise VersionConflict(f"{event.provider} {event.job_id}")
