"""What a provider's own API says of a medium's link, as an event: a fresh one, or whether it stands by the delivery."""

from http import HTTPStatus

from dailies.errors import ApiUnavailable, LinkDead, NoCredentials, PayloadError
from dailies.jobs.models import Event, Report
from dailies.jobs.read_back import contradiction, may_be_late
from dailies.provider_api.client import Api
from dailies.providers.contract import read_about
from dailies.steps.archive_item import ArchiveItem, contradiction_event, renewal_event

UNKNOWN = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})  # of a job that the API does not know


def renewal(api: Api, wanted: ArchiveItem) -> Event | None:
    """What the API tells of the job now, with the fresh link if it has one; None where it knows no such job. ApiError
    where it did not answer this time."""
    report, body = _asked(api, wanted)
    return renewal_event(wanted, report, body) if report else None


def confirmation(api: Api, wanted: ArchiveItem) -> Event:
    """Whether the API says of the job what the delivery said: the provider's own link, or the `contradiction`.
    ApiUnavailable where it may only not have heard of it yet, LinkDead where it knows of no such medium."""
    report, body = _asked(api, wanted)
    against = contradiction(wanted.claim, wanted.role, report) if wanted.claim else ""
    if against and wanted.claim and may_be_late(wanted.claim, report, wanted.provider.may_go_on):
        raise ApiUnavailable(f"not confirmed yet: {against}")
    if against:
        return contradiction_event(wanted, report, body, against)
    event = renewal_event(wanted, report, body, confirms=True) if report else None
    if event is None or not event.media:
        raise LinkDead("the provider's API does not know of this medium")
    return event


def _asked(api: Api, wanted: ArchiveItem) -> tuple[Report | None, bytes]:
    """What the API says, and in which bytes; no report where it knows no such job. ApiError for all else that it may
    answer: what cannot be read, or is about another job, says nothing of this one."""
    question = wanted.provider.link_refresh[wanted.role]
    credentials = api.credentials()
    if credentials is None:
        raise NoCredentials("the API's secret was emptied meanwhile")
    answer = api.call(lambda base_url, own: question.ask(base_url, own, wanted.job_id), credentials)
    body = question.redact(answer.body)
    if answer.status in UNKNOWN:
        return None, body
    if answer.status != HTTPStatus.OK:
        raise ApiUnavailable(f"the provider's API answered {answer.status}")
    try:
        return read_about(wanted.job_id, question.read, body), body
    except PayloadError as error:
        raise ApiUnavailable(f"the provider's API answered something else than documented ({error})") from error
