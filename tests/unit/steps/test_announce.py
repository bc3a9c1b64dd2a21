"""The consequences of changed job rows: found media are queued, a settled job's job.json is written, events are
published.
"""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dailies.aws.bus import Bus
from dailies.errors import NotStored
from dailies.jobs.announcements import Announcement
from dailies.providers import every_provider
from dailies.steps.archive_item import from_message
from testkit.fixtures.aws import BUCKET, BUS, Cloud, Context
from testkit.support.recorded_events import event

COMPLETED, ARCHIVED = (event(f"announce/{name}") for name in ("completed", "archived"))
JOB = "6533643b-aceb-4c40-967e-d9ba9baac39e"
PAGE = f"media/sync/{JOB}/job.json"


def batch(*events: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [record for one in events for record in one["Records"]]}


class TestAnnounce:
    def test_changes_are_published_on_the_bus(self, cloud: Cloud) -> None:
        cloud.function("announce").lambda_handler(batch(COMPLETED), Context())
        published = cloud.told()
        assert [title for title, _ in published] == ["Job Completed"]
        assert all((detail["provider"], detail["job_id"]) == ("sync", JOB) for _, detail in published)
        assert cloud.objects() == {}

    def test_media_that_are_found_go_into_the_archives_queue(self, cloud: Cloud) -> None:
        cloud.function("announce").lambda_handler(batch(COMPLETED, ARCHIVED), Context())
        (found,) = cloud.queued()
        assert (found["provider"], found["job_id"], found["media"][0]["role"]) == ("sync", JOB, "output")
        assert from_message(json.dumps({"detail": found}), every_provider()).job_id == JOB

    def test_found_media_are_published_if_the_owner_enables_it(self, cloud: Cloud) -> None:
        cloud.function("announce", ANNOUNCE_MEDIA_FOUND="true").lambda_handler(batch(COMPLETED), Context())
        assert [title for title, _ in cloud.told()] == ["Media Found", "Job Completed"]
        assert len(cloud.queued()) == 1

    def test_without_its_queue_the_batch_is_retried_and_nothing_is_published(self, cloud: Cloud) -> None:
        handler = cloud.function("announce", ARCHIVE_QUEUE_URL=cloud.queue_url("gone")).lambda_handler
        with pytest.raises(ClientError):
            handler(batch(COMPLETED), Context())
        assert (cloud.told(), cloud.failed()) == ([], [])

    def test_before_a_job_is_published_as_settled_its_summary_is_written(self, cloud: Cloud) -> None:
        cloud.function("announce").lambda_handler(batch(ARCHIVED), Context())
        published = dict(cloud.told())
        assert set(published) == {"Media Archived", "Job Settled"}
        page = json.loads(cloud.objects()[PAGE])
        assert page == {name: value for name, value in published["Job Settled"].items() if name != "id"}
        assert page["media"][0]["state"] == "archived"

    def test_if_the_summary_cannot_be_written_nothing_is_published(self, cloud: Cloud) -> None:
        handler = cloud.function("announce").lambda_handler
        cloud.s3.delete_bucket(Bucket=BUCKET)
        with pytest.raises(ClientError):
            handler(batch(ARCHIVED), Context())
        assert (cloud.told(), cloud.failed()) == ([], [])

    def test_a_second_run_publishes_the_same_under_the_same_ids(self, cloud: Cloud) -> None:
        announce = cloud.function("announce").lambda_handler
        announce(batch(COMPLETED, ARCHIVED), Context())
        once = cloud.told()
        announce(batch(COMPLETED, ARCHIVED), Context())
        assert cloud.told() == once
        assert len({detail["id"] for _, detail in once}) == 3

    @pytest.mark.parametrize("image", [None, {}, {"media": {"S": "none"}}, {"pk": {"S": "job#sync#g-1"}}])
    def test_a_permanently_failing_record_is_kept_whole_and_the_rest_continues(
        self, cloud: Cloud, image: dict[str, Any] | None
    ) -> None:
        poison = copy.deepcopy(COMPLETED)
        poison["Records"][0]["dynamodb"]["NewImage"] = image
        cloud.function("announce").lambda_handler(batch(poison, ARCHIVED), Context())
        assert [title for title, _ in cloud.told()] == ["Media Archived", "Job Settled"]
        assert [work for _, work in cloud.failed()] == poison["Records"]

    def test_where_the_bus_is_gone_the_batch_comes_again(self, cloud: Cloud) -> None:
        handler = cloud.function(
            "announce", BUS_NAME="arn:aws:events:us-east-1:123456789012:event-bus/gone"
        ).lambda_handler
        with pytest.raises((ClientError, NotStored)):
            handler(batch(COMPLETED), Context())
        assert cloud.failed() == []


class TestBus:
    def test_an_announcement_is_an_event_of_ours_with_its_title(self, cloud: Cloud) -> None:
        Bus(cloud.events, BUS).publish([Announcement("Job Failed", {"id": "1", "job_id": "g-é"})])
        assert cloud.told() == [("Job Failed", {"id": "1", "job_id": "g-é"})]

    def test_any_number_of_events_is_published_in_order(self, cloud: Cloud) -> None:
        Bus(cloud.events, BUS).publish([Announcement("Job Failed", {"id": str(number)}) for number in range(25)])
        assert sorted(int(detail["id"]) for _, detail in cloud.told()) == list(range(25))

    def test_no_announcement_is_no_call(self, cloud: Cloud) -> None:
        calls: list[str] = []
        cloud.events.meta.events.register("before-call.events.PutEvents", lambda **_: calls.append("PutEvents"))
        Bus(cloud.events, BUS).publish([])
        assert calls == []

    def test_a_rejected_entry_raises_an_error(self, cloud: Cloud) -> None:
        """PutEvents answers 200 and lists the entries that it rejected."""
        refused = {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}
        client = cloud.events
        client.meta.events.register("after-call.events.PutEvents", lambda parsed, **_: parsed.update(refused))
        with pytest.raises(NotStored, match="did not accept 1 of 1 events: ThrottlingException"):
            Bus(client, BUS).publish([Announcement("Job Failed", {"id": "1"})])
