"""A polling run over jobs that are stuck or silent, within its time; its requests are in test_poll.py."""

import json
import time
from collections import Counter
from dataclasses import replace

import pytest

from dailies import timestamps
from dailies.jobs.models import Event, MediaLink
from dailies.jobs.rows import job_item
from dailies.providers import every_provider
from dailies.steps.advance import advance
from dailies.steps.archive_retry import MAX_RETRY_AFTER
from dailies.steps.reconcile import next_poll
from dailies.steps.track import submitted_event
from testkit.fixtures.archiver import PROVIDERS, Archive
from testkit.fixtures.reconciler import FINISHES, HOUR, WEBHOOK, Reconcile

TIME_LIMIT = 960.0  # seconds for which a medium's message is hidden during an attempt


def found(job_id: str, *, ago: float) -> Event:
    """Sync has reported the job's medium `ago` seconds ago."""
    detail = {"provider": "sync", "webhook": "generation", "job_id": job_id}
    event = submitted_event(detail, PROVIDERS, at=timestamps.at(timestamps.seconds(timestamps.now()) - ago))
    medium = MediaLink("output", f"https://h.example/{job_id}.mp4")
    return replace(event, origin="webhook", status="completed", media=(medium,))


class TestStuck:
    def found(self, *, ago: float) -> Event:
        return found("g-1", ago=ago)

    def test_a_medium_without_receipts_is_queued_again_but_not_in_every_run(self, archive_at_work: Archive) -> None:
        reconciles = Reconcile(archive_at_work)
        reconciles.advance(self.found(ago=2 * HOUR))
        reconciles.run()
        (detail,) = reconciles.queued()
        assert (detail["provider"], detail["job_id"]) == ("sync", "g-1")
        reconciles.run()
        assert reconciles.queued() == []

    @pytest.mark.parametrize("ago", [HOUR / 2, MAX_RETRY_AFTER + TIME_LIMIT])
    def test_one_that_may_still_be_under_way_is_not(self, archive_at_work: Archive, ago: float) -> None:
        """Also after the pause that its host asked for, and an attempt that took its whole time."""
        reconciles = Reconcile(archive_at_work)
        reconciles.advance(self.found(ago=ago))
        reconciles.run()
        assert reconciles.queued() == []

    @pytest.mark.parametrize(("days", "queued"), [(6.9, 1), (7.1, 0)])
    def test_after_a_week_it_is_left(self, archive_at_work: Archive, days: float, queued: int) -> None:
        reconciles = Reconcile(archive_at_work)
        reconciles.advance(self.found(ago=days * 24 * HOUR))
        reconciles.run()
        assert len(reconciles.queued()) == queued

    def test_the_row_of_one_that_is_not_due_is_not_read(self, archive_at_work: Archive) -> None:
        reconciles = Reconcile(archive_at_work)
        reconciles.advance(self.found(ago=2 * HOUR))
        reconciles.run()
        reads: list[object] = []
        archive_at_work.cloud.dynamodb.meta.events.register(
            "provide-client-params.dynamodb.GetItem", lambda params, **_: reads.append(params)
        )
        reconciles.reconciler.run(seconds=60)
        assert reads == []

    def test_what_is_queued_again_is_what_the_archive_understands(self, archive_at_work: Archive) -> None:
        reconciles = Reconcile(archive_at_work)
        event = archive_at_work.generation()
        advance(
            archive_at_work.table,
            replace(event, received_at=timestamps.at(timestamps.seconds(timestamps.now()) - 2 * HOUR)),
        )
        reconciles.run()
        (detail,) = reconciles.queued()
        assert archive_at_work.try_medium(event, "output")
        assert archive_at_work.receipt(event).media_id == detail["media"][0]["media_id"]  # type: ignore[index]


class TestSilence:
    def test_a_job_without_updates_for_a_day_needs_attention_even_without_an_api_key(
        self, archive_at_work: Archive
    ) -> None:
        reconciles = Reconcile(archive_at_work)
        reconciles.submitted("captions", "o-1", ago=25 * HOUR)
        reconciles.submitted("captions", "o-2", ago=23 * HOUR)
        reconciles.run()
        assert reconciles.job("captions", "o-1").stage == "attention"
        assert reconciles.job("captions", "o-2").stage == "waiting"

    def test_it_is_still_polled_and_settles_after_an_update(self, reconciles: Reconcile) -> None:
        """The provider was down for more than a day."""
        reconciles.submitted("sync", "j-1", ago=48 * HOUR)
        reconciles.desk.apis.sync.fail(503, times=9)
        reconciles.run()
        assert reconciles.job("sync", "j-1").list_name == "silent"
        later = replace(
            reconciles.job("sync", "j-1"), reconciled_at=timestamps.at(timestamps.seconds(timestamps.now()) - 2 * HOUR)
        )
        reconciles.desk.cloud.dynamodb.delete_item(
            TableName=reconciles.desk.cloud.environment["TABLE_NAME"],
            Key={"pk": {"S": "job#sync#j-1"}, "sk": {"S": "job"}},
        )
        reconciles.desk.table.put_once(job_item(later), written_by="test")
        FINISHES["sync"](reconciles.desk)
        reconciles.run()
        assert reconciles.job("sync", "j-1").stage == "archiving"


