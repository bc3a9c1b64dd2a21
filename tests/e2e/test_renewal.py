"""A delivery's links die before they are followed. With the owner's API credentials, fresh links are requested and the
job settles. Without them, the media are lost and the job needs attention.

All jobs without credentials are reported first; the others follow after those have ended.
"""

import json
import time
from collections.abc import Iterator

import pytest

from local.stack import Stack
from simulators.media_host.samples import SampleMedia
from simulators.provider_apis import ProviderApis
from simulators.provider_calls.call import Call
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_generation
from testkit.fixtures.account_reader import Owner, Row, payload
from testkit.fixtures.account_reader import medium as of_role
from testkit.fixtures.captions_stack import make_room
from testkit.fixtures.provider_client import NOT_SET, Providers
from testkit.support.functions import set_api_secrets, start_anew
from testkit.support.wait import wait_for

MEDIA = {
    "sync": {"output": "generation.mp4", "segment": "segment.mp4"},
    "creatify": {"photo": "product.png", "video": "product.mp4"},
    "captions": {"output": "operation.mp4"},
}
NO_ROOM = "the provider's rate limit is used up for now"
OVER = {"sync": 403, "creatify": 403, "captions": 400}  # the host's response to an expired link


class Jobs:
    """A finished job of each provider, whose API returns fresh links; the links of its webhook are dead."""

    def __init__(self, providers: Providers, apis: ProviderApis, name: str) -> None:
        self.ids = {provider: providers.job(f"{name}-{provider}") for provider in MEDIA}
        self.providers = providers
        self.apis = apis

    def deliver(self) -> None:
        """Each provider sends its webhook."""
        sync, creatify, captions = self.ids.values()
        self.apis.sync.job(sync).completes(*MEDIA["sync"].values())
        self.apis.creatify.job(creatify).completes(MEDIA["creatify"]["video"], MEDIA["creatify"]["photo"])
        self.apis.captions.job(captions).completes(MEDIA["captions"]["output"])
        calls = [self.sync(sync), self.creatify(creatify), self.captions(captions)]
        self.apis.sync.links.die(sync)
        self.apis.creatify.links.die(creatify)
        self.apis.captions.links.die(captions)
        assert [answer.result for answer in self.providers.send_all(calls)] == ["recorded"] * 3

    def sync(self, job_id: str) -> Call:
        output, segment = (self.apis.sync.links.url(job_id, name) for name in MEDIA["sync"].values())
        return sync_generation("completed", job_id, self.providers.sync, output_url=output, segment_output_url=segment)

    def creatify(self, job_id: str) -> Call:
        photo, video = (self.apis.creatify.links.url(job_id, name) for name in MEDIA["creatify"].values())
        token = self.providers.creatify
        return creatify_product_to_videos("video_generated", job_id, token, photo_url=photo, video_url=video)

    def captions(self, job_id: str) -> Call:
        url = self.apis.captions.links.url(job_id, MEDIA["captions"]["output"])
        return captions_creator("success", job_id, self.providers.captions, url=url)


@pytest.fixture(scope="module")
def lost(providers: Providers, stack_apis: ProviderApis, stack: Stack) -> Iterator[Jobs]:
    """Reported while no credentials are set. Two attempts are enough."""
    start_anew(stack, ["Archive"], ARCHIVE_TRIES="2")
    jobs = Jobs(providers, stack_apis, "lost")
    jobs.deliver()
    yield jobs
    start_anew(stack, ["Archive"], ARCHIVE_TRIES="4")


