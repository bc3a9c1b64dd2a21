"""When a medium is tried again, its state until then, and what is recorded."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from dailies.jobs.models import Event, MediaState
from dailies.steps.archive_retry import LAST_CHANCE_SECONDS, MAX_RETRY_AFTER
from simulators.media_host.samples import SampleMedia
from simulators.s3 import BUCKET, S3Simulator
from testkit.fixtures.archiver import TRIES, Archive
from testkit.support.template import resources, template
from tests.unit.transfer.test_mp4 import FRAGMENTED

type Trouble = Callable[[S3Simulator], object]


class TestTries:
    """A receipt counts as one. SQS counts receives."""

    def test_a_receive_that_did_not_reach_the_function_is_none(self, archive_at_work: Archive) -> None:
        """Lambda was throttled, or ended the function before it could record anything."""
        event = archive_at_work.generation("/fault/broken/generation.mp4")
        for received in (TRIES, TRIES + 1):
            assert not archive_at_work.receive(event, "output", times=received)
            assert archive_at_work.receipt(event).state == "pending"
        assert archive_at_work.receive(event, "output", times=TRIES + 2)
        assert archive_at_work.receipt(event).state == "failed"

    def test_a_message_that_is_brought_back_has_all_of_them(self, archive_at_work: Archive) -> None:
        event = archive_at_work.generation("/fault/broken/generation.mp4")
        assert archive_at_work.try_medium(event, "output", tries=TRIES)
        for received in range(1, TRIES):
            assert not archive_at_work.receive(event, "output", times=received)
        assert archive_at_work.receive(event, "output", times=TRIES)
        assert [receipt.state for receipt in archive_at_work.receipts(event)].count("failed") == 2

    def test_the_queue_gives_up_after_the_last_possible_attempt(self) -> None:
        redrive = resources("AWS::SQS::Queue")["ArchiveQueue"]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] > template()["Parameters"]["ArchiveTries"]["MaxValue"]


class TestPauses:
    """Before a message is visible again."""

    def test_they_double_up_to_ten_minutes(self, archive_at_work: Archive) -> None:
        archive_at_work.archiver = replace(archive_at_work.archiver, max_attempts=20)
        event = archive_at_work.generation("/fault/broken/generation.mp4")
        for tries in range(1, 10):
            assert not archive_at_work.try_medium(event, "output", tries=tries)
        doubled = (15, 30, 60, 120, 240, 480, 600, 600, 600)
        for pause, meant in zip(archive_at_work.pauses, doubled, strict=True):
            assert 0.8 * meant - 1 <= pause <= 1.2 * meant + 1  # jitter: no two jobs retry in step

    @pytest.mark.parametrize("left", [62, 90, 200, 500])
    def test_a_link_is_tried_again_before_it_dies(self, archive_at_work: Archive, left: int) -> None:
        archive_at_work.archiver = replace(archive_at_work.archiver, max_attempts=20)
        archive_at_work.apis.sync.links.lifetime = left
        event = archive_at_work.generation("/fault/broken/generation.mp4")
        assert not archive_at_work.try_medium(event, "output", tries=9)  # ten minutes without the link's expiry
        (pause,) = archive_at_work.pauses
        # The link's life has begun when the pause is chosen, so a slow machine only shortens it.
        assert 1 <= pause <= max(1, left - LAST_CHANCE_SECONDS + 1)

    @pytest.mark.parametrize("left", [5, 30, 58])
    def test_its_last_minute_costs_no_more_attempts_than_any_other(self, archive_at_work: Archive, left: int) -> None:
        """One of them was its last chance. The remaining attempts are for a fresh link."""
        archive_at_work.apis.sync.links.lifetime = left
        event = archive_at_work.generation("/fault/broken/generation.mp4")
        assert not archive_at_work.try_medium(event, "output", tries=2)
        assert 0.8 * 30 - 1 <= archive_at_work.pauses[0] <= 1.2 * 30 + 1

    def test_one_that_is_dead_already_is_given_its_pause(self, archive_at_work: Archive) -> None:
        """The provider may respond later, or the host's clock may be late."""
        archive_at_work.apis.sync.links.lifetime = -10
        event = archive_at_work.generation()
        assert not archive_at_work.try_medium(event, "output", tries=2)
        assert archive_at_work.receipt(event).reason == "the host answered 403"
        assert 0.8 * 30 - 1 <= archive_at_work.pauses[0] <= 1.2 * 30 + 1

    @pytest.mark.parametrize("fault", ["busy-two-minutes", "back-in-two-minutes"])
    def test_a_hosts_longer_retry_after_is_respected(self, archive_at_work: Archive, fault: str) -> None:
        event = archive_at_work.generation(f"/fault/{fault}/generation.mp4")
        assert not archive_at_work.try_medium(event, "output")  # fifteen seconds by our own policy
        assert 100 <= archive_at_work.pauses[0] <= 125

    def test_but_not_beyond_the_links_life(self, archive_at_work: Archive) -> None:
        archive_at_work.apis.sync.links.lifetime = 100
        event = archive_at_work.generation("/fault/busy-two-minutes/generation.mp4")
        assert not archive_at_work.try_medium(event, "output")
        assert archive_at_work.pauses[0] <= 100 - LAST_CHANCE_SECONDS

    def test_a_rate_limits_pause_is_not_shortened_by_the_links_life(self, archive_at_work: Archive) -> None:
        """Then the provider is waited for: its response brings a fresh link."""
        archive_at_work.set_keys()
        archive_at_work.apis.creatify.links.lifetime = 100
        archive_at_work.apis.creatify.fail(429, retry_after=60)
        assert not archive_at_work.try_medium(archive_at_work.product(), "video")
        assert archive_at_work.pauses[0] >= 60 > 100 - LAST_CHANCE_SECONDS

    def test_a_link_of_unknown_life_is_not_delayed_beyond_an_hour(self, archive_at_work: Archive) -> None:
        archive_at_work.apis.sync.links.lifetime = None
        event = archive_at_work.generation("/fault/busy-a-week/generation.mp4")
        assert not archive_at_work.try_medium(event, "output")
        assert archive_at_work.pauses == [MAX_RETRY_AFTER]

    def test_if_aws_fails_the_message_is_delayed_and_no_attempt_is_used(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        batch = archive_at_work.batch({"g-1": "batch-1.mp4"})
        s3.fail("GetObject", status=403, code="AccessDenied", times=100)
        assert not archive_at_work.try_medium(batch, "result", tries=TRIES)
        assert 0.8 * 60 - 1 <= archive_at_work.pauses[0] <= 1.2 * 60 + 1
        assert archive_at_work.job(batch).stage == "archiving"

    def test_what_is_done_with_is_not_waited_for(self, archive_at_work: Archive) -> None:
        event = archive_at_work.generation()
        assert archive_at_work.try_medium(event, "output")
        assert archive_at_work.pauses == []


class TestMargin:
    """A link's remaining life when its medium was stored, which an alarm watches."""

    def measured(self, archive: Archive, printed: pytest.CaptureFixture[str]) -> dict[str, float]:
        return self.measured_of(archive, archive.generation(), "output", printed)

    def measured_of(
        self, archive: Archive, event: Event, role: str, printed: pytest.CaptureFixture[str]
    ) -> dict[str, float]:
        printed.readouterr()
        assert archive.try_medium(event, role)
        lines: list[dict[str, float]] = [json.loads(line) for line in printed.readouterr().out.splitlines()]
        (measured,) = [line for line in lines if "Archives" in line]
        return measured

    def test_it_is_measured_if_the_link_has_an_expiry(
        self, archive_at_work: Archive, capsys: pytest.CaptureFixture[str]
    ) -> None:
        archive_at_work.apis.sync.links.lifetime = 1000
        margin = self.measured(archive_at_work, capsys)["LinkMarginSeconds"]
        assert 900 < margin <= 1000

    def test_else_it_is_not(self, archive_at_work: Archive, capsys: pytest.CaptureFixture[str]) -> None:
        archive_at_work.apis.sync.links.lifetime = None
        assert "LinkMarginSeconds" not in self.measured(archive_at_work, capsys)

    def test_it_is_that_of_the_fresh_link_where_the_first_one_was_dead(
        self, archive_at_work: Archive, capsys: pytest.CaptureFixture[str]
    ) -> None:
        archive_at_work.set_keys()
        archive_at_work.apis.sync.links.lifetime = -10
        event = archive_at_work.generation()
        archive_at_work.apis.sync.links.lifetime = 1000
        margin = self.measured_of(archive_at_work, event, "output", capsys)["LinkMarginSeconds"]
        assert 900 < margin <= 1000

    def test_for_an_untrusted_link_it_is_measured_by_the_fresh_one(
        self, archive_at_work: Archive, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Creatify's own link is used, not the delivery's."""
        archive_at_work.set_keys()
        archive_at_work.apis.creatify.links.lifetime = -10
        event = archive_at_work.product()
        archive_at_work.apis.creatify.links.lifetime = 1000
        margin = self.measured_of(archive_at_work, event, "video", capsys)["LinkMarginSeconds"]
        assert 900 < margin <= 1000


class TestNamedByHand:
    """A medium whose event rows have expired, which an operator has queued by its name."""

    def test_it_is_archived_by_a_fresh_link_and_its_wait_is_not_guessed(
        self, archive_at_work: Archive, s3: S3Simulator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        archive_at_work.set_keys()
        event = archive_at_work.generation()
        archive_at_work.forget(event)
        assert archive_at_work.try_medium(event, "output")
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, [receipt.key]) == ("archived", s3.keys)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (measured,) = [line for line in lines if "Archives" in line]
        assert "MediaBytes" in measured
        assert "DeliveryToArchivedSeconds" not in measured


class TestStates:
    """A medium's state after an attempt, and whether its message is kept for a person."""

    @pytest.mark.parametrize(
        ("medium", "trouble", "states", "reason"),
        [
            ("broken", None, ("pending", "failed"), "the host answered 500"),
            ("busy", None, ("pending", "failed"), "the host answered 429"),
            ("range-not-satisfiable", None, ("pending", "failed"), "the host answered 416"),
            ("cut-with-length", None, ("pending", "failed"), "cut short: "),
            ("forbidden", None, ("pending", "lost"), "the host answered 403"),
            ("expired", None, ("pending", "lost"), "the host answered 400"),
            ("missing", None, ("pending", "lost"), "the host answered 404"),
            ("gone", None, ("pending", "lost"), "the host answered 410"),
            ("html-page", None, ("pending", "failed"), "not audio or video: an HTML page"),
            ("redirect-to-metadata", None, ("failed", "failed"), "not https: http"),
            ("slow", lambda s3: s3.fail("PutObject", times=9), ("pending", "failed"), "S3 answered SlowDown"),
        ],
    )
    def test_the_state_follows_from_the_error_and_the_remaining_attempts(
        self,
        archive_at_work: Archive,
        s3: S3Simulator,
        *,
        medium: str,
        trouble: Trouble | None,
        states: tuple[MediaState, MediaState],
        reason: str,
    ) -> None:
        if trouble:
            trouble(s3)
        event = archive_at_work.generation(f"/fault/{medium}/generation.mp4")
        for tries, state in ((1, states[0]), (TRIES - 1, states[0]), (TRIES, states[1])):
            done = archive_at_work.try_medium(event, "output", tries=tries)
            receipt = archive_at_work.receipt(event)
            assert (receipt.state, done) == (state, state != "pending")
            assert receipt.reason.startswith(reason)
            assert (receipt.key, receipt.bytes) == ("", 0)
            waits = [why for why, _ in archive_at_work.cloud.failed()]
            assert waits == ([receipt.reason] if state == "failed" else [])
        assert archive_at_work.job(event).stage == "attention"
        assert (s3.keys, s3.open_uploads) == ([], [])

    def test_an_object_ends_all_of_it(self, archive_at_work: Archive) -> None:
        event = archive_at_work.generation("/fault/unavailable-twice/generation.mp4")
        stages = []
        for tries in range(1, TRIES + 1):
            archive_at_work.try_medium(event, "output", tries=tries)
            stages.append((archive_at_work.receipt(event).state, archive_at_work.job(event).stage))
        assert stages == [("pending", "archiving"), ("pending", "archiving"), ("archived", "settled")]
        assert len(archive_at_work.pauses) == 2


class TestNotes:
    """Where the provider's facts differ from the file."""

    @pytest.mark.parametrize(
        ("said", "note"),
        [
            (2.0, ""),  # as the header says
            (2.4, ""),  # half a second is rounding
            (1.6, ""),
            (2.6, "the provider said that it plays 2.6 s"),
            (9.0, "the provider said that it plays 9 s"),
            (None, ""),
        ],
    )
    def test_another_duration_is_noted_and_not_refused(
        self, archive_at_work: Archive, said: float | None, note: str
    ) -> None:
        event = archive_at_work.generation(seconds=said)
        assert archive_at_work.try_medium(event, "output")
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, receipt.note) == ("archived", note)
        assert (receipt.seconds, receipt.width, receipt.height) == (Decimal(2), 320, 180)
        (output,) = archive_at_work.job(event).media
        assert output.receipt == receipt

    def test_of_a_long_one_a_fiftieth_is_rounding(self, archive_at_work: Archive) -> None:
        clip = archive_at_work.apis.host.media["large.mp4"]  # of three seconds
        at = clip.content.index(b"mvhd") + 4 + 12  # its units a second: a hundredth of them makes it three hundred
        units = int.from_bytes(clip.content[at : at + 4]) // 100
        slower = clip.content[:at] + units.to_bytes(4) + clip.content[at + 4 :]
        archive_at_work.apis.host.media["slower.mp4"] = SampleMedia("slower.mp4", "video/mp4", slower)
        for said, note in ((295, ""), (293, "the provider said that it plays 293 s")):
            event = archive_at_work.generation(f"/{said}/slower.mp4", seconds=said)
            archive_at_work.try_medium(event, "output")
            assert archive_at_work.receipt(event).note == note

    def test_a_header_without_a_duration_is_no_difference(self, archive_at_work: Archive) -> None:
        archive_at_work.apis.host.media["fragmented.mp4"] = SampleMedia("fragmented.mp4", "video/mp4", FRAGMENTED)
        event = archive_at_work.generation("fragmented.mp4", seconds=2.0)
        assert archive_at_work.try_medium(event, "output")
        receipt = archive_at_work.receipt(event)
        assert (receipt.state, receipt.seconds, receipt.width, receipt.note) == ("archived", None, 96, "")

    def test_a_segments_duration_is_not_reported(self, archive_at_work: Archive) -> None:
        event = archive_at_work.generation("generation.mp4", "segment.mp4", seconds=2.0)
        assert archive_at_work.try_medium(event, "segment")
        receipt = archive_at_work.receipt(event)
        assert (receipt.seconds, receipt.note) == (Decimal(1), "")


class TestResult:
    """A batch's result lists generations, or it is invalid."""

    NOT_READY = b'{"error":"not ready"}'
    ROW = b'{"generationId":"g-1","status":"FAILED","error":"for a test"}\n'

    def serves(self, archive: Archive, rows: bytes) -> None:
        name = archive.apis.sync.batches["b-1"].result
        archive.apis.host.media[name] = SampleMedia(name, "application/jsonl", rows)

    @pytest.mark.parametrize("rows", [NOT_READY, NOT_READY + b"\n", b'{"row":"of another shape"}\n' * 3])
    def test_one_of_which_no_row_can_be_read_is_tried_again_and_not_stored(
        self, archive_at_work: Archive, s3: S3Simulator, rows: bytes
    ) -> None:
        batch = archive_at_work.batch({})
        self.serves(archive_at_work, rows)
        assert not archive_at_work.try_medium(batch, "result")
        receipt = archive_at_work.receipt(batch)
        assert (receipt.state, receipt.reason) == ("pending", "no row could be read")
        assert (s3.keys, archive_at_work.job(batch).stage) == ([], "archiving")

        self.serves(archive_at_work, self.ROW)
        assert archive_at_work.try_medium(batch, "result", tries=2)
        assert s3.object(s3.keys[0]).content == self.ROW
        assert archive_at_work.job(batch).stage == "settled"

    def test_after_the_last_attempt_it_waits_for_a_person(self, archive_at_work: Archive, s3: S3Simulator) -> None:
        batch = archive_at_work.batch({})
        self.serves(archive_at_work, self.NOT_READY)
        assert archive_at_work.try_medium(batch, "result", tries=TRIES)
        assert archive_at_work.receipt(batch).state == "failed"
        assert (s3.keys, archive_at_work.job(batch).stage) == ([], "attention")
        assert [why for why, _ in archive_at_work.cloud.failed()] == ["no row could be read"]

    @pytest.mark.parametrize("rows", [b'{"row":"of another shape"}\n' + ROW, ROW + NOT_READY, ROW.strip()])
    def test_one_row_is_enough(self, archive_at_work: Archive, s3: S3Simulator, rows: bytes) -> None:
        batch = archive_at_work.batch({})
        self.serves(archive_at_work, rows)
        assert archive_at_work.try_medium(batch, "result")
        assert s3.object(s3.keys[0]).content == rows
        assert archive_at_work.job(batch).stage == "settled"

    def test_an_object_that_lists_no_generation_is_not_reported_as_the_result(
        self, archive_at_work: Archive, s3: S3Simulator
    ) -> None:
        """As earlier versions stored it; no object is overwritten."""
        batch = archive_at_work.batch({"g-1": None})
        key = f"media/sync/b-1/result-{batch.media[0].media_id}.jsonl"
        s3.client().put_object(Bucket=BUCKET, Key=key, Body=self.NOT_READY)
        assert archive_at_work.try_medium(batch, "result")
        receipt = archive_at_work.receipt(batch)
        assert (receipt.state, receipt.reason) == ("failed", "no row of the object that is there could be read")
        assert archive_at_work.job(batch).stage == "attention"
