"""Asking one provider's API about jobs: what it tells of each is recorded as an event of that job.

First the newest jobs in one call, which often tell of all that is asked for, and of what nobody told us; then the rest,
as many in a call as the API takes.
"""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from itertools import batched

from dailies import timestamps
from dailies.aws.table import MAX_KEYS, Table
from dailies.errors import ApiError, AwsUnavailable, CredentialsRejected, PayloadError, RateLimited
from dailies.jobs.merge import merge
from dailies.jobs.models import FINISHED, Event, Job, Report
from dailies.jobs.new_events import nothing, poll_event
from dailies.jobs.rows import Item
from dailies.outbound.api import ApiResponse
from dailies.provider_api.client import Api
from dailies.providers.contract import Credentials, GetJob, ListJobs, ReportedJob, Request, StatusPolling, read_about

MAX_FAILURES = 3  # one after the other: then the provider is down, and the rest is left to the next sweep


class Poll:
    """One sweep's questions to one provider, until a moment of `time.monotonic`. `asked` counts the jobs that it was
    asked about, `taken_in` those that nobody told us of; `problem` says why the rest was left to the next sweep."""

    def __init__(self, table: Table, api: Api, retention_days: int, until: float) -> None:
        self.asked = 0
        self.taken_in = 0
        self.problem = ""
        self._table = table
        self._api = api
        self._retention_days = retention_days
        self._until = until
        self._failures = 0
        self._answers = False  # whether it has answered anything in this sweep

    def ask(self, due: Sequence[Item]) -> None:
        """Ask about these jobs, in their order, and for what is finished at the provider and not here. Nothing where
        the owner has set no credentials."""
        try:
            credentials = self._api.credentials()
            if credentials is None:
                return
            for webhook, inquiry in self._api.provider.polling.items():
                job_ids = [row["job_id"] for row in due if row["webhook"] == webhook]
                self._of_webhook(webhook, inquiry, credentials, job_ids)
        except (ApiError, AwsUnavailable) as error:
            self.problem = error.reason

    def _of_webhook(self, webhook: str, inquiry: StatusPolling, credentials: Credentials, job_ids: list[str]) -> None:
        """Ask about a webhook's jobs. ApiError where nothing of the provider's is to be asked any more; where only
        these questions fail, the next webhook's may be answered."""
        try:
            if inquiry.roll and not self._is_over:
                job_ids = self._newest(webhook, inquiry.roll, credentials, job_ids)
            if inquiry.roll and inquiry.roll.max_ids:
                self._several(webhook, inquiry, inquiry.roll, credentials, job_ids)
            else:
                self._one_by_one(webhook, inquiry, credentials, job_ids)
        except (RateLimited, CredentialsRejected):
            raise
        except (ApiError, AwsUnavailable) as error:
            self.problem = error.reason

    def _newest(self, webhook: str, roll: ListJobs, credentials: Credentials, job_ids: Sequence[str]) -> list[str]:
        """The ids that the list of the newest jobs does not tell of."""
        listed = {one.report.job_id: one for one in self._roll(roll, credentials, ()) or ()}
        for job_id in job_ids:
            if job_id in listed and not self._is_over:
                self._heard(webhook, *listed[job_id])
        finished = [
            job_id for job_id, one in listed.items() if one.report.status in FINISHED and job_id not in set(job_ids)
        ]
        for some in batched(finished, MAX_KEYS, strict=False):
            if self._is_over:
                break
            for job_id, job in self._table.jobs(self._api.provider.name, some).items():
                event = self._event(webhook, *listed[job_id])
                if _is_unheard_of(event, job, self._api.provider.may_go_on):
                    self._record(event)
                    self.taken_in += 1
        return [job_id for job_id in job_ids if job_id not in listed]

    def _several(
        self, webhook: str, inquiry: StatusPolling, roll: ListJobs, credentials: Credentials, job_ids: Sequence[str]
    ) -> None:
        """Ask about as many in a call as the API takes, and again about those that its answer leaves out, as long as it
        tells of any: it may be a page. The rest one by one, and last: they may be unknown, a call of the rate limit
        each."""
        untold: list[str] = []
        for some in batched(job_ids, roll.max_ids, strict=False):
            left, goes_on = list(some), True
            while left and goes_on and not self._is_over:
                listed = {one.report.job_id: one for one in self._roll(roll, credentials, left) or ()}
                for job_id in left:
                    if job_id in listed and not self._is_over:
                        self._heard(webhook, *listed[job_id])
                goes_on = not listed.keys().isdisjoint(left)
                left = [job_id for job_id in left if job_id not in listed]
            untold += left
        self._one_by_one(webhook, inquiry, credentials, untold)

    def _one_by_one(
        self, webhook: str, inquiry: StatusPolling, credentials: Credentials, job_ids: Iterable[str]
    ) -> None:
        for job_id in job_ids:
            if self._is_over:
                return
            self._one(webhook, inquiry.question, credentials, job_id)

    def _one(self, webhook: str, question: GetJob, credentials: Credentials, job_id: str) -> None:
        """Ask about one job. A question that fails is a look, too: the job would else be the first again in each sweep,
        and with two like it the end of each. Where the provider has answered others, such an answer is about this job
        alone."""
        try:
            answer = self._call(partial(_ask_one, question, job_id), credentials)
        except RateLimited:
            raise
        except (ApiError, AwsUnavailable) as error:
            self._heard(webhook, nothing(job_id), b"")
            if not (self._answers and isinstance(error, ApiError) and error.status):
                self._failed(error)
        else:
            body = question.redact(answer.body)
            self._heard(webhook, _read(question, answer.status, body, job_id), body)

    def _roll(self, roll: ListJobs, credentials: Credentials, job_ids: Sequence[str]) -> list[ReportedJob] | None:
        """What the call tells; None where it cannot be understood or was not answered this time."""
        try:
            answer = self._call(lambda base_url, own: roll.ask(base_url, own, job_ids), credentials)
            return roll.read(roll.redact(answer.body)) if answer.status == HTTPStatus.OK else None
        except PayloadError:
            return None
        except (ApiError, AwsUnavailable) as error:
            self._failed(error)
            return None

    @property
    def _is_over(self) -> bool:
        """Whether there is no time left: what is not done is as due in the next sweep."""
        return time.monotonic() > self._until

    def _call(self, ask: Callable[[str, Credentials], Request], credentials: Credentials) -> ApiResponse:
        answer = self._api.call(ask, credentials)
        self._failures, self._answers = 0, True
        return answer

    def _failed(self, error: ApiError | AwsUnavailable) -> None:
        """Count it; raised where it is one too many, or no other question has a chance."""
        self._failures += 1
        if self._failures >= MAX_FAILURES or isinstance(error, RateLimited | CredentialsRejected):
            raise error

    def _heard(self, webhook: str, report: Report, payload: bytes) -> None:
        self._record(self._event(webhook, report, payload))
        self.asked += 1

    def _event(self, webhook: str, report: Report, payload: bytes) -> Event:
        return poll_event(self._api.provider.name, webhook, report, payload, at=timestamps.now())

    def _record(self, event: Event) -> None:
        self._table.record(event, retention_days=self._retention_days, written_by="reconcile")


def _is_unheard_of(event: Event, job: Job | None, may_go_on: Container[str]) -> bool:
    """Whether a list that tells of a job's end tells us something: never of what is over for us and cannot go on, and
    once of all else, as it is told at each sweep. The merge says whether what is told is the newer."""
    if job is None:
        return True
    if job.status in FINISHED and job.status != "failed" and job.provider_status not in may_go_on:
        return False
    merged = merge(job, event)
    return (merged.status, merged.provider_status) != (job.status, job.provider_status)


def _ask_one(question: GetJob, job_id: str, base_url: str, credentials: Credentials) -> Request:
    return question.ask(base_url, credentials, job_id)


def _read(question: GetJob, status: int, body: bytes, job_id: str) -> Report:
    """What an answer reports of the job that was asked about; nothing where it cannot be read, or is of another."""
    readers = {HTTPStatus.OK: question.read, HTTPStatus.BAD_REQUEST: question.read_failure}
    read = readers.get(HTTPStatus(status)) if status in set(HTTPStatus) else None
    try:
        return read_about(job_id, read, body) if read else nothing(job_id)
    except PayloadError:
        return nothing(job_id)
