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
    """Get the job as an event, with a fresh link if the answer has one. None if the API does not know the job. ApiError
    and AwsUnavailable pass through."""
    report, body = _read_job(api, item)
    return renewal_event(item, report, body) if report else None


def confirmation(api: ProviderApi, item: ArchiveItem) -> Event:
    """Compare the delivery with the API's report of the job. The event has the API's link, or the `contradiction`.

    LinkDead if the API does not know the medium. ApiUnavailable if the API contradicts but may lag behind. ApiError and
    AwsUnavailable pass through.
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
    """The API's report of the job, None if it does not know the job, and the answer's body without our secrets.
    ApiUnavailable if the answer is about another job."""
    get_job = item.provider.link_refresh[item.role]
    answer = api.send(lambda base_url, credentials: get_job.build(base_url, credentials, item.job_id))
    body = get_job.redact(answer.body)
    if answer.status in UNKNOWN_JOB:
        return None, body
    if answer.status != HTTPStatus.OK:
        raise ApiRefused(f"the provider's API answered {answer.status}", status=answer.status)
    return parse(ApiResponse(answer.status, body), lambda text: read_about(item.job_id, get_job.read, text)), body
