"""The owner's systems receive every change of a job on the bus, each under its own id."""

import json
from collections import Counter

import pytest

from local.stack import Stack
from simulators.provider_calls.captions import captions_creator
from simulators.provider_calls.creatify import creatify_product_to_videos
from simulators.provider_calls.sync import sync_batch, sync_generation
from testkit.fixtures.account_reader import Owner
from testkit.fixtures.bus_listener import Listener
from testkit.fixtures.provider_client import Providers
from testkit.support.attributes import JOB
from testkit.support.wait import wait_for


@pytest.fixture(scope="module")
def job_id(providers: Providers, listener: Listener) -> str:
    """A settled Sync generation with two media, and its job.json."""
    job_id = providers.job("announced")
    call = sync_generation(
        "completed",
        job_id,
        providers.sync,
        output_url=providers.link(job_id, "generation.mp4"),
        segment_output_url=providers.link(job_id, "segment.mp4"),
    )
    assert providers.send(call).result == "recorded"
    listener.hears(job_id, "Job Settled")
    return job_id


def test_each_change_of_a_job_with_two_media_is_published_once(job_id: str, listener: Listener) -> None:
    published = {event["detail"]["id"]: event["detail-type"] for event in listener.of(job_id)}
    assert dict(Counter(published.values())) == {
        "Media Archived": 2,
        "Job Completed": 1,
        "Job Settled": 1,
    }
    assert {event["source"] for event in listener.of(job_id)} == {"dailies"}


def test_a_repeated_event_has_the_same_id(job_id: str, listener: Listener, stack: Stack) -> None:
    before = listener.of(job_id)
    row = stack.aws.dynamodb.get_item(
        TableName=stack.outputs["TableName"], Key={"pk": {"S": f"job#sync#{job_id}"}, "sk": {"S": "job"}}
    )["Item"]
    batch = {"Records": [{"eventName": "INSERT", "dynamodb": {"NewImage": row}}]}  # as if all of it had arrived at once
    answer = stack.aws.functions.invoke(FunctionName=stack.functions["Announce"], Payload=json.dumps(batch))
    assert answer.get("FunctionError") is None
    again = wait_for(
        "both media, completed and settled are told again",
        lambda: listener.of(job_id),
        lambda events: len(events) == len(before) + 4,
    )
    assert {event["detail"]["id"] for event in again} == {event["detail"]["id"] for event in before}


def test_a_detail_is_the_job_row_with_an_id(job_id: str, listener: Listener, owner: Owner) -> None:
    settled = listener.hears(job_id, "Job Settled")["detail"]
    assert set(settled) == JOB - {"pk", "sk", "listed"} | {"id"}
    assert settled.pop("id")
    row = owner.job("sync", job_id)
    assert settled == {name: row[name] for name in settled}


def test_about_a_medium_it_has_that_one_only(job_id: str, listener: Listener) -> None:
    media = [event["detail"]["media"] for event in listener.of(job_id, "Media Archived")]
    assert {tuple(medium["role"] for medium in each) for each in media} == {("output",), ("segment",)}
    assert {each[0]["state"] for each in media} == {"archived"}


def test_failed_jobs_are_published_as_failed_and_settled(providers: Providers, listener: Listener) -> None:
    calls = [
        sync_generation("failed", providers.job("bus-1"), providers.sync),
        sync_batch("failed", providers.job("bus-2"), providers.sync, output_url=""),
        creatify_product_to_videos("failed", providers.job("bus-3"), providers.creatify),
        captions_creator("failure", providers.job("bus-4"), providers.captions),
    ]
    assert {answer.result for answer in providers.send_all(calls)} == {"recorded"}
    for call in calls:
        assert listener.hears(call.job_id, "Job Failed")["detail"]["status"] == "failed"
        assert listener.hears(call.job_id, "Job Settled")["detail"]["stage"] == "settled"
        assert listener.of(call.job_id, "Job Completed") == []


def test_a_jobs_summary_is_in_the_bucket_before_job_settled_is_published(
    providers: Providers, listener: Listener, owner: Owner
) -> None:
    job_id = providers.job("page-first")
    url = providers.link(job_id, "operation.mp4")
    assert providers.send(captions_creator("success", job_id, providers.captions, url=url)).result == "recorded"
    settled = listener.hears(job_id, "Job Settled")["detail"]
    page = json.loads(owner.object(f"media/captions/{job_id}/job.json")[0])
    assert page == {name: value for name, value in settled.items() if name != "id"}
