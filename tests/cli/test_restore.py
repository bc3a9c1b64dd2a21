"""Rows that the stack's table lacks are copied from a restored table beside it."""

import time
from typing import Any

import pytest

from cli.errors import CliError, NothingFound
from cli.restore import Restored, restore
from cli.stack import Stack
from testkit.fixtures.aws import TABLE
from testkit.fixtures.cli import dailies

RESTORED = "dailies-restored"
LATER = str(int(time.time()) + 3600)
JOB = {"pk": {"S": "job#sync#g-1"}, "sk": {"S": "job"}, "version": {"N": "3"}}
EVENT = {"pk": {"S": "job#sync#g-1"}, "sk": {"S": "event#1"}, "expires_at": {"N": LATER}}
CALL = {"pk": {"S": "quarantine#sync#2026-01-15"}, "sk": {"S": "event#2"}}
EXPIRED = {"pk": {"S": "job#sync#g-1"}, "sk": {"S": "event#0"}, "expires_at": {"N": "1"}}
LIMIT = {"pk": {"S": "limit#sync"}, "sk": {"S": "calls"}}


@pytest.fixture
def stack(fast_stack: Stack) -> Stack:
    """A stack with a restored table that has all these rows."""
    keys: Any = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    fast_stack.dynamodb.create_table(
        TableName=RESTORED,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=keys,
    )
    for item in (EVENT, JOB, CALL, EXPIRED, LIMIT):
        fast_stack.dynamodb.put_item(TableName=RESTORED, Item=item)
    return fast_stack


def rows(stack: Stack) -> list[Any]:
    return sorted(stack.dynamodb.scan(TableName=TABLE)["Items"], key=str)


def test_what_is_lacking_comes_back_and_again_nothing_is_lacking(stack: Stack) -> None:
    assert restore(stack, RESTORED) == Restored(put_back=3, there=0)
    assert rows(stack) == sorted([JOB, EVENT, CALL], key=str)
    assert restore(stack, RESTORED) == Restored(put_back=0, there=3)


def test_a_row_that_is_there_stays_as_it_is(stack: Stack) -> None:
    newer = {**JOB, "version": {"N": "9"}}
    stack.dynamodb.put_item(TableName=TABLE, Item=newer)
    assert restore(stack, RESTORED) == Restored(put_back=2, there=1)
    assert newer in rows(stack)


def test_job_rows_come_first_as_their_facts_may_come_from_events_that_have_expired(stack: Stack) -> None:
    written: list[str] = []
    events = stack.dynamodb.meta.events
    events.register(
        "provide-client-params.dynamodb.PutItem", lambda params, **_: written.append(params["Item"]["sk"]["S"])
    )
    restore(stack, RESTORED)
    assert written[0] == "job"
    assert sorted(written[1:]) == ["event#1", "event#2"]


def test_progress_counts_each_row(stack: Stack) -> None:
    counted: list[int] = []
    restore(stack, RESTORED, counted.append)
    assert counted == [1, 1, 1]


def test_a_table_that_there_is_not_or_that_is_the_stacks_own_is_refused(stack: Stack) -> None:
    with pytest.raises(
        NothingFound, match=r"No table nobodys in us-east-1. List the tables with `aws dynamodb list-tables`"
    ):
        restore(stack, "nobodys")
    with pytest.raises(
        CliError, match=f"{TABLE} is the table of dailies in us-east-1 itself. Name the restored table."
    ):
        restore(stack, TABLE)


def test_the_command_prompts_before_it_writes(deployed: None) -> None:
    done = dailies("restore", RESTORED, "--stack", "dailies")
    assert (done.code, "--yes" in done.err) == (1, True)
