"""The smoke test of AWS: which steps a run takes, their results, which resources it may touch, and its table."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resilience.aws import record, report
from resilience.aws.costs import Usage, dollars
from resilience.aws.plan import STEPS
from resilience.aws.record import NotOurs, Record
from resilience.aws.steps import LeftOut, Outcome, Step, Wrong, chosen, expect, run_all, until
from resilience.aws.trial import PARAMETERS
from testkit.support.template import template

ACCOUNT, REGION, NAME = "123456789012", "eu-central-1", "dailies-smoke-ab12"
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/1"


class Account:
    """The resources that the steps of these tests act on."""

    def __init__(self) -> None:
        self.deployed = False
        self.ran: list[str] = []


def step(name: str, run: Callable[[Account], str] | None = None, *, stack: bool | None = True) -> Step[Account]:
    def ran(account: Account) -> str:
        account.ran.append(name)
        return run(account) if run else "seen"

    return Step(name, "does", "expected", ran, Usage(calls=1), stack)


def deploys(account: Account) -> str:
    account.deployed = True
    return "made"


def deletes(account: Account) -> str:
    account.deployed = False
    return "gone"


def raises(error: BaseException) -> Callable[[Account], str]:
    def run(_: Account) -> str:
        raise error

    return run


FIRST, SECOND = step("first", deploys, stack=None), step("second")
DELETE, AGAIN = step("delete", deletes), step("again", deploys, stack=False)
ALL = [FIRST, SECOND, DELETE, AGAIN]


def outcomes(steps: list[Step[Account]], account: Account | None = None) -> list[Outcome]:
    account = account or Account()
    return list(run_all(steps, account, lambda: account.deployed, lambda *_: 0.5, unexpected=(OSError,)))


def words(found: list[Outcome]) -> list[tuple[str, str, str]]:
    return [(one.name, one.word, one.seen) for one in found]


class TestWhichStepsARunTakes:
    @pytest.mark.parametrize(
        ("only", "start", "is_deployed", "expected"),
        [
            ([], "", False, ["first", "second", "delete", "again"]),
            (["second"], "", True, ["second"]),
            (["second"], "", False, ["first", "second"]),
            ([], "delete", True, ["delete", "again"]),
            ([], "delete", False, ["first", "delete", "again"]),
            (["again", "second"], "", True, ["second", "again"]),
        ],
    )
    def test_those_that_are_named_and_the_first_where_no_stack_is_there(
        self, only: list[str], start: str, is_deployed: bool, expected: list[str]
    ) -> None:
        taken, others = chosen(ALL, only, start, is_deployed=is_deployed)
        assert [one.name for one in taken] == expected
        assert {one.name for one in others} == {one.name for one in ALL} - set(expected)

    @pytest.mark.parametrize(("only", "start"), [(["third"], ""), ([], "third"), (["second"], "first")])
    def test_a_name_of_none_and_both_options_are_refused(self, only: list[str], start: str) -> None:
        with pytest.raises(ValueError, match=r"third|--only or --from"):
            chosen(ALL, only, start, is_deployed=True)


class TestWhatBecomesOfAStep:
    def test_all_go_well(self) -> None:
        assert words(outcomes(ALL)) == [
            ("first", "ok", "made"),
            ("second", "ok", "seen"),
            ("delete", "ok", "gone"),
            ("again", "ok", "made"),
        ]

    @pytest.mark.parametrize(
        ("error", "word", "seen"),
        [
            (Wrong("two are missing"), "wrong", "two are missing"),
            (LeftOut("no key"), "left out", "no key"),
            (OSError("no route"), "wrong", "OSError: no route"),
        ],
    )
    def test_one_that_fails_stops_no_other(self, error: Exception, word: str, seen: str) -> None:
        found = outcomes([FIRST, step("bad", raises(error)), SECOND])
        assert words(found)[1:] == [("bad", word, seen), ("second", "ok", "seen")]

    def test_without_a_stack_those_that_need_one_are_left_out(self) -> None:
        account = Account()
        failing = step("first", raises(Wrong("refused")), stack=None)
        found = outcomes([failing, SECOND, DELETE], account)
        assert words(found)[1:] == [
            ("second", "left out", "there is no stack"),
            ("delete", "left out", "there is no stack"),
        ]
        assert account.ran == ["first"]

    def test_what_needs_the_stack_to_be_gone_is_left_out_where_it_is_not(self) -> None:
        undeletable = step("delete", raises(Wrong("DELETE_FAILED")))
        assert words(outcomes([FIRST, undeletable, AGAIN]))[-1] == ("again", "left out", "the stack still exists")

    def test_an_interrupt_skips_the_rest_and_is_raised_again(self) -> None:
        account, found = Account(), []
        steps = [FIRST, step("long", raises(KeyboardInterrupt())), SECOND]
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  the outcomes come first
            for one in run_all(steps, account, lambda: account.deployed, lambda *_: 0.5):
                found.append(one)  # noqa: PERF402
        assert words(found)[1:] == [("long", "left out", "interrupted"), ("second", "left out", "interrupted")]
        assert [one.dollars for one in found] == [0.5, 0.5, 0.0]

    def test_a_defect_of_a_step_is_not_swallowed(self) -> None:
        with pytest.raises(ZeroDivisionError):
            outcomes([step("first", raises(ZeroDivisionError()), stack=None)])


class TestWaiting:
    def test_it_polls_until_the_result_is_good(self) -> None:
        seen = iter([1, 2, 3])
        assert until("three", lambda: next(seen), lambda one: one == 3, pause=0) == 3

    def test_a_result_that_never_comes_is_an_error_with_the_last_value(self) -> None:
        with pytest.raises(Wrong, match="three: not after 0 s; seen last: 2"):
            until("three", lambda: 2, lambda one: one == 3, seconds=0, pause=0)

    def test_a_failing_check_is_repeated_and_reported_in_the_end(self) -> None:
        seen: Iterator[str | Wrong] = iter([Wrong("no such host"), "200"])

        def look() -> str:
            one = next(seen, Wrong("still none"))
            if isinstance(one, Wrong):
                raise one
            return one

        assert until("it answers", look, lambda one: one == "200", pause=0) == "200"
        with pytest.raises(Wrong, match="it answers: not after 0 s; seen last: still none"):
            until("it answers", look, bool, seconds=0, pause=0)

    def test_what_does_not_hold_is_wrong(self) -> None:
        expect(1, "fine")
        with pytest.raises(Wrong, match="two"):
            expect([], "two")


class TestWhatMayBeTouched:
    """Only what the record says."""

    def test_a_name_that_is_free_begins_a_record(self) -> None:
        assert record.claim(None, [], account=ACCOUNT, region=REGION, stack=NAME) == Record(ACCOUNT, REGION, NAME)

    def test_a_stack_that_is_there_and_was_not_made_here_is_refused(self) -> None:
        with pytest.raises(NotOurs, match="exists already"):
            record.claim(None, [{"StackId": ARN}], account=ACCOUNT, region=REGION, stack=NAME)

    def test_one_that_was_made_here_is_gone_on_with(self) -> None:
        kept = Record(ACCOUNT, REGION, NAME, stack_id=ARN)
        assert record.claim(kept, [{"StackId": ARN}], account=ACCOUNT, region=REGION, stack=NAME) is kept
        assert record.claim(kept, [], account=ACCOUNT, region=REGION, stack=NAME) is kept

    def test_another_one_of_the_same_name_is_refused(self) -> None:
        kept = Record(ACCOUNT, REGION, NAME, stack_id=ARN)
        with pytest.raises(NotOurs, match="is not the one made here"):
            record.claim(kept, [{"StackId": f"{ARN}2"}], account=ACCOUNT, region=REGION, stack=NAME)

    @pytest.mark.parametrize(("account", "region"), [("210987654321", REGION), (ACCOUNT, "us-east-1")])
    def test_another_account_or_region_is_refused(self, account: str, region: str) -> None:
        with pytest.raises(NotOurs, match=f"{ACCOUNT} in {REGION}"):
            record.claim(Record(ACCOUNT, REGION, NAME), [], account=account, region=region, stack=NAME)

    def test_the_record_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        path = tmp_path / "folder/record.json"
        assert record.read(path) is None
        kept = Record(ACCOUNT, REGION, NAME, ARN, files="files", parameters={"AlarmEmail": ""})
        for _ in range(2):
            kept.add({"TableName": "table", "MediaBucketName": "bucket"})
        kept.write(path)
        assert record.read(path) == kept
        assert (kept.tables, kept.buckets) == (["table"], ["bucket"])


class TestTheTable:
    FOUND = (
        Outcome("deploy", "does", "expected", "ok", "created", 181.4, 0.0071),
        Outcome("webhooks", "does", "expected", "wrong", "sync/batch: new 401\n a | b", 12.0, 0.0003),
        Outcome("rotate-captions", "does", "expected", "left out", "no key", 0, 0),
    )

    def test_each_step_has_a_line_and_the_last_one_has_the_sums(self) -> None:
        assert report.table(self.FOUND).splitlines()[2:] == [
            "| deploy | expected | ok | 181 | 0.0071 | created |",
            "| webhooks | expected | wrong | 12 | 0.0003 | sync/batch: new 401 a / b |",
            "| rotate-captions | expected | left out | 0 | 0.0000 | no key |",
            "| | | | 193 | 0.0074 | 1 ok, 1 wrong, 1 left out |",
        ]

    def test_the_file_has_all_of_it(self, tmp_path: Path) -> None:
        report.keep(self.FOUND, {"where": "AWS"}, tmp_path / "new/aws.json")
        kept = json.loads((tmp_path / "new/aws.json").read_text())
        assert kept["where"] == "AWS"
        assert kept["steps"][1]["seen"] == "sync/batch: new 401\n a | b"

    def test_a_wrong_step_or_none_that_was_tried_is_an_error(self) -> None:
        ok, wrong, left_out = self.FOUND
        assert report.is_wrong([ok, wrong, left_out])
        assert report.is_wrong([left_out])
        assert not report.is_wrong([ok, left_out])


class TestThePlan:
    def test_an_hour_of_all_steps_is_about_ten_cents_at_most(self) -> None:
        spent = sum(dollars(step.usage, 3600 / len(STEPS)) for step in STEPS)
        assert 0.01 < spent < 0.10

    def test_what_is_used_costs_more(self) -> None:
        nothing = dollars(Usage(), 60)
        assert dollars(Usage(), 120) == pytest.approx(2 * nothing)
        for more in (Usage(calls=1), Usage(media=1), Usage(downloaded_mb=1), Usage(deploys=1)):
            assert dollars(more, 60) > nothing

    def test_the_parameters_that_are_set_are_the_templates(self) -> None:
        declared = template()["Parameters"]
        for name, value in PARAMETERS.items():
            allowed = declared[name].get("AllowedValues")
            if allowed:
                assert value in map(str, allowed), name
            else:
                assert declared[name]["MinValue"] <= int(value) <= declared[name].get("MaxValue", int(value)), name
