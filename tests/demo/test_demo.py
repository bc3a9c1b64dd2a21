"""The demo does on the stack what it says, and finds what is wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.sample_calls import SECRET_OF
from demo.__main__ import play, secrets_of, show, wait
from demo.inspection import Finding, Row, inspect
from demo.scenarios import Outcome, Step, story
from local.stack import Stack
from simulators.media_host.samples import SampleMedia
from simulators.media_host.server import MediaHost, media_host
from simulators.provider_calls import every_sample
from simulators.provider_calls.captions import captions_creator

EXAMPLE = dict.fromkeys(SECRET_OF.values(), "s" * 43)


@pytest.fixture(scope="module")
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


class TestStory:
    def test_each_webhook_is_called_called_again_and_forged(self, host: MediaHost) -> None:
        steps, _ = story(host, EXAMPLE, "run")
        by_answer = {
            answer: {step.call.webhook for step in steps if step.answer == answer}
            for answer in ("200 recorded", "200 duplicate", "401 unverified")
        }
        webhooks = set(every_sample())
        assert by_answer["200 recorded"] == by_answer["200 duplicate"] == webhooks
        assert by_answer["401 unverified"] == webhooks - {"sync/batch"}  # it is signed for the generation's webhook

    def test_another_run_has_other_jobs_and_bodies(self, host: MediaHost) -> None:
        (first, jobs), (second, others) = (story(host, EXAMPLE, run) for run in ("run1", "run2"))
        assert not {job.job_id for job in jobs} & {job.job_id for job in others}
        assert not {step.call.body for step in first} & {step.call.body for step in second}

    def test_every_outcome_has_a_delivery_in_the_scenario(self, host: MediaHost) -> None:
        steps, outcomes = story(host, EXAMPLE, "run")
        calls = {str(step.call) for step in steps}
        assert all(str(outcome.told_by) in calls for outcome in outcomes)


@dataclass(frozen=True)
class Played:
    """The scenario after one run on the stack."""

    steps: list[Step]
    called_at: dict[str, float]
    problems: list[str]
    outcomes: dict[str, Outcome]
    rows: dict[str, Row]


@pytest.fixture(scope="module")
def played(stack: Stack, host: MediaHost) -> Played:
    steps, outcomes = story(host, secrets_of(stack), "test")
    called_at, problems = play(steps, stack.webhook_base_url)
    rows = dict(zip((named(outcome) for outcome in outcomes), wait(stack, outcomes), strict=True))
    return Played(steps, called_at, problems, {named(outcome): outcome for outcome in outcomes}, rows)


def named(outcome: Outcome) -> str:
    return f"{outcome.provider} {outcome.job_id}"


class TestOnTheStack:
    LARGE = "captions test-large"

    def found(self, stack: Stack, played: Played, name: str, kept: Path) -> Finding:
        outcome = played.outcomes[name]
        told_at = played.called_at[str(outcome.told_by)]
        return inspect(stack, outcome, played.rows[name], told_at=told_at, kept=kept)

    def problems(self, stack: Stack, outcome: Outcome, row: Row, kept: Path) -> list[str]:
        return inspect(stack, outcome, row, told_at=0.0, kept=kept).problems

    def test_every_call_gets_its_answer(self, played: Played) -> None:
        assert played.problems == []
        assert set(played.called_at) == {str(step.call) for step in played.steps}

    def test_every_medium_is_in_the_bucket_and_shown(
        self, stack: Stack, played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        findings = [self.found(stack, played, name, tmp_path) for name in played.outcomes]
        assert [problem for finding in findings for problem in finding.problems] == []
        stored = [medium for finding in findings for medium in finding.stored]
        assert len(stored) == sum(len(outcome.media) for outcome in played.outcomes.values())
        assert all(0 < medium.seconds < 90 for medium in stored)
        show(findings)
        table = capsys.readouterr().out
        assert all(medium.key in table and f"{medium.bytes:,}" in table for medium in stored)
        assert max(len(line) for line in table.splitlines()) <= 120

    def test_the_objects_are_kept_with_the_page_beside_them(self, stack: Stack, played: Played, tmp_path: Path) -> None:
        self.found(stack, played, self.LARGE, tmp_path)
        page, video = sorted((tmp_path / "media" / "captions" / "test-large").iterdir())
        assert (page.name, bool(re.fullmatch(r"output-[0-9a-f]{8}\.mp4", video.name))) == ("job.json", True)
        assert video.read_bytes() == played.outcomes[self.LARGE].media["output"].content

    def test_other_bytes_are_detected(self, stack: Stack, played: Played, tmp_path: Path) -> None:
        other = replace(played.outcomes[self.LARGE], media={"output": SampleMedia("x.mp4", "video/mp4", b"other")})
        (problem,) = self.problems(stack, other, played.rows[self.LARGE], tmp_path)
        assert "has other bytes in media/captions/test-large/output-" in problem

    def test_a_receipt_without_its_object_is_detected(self, stack: Stack, played: Played, tmp_path: Path) -> None:
        row = played.rows[self.LARGE]
        lost = {**row, "media": [{**row["media"][0], "key": "media/captions/test-large/none.mp4"}]}
        (problem,) = self.problems(stack, played.outcomes[self.LARGE], lost, tmp_path)
        assert "media/captions/test-large/none.mp4 cannot be read: NoSuch" in problem  # key or version

    @pytest.mark.parametrize("name", ["key", "version_id", "bytes", "checksum", "content_type", "archived_at"])
    def test_an_incomplete_receipt_is_detected(self, stack: Stack, played: Played, tmp_path: Path, name: str) -> None:
        row = played.rows[self.LARGE]
        lacking = {**row, "media": [{key: value for key, value in row["media"][0].items() if key != name}]}
        (problem,) = self.problems(stack, played.outcomes[self.LARGE], lacking, tmp_path)
        assert problem == f"{self.LARGE}: its output has no {name} in its receipt"

    def test_a_missing_medium_is_detected_with_the_reason(self, stack: Stack, played: Played, tmp_path: Path) -> None:
        row = played.rows[self.LARGE]
        tried = {"role": "output", "state": "pending", "reason": "the host cut the answer short"}
        waiting = {**row, "stage": "archiving", "media": [tried]}
        stage, medium = self.problems(stack, played.outcomes[self.LARGE], waiting, tmp_path)
        assert stage == f"{self.LARGE}: is completed and archiving, not completed and settled"
        assert medium == f"{self.LARGE}: its output is not in the bucket: pending (the host cut the answer short)"

    def test_an_unexpected_job_and_a_missing_one_are_detected(
        self, stack: Stack, played: Played, tmp_path: Path
    ) -> None:
        expected, row = played.outcomes[self.LARGE], played.rows[self.LARGE]
        forged = replace(expected, status=None)
        assert self.problems(stack, forged, row, tmp_path) == [f"{self.LARGE}: a call without proof left a job row"]
        assert self.problems(stack, expected, {}, tmp_path) == [f"{self.LARGE}: has no job row"]

    def test_an_unexpected_response_is_reported(self, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
        forged = captions_creator("failure", "test-otherwise", "somebody-elses")
        _, problems = play([Step(forged)], stack.webhook_base_url)
        assert problems == ["captions/creator test-otherwise failure: answered 401 unverified, not 200 recorded"]
        assert "401 unverified" in capsys.readouterr().out
