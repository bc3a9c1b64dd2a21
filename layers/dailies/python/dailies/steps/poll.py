"""Poll a provider's API, and record each answer about a job as an event.

The list of the newest jobs comes first. One request often covers all jobs that are due, and shows finished jobs that
are not known yet. The other jobs follow, as many per request as the API accepts.
"""

import time
from collections.abc import Container, Mapping, Sequence
from http import HTTPStatus
from itertools import batched

from dailies import timestamps
from dailies.aws.table import MAX_KEYS, Table
from dailies.errors import ApiError, AwsUnavailable, CredentialsRejected, NoCredentials, PayloadError, RateLimited
from dailies.jobs.merge import merge
from dailies.jobs.models import FINISHED, Event, Job, Report
from dailies.jobs.new_events import nothing, poll_event
from dailies.jobs.rows import Item
from dailies.outbound.api import ApiResponse
from dailies.provider_api.client import ProviderApi, RequestBuilder
from dailies.providers.contract import GetJob, ListJobs, ReportedJob, StatusPolling, read_about

MAX_FAILURES = 3  # in a row; the API is then down, and the next run polls the rest
HOPELESS = (RateLimited, NoCredentials, AwsUnavailable)  # no other request of this run would succeed


class Poll:
    """One run's requests to one provider.

    - `until`: when to stop, by `time.monotonic`. The jobs that are left stay due.
    - `retention_days`: how long to keep the events.

    Afterwards `polled` is the number of due jobs that were polled, `discovered` the number of finished jobs that were
    not known, and `problem` says why the run ended early, if it did.
    """

    def __init__(self, table: Table, api: ProviderApi, retention_days: int, until: float) -> None:
        self.polled = 0
        self.discovered = 0
        self.problem = ""
        self._table = table
        self._api = api
        self._retention_days = retention_days
        self._until = until
        self._failures = 0
        self._has_answered = False  # whether the API has answered any request of this run

    def run(self, due: Sequence[Item]) -> None:
        """Poll these jobs, rows of the index with `webhook` and `job_id`, in their order; discover finished jobs.

        Does nothing if no credentials are set. Never raises for the provider's API.
        """
        try:
            for webhook, polling in self._api.provider.polling.items():
                self._poll_webhook(webhook, polling, [row["job_id"] for row in due if row["webhook"] == webhook])
        except NoCredentials:
            return
        except (ApiError, AwsUnavailable) as error:
            self.problem = error.reason

    def _poll_webhook(self, webhook: str, polling: StatusPolling, job_ids: list[str]) -> None:
        """Poll a webhook's jobs. Raises only if no request for another webhook would succeed either."""
        try:
            if polling.list_jobs and not self._is_over:
                job_ids = self._poll_newest(webhook, polling.list_jobs, job_ids)
            if polling.list_jobs and polling.list_jobs.max_ids:
                job_ids = self._poll_lists(webhook, polling.list_jobs, job_ids)
            # Single jobs come last: the API may not know them, and each costs a request of the rate limit.
            for job_id in job_ids:
                if self._is_over:
                    return
                self._poll_one(webhook, polling.get_job, job_id)
        except (*HOPELESS, CredentialsRejected):
            raise
        except ApiError as error:
            self.problem = error.reason

    def _poll_newest(self, webhook: str, list_jobs: ListJobs, job_ids: Sequence[str]) -> list[str]:
        """Read the list of the newest jobs. Returns the ids that it does not contain."""
        listed = self._list(list_jobs, ())
        missing = self._record_listed(webhook, listed, job_ids)
        due = set(job_ids)
        finished = {
            job_id: job for job_id, job in listed.items() if job.report.status in FINISHED and job_id not in due
        }
        self._discover(webhook, finished)
        return missing

    def _discover(self, webhook: str, finished: Mapping[str, ReportedJob]) -> None:
        """Record the finished jobs that are not known as finished."""
        provider = self._api.provider
        for job_ids in batched(finished, MAX_KEYS, strict=False):
            if self._is_over:
                return
            for job_id, job in self._table.jobs(provider.name, job_ids).items():
                event = self._event(webhook, *finished[job_id])
                if _is_update(event, job, provider.may_go_on):
                    self._record(event)
                    self.discovered += 1

    def _poll_lists(self, webhook: str, list_jobs: ListJobs, job_ids: Sequence[str]) -> list[str]:
        """Poll as many jobs per request as the API accepts. Returns the ids that its answers do not contain."""
        missing: list[str] = []
        for some in batched(job_ids, list_jobs.max_ids, strict=False):
            missing += self._poll_list(webhook, list_jobs, some)
        return missing

    def _poll_list(self, webhook: str, list_jobs: ListJobs, job_ids: Sequence[str]) -> list[str]:
        """Poll these jobs by one request. The answer may be a page, so the missing ones are requested again, until an
        answer contains none of them."""
        left = list(job_ids)
        while left and not self._is_over:
            missing = self._record_listed(webhook, self._list(list_jobs, left), left)
            if len(missing) == len(left):
                break
            left = missing
        return left

    def _list(self, list_jobs: ListJobs, job_ids: Sequence[str]) -> dict[str, ReportedJob]:
        """The jobs in the answer by id. Empty if the API fails or the answer cannot be parsed."""
        try:
            answer = self._send(lambda base_url, credentials: list_jobs.build(base_url, credentials, job_ids))
            reported = list_jobs.read(list_jobs.redact(answer.body)) if answer.status == HTTPStatus.OK else []
        except PayloadError:
            return {}
        except HOPELESS:
            raise
        except ApiError as error:
            self._count_failure(error)
            return {}
        return {job.report.job_id: job for job in reported}

    def _record_listed(self, webhook: str, listed: Mapping[str, ReportedJob], job_ids: Sequence[str]) -> list[str]:
        """Record the list's reports of these jobs. Returns the ids that it does not contain."""
        for job_id in job_ids:
            if job_id in listed and not self._is_over:
                self._record_polled(webhook, *listed[job_id])
        return [job_id for job_id in job_ids if job_id not in listed]

    def _poll_one(self, webhook: str, get_job: GetJob, job_id: str) -> None:
        """Poll one job.

        A failure is recorded as a poll without a result. Otherwise the job would come first in each run, and
        MAX_FAILURES such jobs would end each run. An error status does not count as a failure of the API if the API has
        answered other requests of this run.
        """
        try:
            answer = self._send(lambda base_url, credentials: get_job.build(base_url, credentials, job_id))
        except HOPELESS:
            raise
        except ApiError as error:
            self._record_polled(webhook, nothing(job_id), b"")
            if not (self._has_answered and error.status):
                self._count_failure(error)
        else:
            body = get_job.redact(answer.body)
            self._record_polled(webhook, _read(get_job, answer.status, body, job_id), body)

    @property
    def _is_over(self) -> bool:
        return time.monotonic() > self._until

    def _send(self, build: RequestBuilder) -> ApiResponse:
        answer = self._api.send(build)
        self._failures, self._has_answered = 0, True
        return answer

    def _count_failure(self, error: ApiError) -> None:
        """Raise the error if it is one too many, or if no other request would succeed."""
        self._failures += 1
        if self._failures >= MAX_FAILURES or isinstance(error, CredentialsRejected):
            raise error

    def _record_polled(self, webhook: str, report: Report, payload: bytes) -> None:
        self._record(self._event(webhook, report, payload))
        self.polled += 1

    def _event(self, webhook: str, report: Report, payload: bytes) -> Event:
        return poll_event(self._api.provider.name, webhook, report, payload, at=timestamps.now())

    def _record(self, event: Event) -> None:
        self._table.record(event, retention_days=self._retention_days, written_by="reconcile")


def _is_update(event: Event, job: Job | None, may_go_on: Container[str]) -> bool:
    """Whether a list's report of a finished job is new. A job that is known as finished is ignored, unless it may have
    another stage. Any other state is an update once, though each run's list contains it."""
    if job is None:
        return True
    if job.status in FINISHED and job.status != "failed" and job.provider_status not in may_go_on:
        return False
    merged = merge(job, event)
    return (merged.status, merged.provider_status) != (job.status, job.provider_status)


def _read(get_job: GetJob, status: int, body: bytes, job_id: str) -> Report:
    """The answer's report of the job; an empty report if it cannot be parsed or is about another job."""
    readers = {HTTPStatus.OK: get_job.read, HTTPStatus.BAD_REQUEST: get_job.read_failure}
    read = readers.get(HTTPStatus(status)) if status in set(HTTPStatus) else None
    try:
        return read_about(job_id, read, body) if read else nothing(job_id)
    except PayloadError:
        return nothing(job_id)
