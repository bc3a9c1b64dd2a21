"""What a provider's API says about a medium's link, as an event: a fresh link, or whether it confirms the delivery."""

from http import HTTPStatus

from dailies.errors import ApiRefused, ApiUnavailable, LinkDead
from dailies.jobs.models import Event, Report
from dailies.jobs.read_back import contradiction, may_be_late
from dailies.outbound.api import ApiResponse
from dailies.provider_api.client import ProviderApi, parse
from dailies.providers.contract import read_about
from dailies.steps.archive_item import ArchiveItem, contradiction_event, renewal_event

UNKNOWN_JOB = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def renewal(api: ProviderApi, item: ArchiveItem) -> Event | None:
    """Read the job, and return it as an event with the fresh link if the answer has one; None if the API does not know
    the job. ApiError and AwsUnavailable pass through."""
    report, body = _read_job(api, item)
    return renewal_event(item, report, body) if report else None


def confirmation(api: ProviderApi, item: ArchiveItem) -> Event:
    """Compare the delivery with the job as the API has it. The event has the API's own link, or the `contradiction`.

    LinkDead if the API does not know the medium. ApiUnavailable if the API contradicts but may only be late; ApiError
    and AwsUnavailable pass through.
    """
    report, body = _read_job(api, item)
    against = contradiction(item.claim, item.role, report) if item.claim else ""
    if against and item.claim and may_be_late(item.claim, report, item.provider.may_go_on):
        raise ApiUnavailable(f"not confirmed yet: {against}")
    if against:
        return contradiction_event(item, report, body, against)
    event = renewal_event(item, report, body, confirms=True) if report else None
    if event is None or not event.media:
        raise LinkDead("the provider's API does not know this medium")
    return event


def _read_job(api: ProviderApi, item: ArchiveItem) -> tuple[Report | None, bytes]:
    """The job as the API reports it, and the answer's body without secrets; no report if the API does not know the job.
    An answer about another job is an ApiUnavailable."""
    question = item.provider.link_refresh[item.role]
    answer = api.send(lambda base_url, credentials: question.ask(base_url, credentials, item.job_id))
    body = question.redact(answer.body)
    if answer.status in UNKNOWN_JOB:
        return None, body
    if answer.status != HTTPStatus.OK:
        raise ApiRefused(f"the provider's API answered {answer.status}", status=answer.status)
    return parse(ApiResponse(answer.status, body), lambda text: read_about(item.job_id, question.read, text)), body