@pytest.fixture(scope="module")
def renewed(lost: Jobs, owner: Owner, stack: Stack) -> Iterator[Jobs]:
    """Reported while credentials are set."""
    for provider, job_id in lost.ids.items():
        owner.resting(provider, job_id, "attention")
    apis = lost.apis
    credentials = {api.part.provider: api.credentials for api in (apis.sync, apis.creatify, apis.captions)}
    lost.providers.ever_secret |= {value for one in credentials.values() for value in one.values()}
    set_api_secrets(stack, {provider: json.dumps(one) for provider, one in credentials.items()})
    apis.requests.clear()
    apis.clock.forward(61)  # other tests' use of Captions' rate limit is over, at the provider and here
    make_room(stack.aws, stack.outputs["TableName"])
    jobs = Jobs(lost.providers, apis, "renewed")
    jobs.deliver()
    yield jobs
    set_api_secrets(stack, dict.fromkeys(credentials, NOT_SET))


@pytest.mark.parametrize("provider", MEDIA)
def test_without_credentials_they_are_lost_and_the_job_needs_attention(lost: Jobs, owner: Owner, provider: str) -> None:
    row = owner.resting(provider, lost.ids[provider], "attention")
    assert {(one["role"], one["state"], one["reason"]) for one in row["media"]} == {
        (role, "lost", f"the host answered {OVER[provider]}") for role in MEDIA[provider]
    }
    assert owner.keys(f"media/{provider}/{lost.ids[provider]}/") == []
    assert owner.events(provider, lost.ids[provider], "poll") == []


@pytest.mark.parametrize("provider", MEDIA)
def test_with_credentials_fresh_links_are_requested_and_the_job_settles(
    renewed: Jobs, owner: Owner, provider: str
) -> None:
    job_id = renewed.ids[provider]
    row = owner.resting(provider, job_id)
    for role, name in MEDIA[provider].items():
        stored = of_role(row, role)
        assert stored["state"] == "archived"
        assert owner.object(stored["key"], stored["version_id"])[0] == served(renewed, name).content
    # about this job: scheduled runs request the newest jobs meanwhile
    asked = [
        request
        for request in renewed.apis.requests
        if request.provider == provider and job_id in request.path + request.body.decode()
    ]
    assert len(asked) == len(MEDIA[provider])
    assert {request.status for request in asked} == {200}


@pytest.mark.parametrize("provider", MEDIA)
def test_the_apis_response_is_kept_without_secrets(renewed: Jobs, owner: Owner, provider: str) -> None:
    owner.resting(provider, renewed.ids[provider])
    polls = owner.events(provider, renewed.ids[provider], "poll")
    assert polls
    kept: list[Row] = [{**poll, "payload": payload(poll)} for poll in polls]
    secret = {renewed.providers.creatify} | {
        value
        for api in (renewed.apis.sync, renewed.apis.creatify, renewed.apis.captions)
        for value in api.credentials.values()
    }
    assert not [value for value in secret if value in repr(kept)]
    assert not [value for value in secret if value in repr(renewed.apis.host.requests)]


def test_media_without_room_in_the_rate_limit_are_queued_again(renewed: Jobs, owner: Owner, stack: Stack) -> None:
    """For a minute at least. The test does not wait for that: the job settles during the following tests."""
    job_id = renewed.providers.job("no-room")
    full = {"pk": "allowance#creatify", "sk": "allowance", "version": 1, "taken": [[str(time.time()), 60]]}
    queue = stack.outputs["ArchiveQueueUrl"]
    owner.put_row(full)
    try:
        assert renewed.providers.send(renewed.creatify(job_id)).result == "recorded"
        wait_for(
            "both media wait",
            lambda: owner.job("creatify", job_id),
            lambda row: {one.get("reason") for one in row.get("media", [{}])} == {NO_ROOM},
        )
        counted = stack.aws.sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )["Attributes"]
        assert int(counted["ApproximateNumberOfMessagesDelayed"]) >= len(MEDIA["creatify"])
    finally:
        stack.aws.dynamodb.delete_item(
            TableName=stack.outputs["TableName"], Key={"pk": {"S": full["pk"]}, "sk": {"S": full["sk"]}}
        )


def served(jobs: Jobs, name: str) -> SampleMedia:
    return jobs.apis.host.media[name]