class TestTime:
    """A run's time is limited; what it does not get to stays due for the next."""

    SLOW = 5  # seconds that a write takes here
    MANY = 12  # jobs for each step

    @pytest.fixture(autouse=True)
    def slow_writes(self, reconciles: Reconcile, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a clock that they advance."""
        passed, real = [0.0], time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + sum(passed))
        reconciles.desk.cloud.dynamodb.meta.events.register(
            "provide-client-params.dynamodb.PutItem", lambda **_: passed.append(self.SLOW)
        )

    def backlog(self, reconciles: Reconcile, provider: str) -> None:
        """More than any run has time for in any step."""
        numbers = range(self.MANY)
        if provider == "sync":
            reconciles.desk.cloud.put_events(found(f"stuck-{number}", ago=3 * HOUR) for number in numbers)
        reconciles.submitted(provider, *(f"j-{number}" for number in numbers), ago=2 * HOUR)
        reconciles.submitted(provider, *(f"silent-{number}" for number in numbers), ago=25 * HOUR)

    def test_without_any_nothing_is_done(self, reconciles: Reconcile) -> None:
        for provider in WEBHOOK:
            self.backlog(reconciles, provider)
            FINISHES[provider](reconciles.desk)
        rows = reconciles.desk.cloud.rows()
        reconciles.reconciler.run(seconds=-1)
        assert reconciles.desk.cloud.rows() == rows
        assert (reconciles.desk.apis.requests, reconciles.queued()) == ([], [])

    def test_a_backlog_leaves_each_provider_and_each_step_its_share(self, reconciles: Reconcile) -> None:
        for provider in WEBHOOK:
            self.backlog(reconciles, provider)
        reconciles.reconciler.run(seconds=240)
        assert {request.provider for request in reconciles.desk.apis.requests} == set(WEBHOOK)
        looks = [row for row in reconciles.desk.cloud.rows() if row.get("origin") == "poll"]
        silent = Counter(row["provider"] for row in looks if row.get("silent"))
        asked = Counter(row["provider"] for row in looks if not row.get("silent") and "stuck" not in row["job_id"])
        assert silent.keys() == asked.keys() == set(WEBHOOK)
        assert max(silent.values()) < self.MANY
        assert 1 < len(reconciles.queued()) < self.MANY - 2
        assert len(looks) * self.SLOW < 240 + 3 * self.SLOW

    def test_remaining_work_is_logged(self, reconciles: Reconcile, capsys: pytest.CaptureFixture[str]) -> None:
        self.backlog(reconciles, "captions")
        reconciles.reconciler.run(seconds=30)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        problems = {line["provider"]: line.get("problem", "") for line in lines if "Sweeps" in line}
        assert problems == {name: "the time was over" if name == "captions" else "" for name in every_provider()}


class TestNextLook:
    USUAL = 600.0
    UPDATED = "2026-01-15T10:00:00.000000Z"

    def test_it_is_first_when_the_usual_time_is_over_and_then_after_gaps_that_grow(self) -> None:
        due = next_poll({"updated_at": self.UPDATED}, self.USUAL)
        gaps = [due - timestamps.seconds(self.UPDATED)]
        for _ in range(8):
            later = next_poll({"updated_at": self.UPDATED, "reconciled_at": timestamps.at(due)}, self.USUAL)
            gaps.append(later - due)
            due = later
        # Half of the time without an update: 10 minutes, 15, 22.5 and so on, but never more than an hour.
        assert gaps == pytest.approx([600, 300, 450, 675, 1012.5, 1518.75, 2278.125, 3417.1875, 3600])

    def test_an_update_restarts_the_interval(self) -> None:
        earlier = "2026-01-15T09:00:00.000000Z"
        assert next_poll({"updated_at": self.UPDATED, "reconciled_at": earlier}, self.USUAL) == (
            timestamps.seconds(self.UPDATED) + self.USUAL
        )


class TestLines:
    def metrics(self, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
        """The metrics in the runs' log lines, added up."""
        added: Counter[str] = Counter()
        for line in map(json.loads, capsys.readouterr().out.splitlines()):
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            if "Sweeps" in line:
                assert directive["Dimensions"] == [[]]
                added.update({metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]})
        return dict(added)

    def test_an_idle_run_emits_one_metric_since_each_is_billed(
        self, reconciles: Reconcile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        reconciles.run()
        assert self.metrics(capsys) == {"Sweeps": len(every_provider())}

    def test_a_runs_work_is_counted(self, reconciles: Reconcile, capsys: pytest.CaptureFixture[str]) -> None:
        reconciles.submitted("sync", "j-1", ago=HOUR)
        FINISHES["sync"](reconciles.desk)
        reconciles.run()
        assert self.metrics(capsys) == {"Sweeps": len(every_provider()), "PolledJobs": 1}
