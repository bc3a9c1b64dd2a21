"""An event is merged into the row of its job."""

from dailies.aws.table import Table
from dailies.errors import VersionConflict
from dailies.jobs.merge import merge
from dailies.jobs.models import Event, Job

MAX_ATTEMPTS = 20  # of a merge that others overtake: each time, one of them has gone through


def advance(table: Table, event: Event) -> Job:
    """Merge an event into its job's row; the job then. VersionConflict where others overtook it MAX_ATTEMPTS times."""
    for _ in range(MAX_ATTEMPTS):
        job = table.job(event.provider, event.job_id)
        merged = merge(job, event)
        if merged == job or table.replace_job(job, merged):
            return merged
    raise VersionConflict(f"{event.provider} {event.job_id}")
