"""New event rows change the row of their job, whatever else the batch has and however often it is delivered."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dailies.aws import stream
from dailies.aws.table import Table
from dailies.errors import VersionConflict
from dailies.jobs.merge import merge
from dailies.jobs.models import Event
from dailies.jobs.rows import job_item, job_of
from dailies.steps.advance import advance
from testkit.fixtures.aws import TABLE, Cloud, Context
from testkit.support.clients import own_client
from testkit.support.recorded_events import event

WEBHOOK, RECEIPT = (event(f"advance/{name}") for name in ("webhook", "receipt"))


def batch(*events: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [record for one in events for record in one["Records"]]}


def job_row(cloud: Cloud) -> dict[str, Any]:
    (row,) = cloud.rows()
    return row


class TestStream:
    def test_a_new_event_is_the_one_in_the_row(self) -> None:
        happened = stream.new_event(WEBHOOK["Records"][0])
        assert (happened.provider, happened.webhook, happened.status) == ("sync", "generation", "completed")
        assert [medium.role for medium in happened.media] == ["output"]
        assert stream.new_event(RECEIPT["Records"][0]).receipt is not None

    def test_a_changed_job_is_the_one_before_and_the_one_after(self) -> None:
        before, after = stream.changed_job(event("announce/archived")["Records"][0])
        assert before
        assert (before.stage, after.stage, after.version) == ("archiving", "settled", 2)
        before, after = stream.changed_job(event("announce/completed")["Records"][0])
        assert (before, after.stage) == (None, "archiving")


class TestAdvance:
    def test_events_add_up_in_one_job_row(self, cloud: Cloud) -> None:
        cloud.function("advance").lambda_handler(batch(WEBHOOK, RECEIPT), Context())
        row = job_row(cloud)
        assert (row["sk"], row["status"], row["stage"], row["version"]) == ("job", "completed", "settled", 2)
        assert row["media"][0]["state"] == "archived"

    def test_in_any_order_they_come_to_the_same(self, cloud: Cloud) -> None:
        advance = cloud.function("advance").lambda_handler
        advance(batch(RECEIPT, WEBHOOK), Context())
        other_way = job_row(cloud)
        cloud.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": other_way["pk"]}, "sk": {"S": "job"}})
        advance(batch(WEBHOOK, RECEIPT), Context())
        assert job_row(cloud) == other_way

    def test_twice_is_once(self, cloud: Cloud) -> None:
        """A batch is delivered again when its last record failed: merged events write nothing, so nothing follows."""
        advance = cloud.function("advance").lambda_handler
        advance(batch(WEBHOOK, RECEIPT), Context())
        row = job_row(cloud)
        advance(batch(WEBHOOK, RECEIPT, WEBHOOK), Context())
        assert job_row(cloud) == row

    @pytest.mark.parametrize(
        "spoilt",
        [
            {},
            {"dynamodb": {}},
            {"dynamodb": {"NewImage": {}}},
            {"dynamodb": {"NewImage": {"pk": {"S": "job#sync#g-1"}}}},
            {"dynamodb": {"NewImage": {"status": {"X": "?"}}}},
            {"dynamodb": {"NewImage": None}},
        ],
    )
    def test_a_permanently_failing_record_is_kept_whole_and_the_rest_continues(
        self, cloud: Cloud, spoilt: dict[str, Any]
    ) -> None:
        poison = {"Records": [{"eventID": "1", **spoilt}]}
        cloud.function("advance").lambda_handler(batch(WEBHOOK, poison, RECEIPT), Context())
        assert job_row(cloud)["stage"] == "settled"
        assert [work for _, work in cloud.failed()] == poison["Records"]

    def test_a_row_of_the_wrong_type_is_such_a_record(self, cloud: Cloud) -> None:
        spoilt = copy.deepcopy(WEBHOOK)
        spoilt["Records"][0]["dynamodb"]["NewImage"]["media"] = {"L": [{"S": "no medium"}]}
        cloud.function("advance").lambda_handler(batch(spoilt, RECEIPT), Context())
        assert cloud.failed() == [("TypeError", spoilt["Records"][0])]

    def test_where_the_table_takes_nothing_the_batch_comes_again(
        self, cloud: Cloud, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The warning has the request id, so that Lambda's own lines about it can be found."""
        function = cloud.function("advance")
        cloud.dynamodb.delete_table(TableName=TABLE)
        with pytest.raises(ClientError):
            function.lambda_handler(batch(WEBHOOK), Context("request-7"))
        assert cloud.failed() == []
        (record,) = caplog.records
        line = json.loads(function.telemetry.log.registered_formatter.format(record))
        said = {name: line[name] for name in ("level", "message", "error", "function_request_id", "service")}
        assert said == {
            "level": "WARNING",
            "message": "the batch will be retried",
            "error": "ResourceNotFoundException",
            "function_request_id": "request-7",
            "service": "dailies",
        }


def overtaken(cloud: Cloud, times: int) -> Table:
    """A table in which another process writes the job row between each of our reads and writes, `times` times."""
    client, rival = own_client("dynamodb"), Table(cloud.dynamodb, TABLE)
    moments = iter([f"2026-01-15T10:30:{number:02}.000000Z" for number in reversed(range(times))])

    def overtake(**_: object) -> None:
        for at in moments:
            advance(rival, _seen(at))
            return

    client.meta.events.register("after-call.dynamodb.GetItem", overtake)
    return Table(client, TABLE)


def _seen(at: str) -> Event:
    return Event(
        event_id="0" * 64,
        provider="sync",
        webhook="generation",
        job_id=stream.new_event(WEBHOOK["Records"][0]).job_id,
        status="processing",
        provider_status=f"PROCESSING {at}",
        origin="poll",
        received_at=at,
    )


class TestOvertaken:
    def test_both_writers_events_are_in_the_row(self, cloud: Cloud) -> None:
        happened = stream.new_event(WEBHOOK["Records"][0])
        job = advance(overtaken(cloud, times=3), happened)
        assert (job.status, job.first_seen_at) == ("completed", "2026-01-15T10:30:00.000000Z")
        assert job_of(job_row(cloud)).first_seen_at == "2026-01-15T10:30:00.000000Z"
        assert job_row(cloud)["version"] == 4

    def test_a_record_that_keeps_being_overtaken_is_retried(self, cloud: Cloud) -> None:
        with pytest.raises(VersionConflict):
            advance(overtaken(cloud, times=30), stream.new_event(WEBHOOK["Records"][0]))

    def test_a_row_that_is_there_is_never_written_over_unread(self, cloud: Cloud) -> None:
        """It has versions; a first write requires that there is none."""
        table = Table(cloud.dynamodb, TABLE)
        advance(table, _seen("2026-01-15T10:30:05.000000Z"))
        merged = advance(table, stream.new_event(WEBHOOK["Records"][0]))
        assert merged == merge(job_of(job_item(merged)), _seen("2026-01-15T10:30:05.000000Z"))
        assert job_row(cloud)["version"] == 2
