"""After all end-to-end tests: each request of the functions was allowed by their role, and each role allows only what
was requested.

It reads the requests that the stacks recorded (local/request_log.py), and checks them again against the template.
"""

import json
from pathlib import Path

import pytest

from local.stack import Stack
from local.up import REQUESTS
from resilience.roles.recording import Recording, read, unused
from testkit.support.aws_models import wrong_with
from tests.whole_run import WholeRun

pytestmark = pytest.mark.whole_run


@pytest.fixture(scope="module")
def recording(lane: str, stack: Stack, stack_folder: Path) -> Recording:
    """Those of this lane's stack."""
    return read(stack_folder)


def test_each_decision_was_the_evaluators(recording: Recording) -> None:
    assert list(recording.disagreements()) == []


def test_each_request_is_allowed_by_the_template(recording: Recording) -> None:
    assert recording.checks
    assert list(recording.not_allowed()) == []
    assert recording.unchecked == frozenset()


def test_each_request_is_one_that_aws_describes(lane: str, stack: Stack, stack_folder: Path) -> None:
    records = [json.loads(line) for line in (stack_folder / REQUESTS).read_text().splitlines()]
    requests = [record for record in records if "operation" in record]
    assert {"dynamodb", "s3", "events"} <= {record["service"] for record in requests}
    assert {wrong for record in requests if (wrong := wrong_with(record))} == set()


def test_nothing_was_refused_but_for_a_grant_that_a_test_took_out(recording: Recording) -> None:
    assert [str(check) for check, grant in recording.refused() if grant is None] == []


def test_each_grant_is_needed_by_a_request_of_the_whole_run(lane: str, whole_run: WholeRun) -> None:
    """If the tests run in several processes, the last one to end reads the records of all of them."""
    recordings = [read(folder) for folder in whole_run.stack_folders()]
    if whole_run.left_out:
        pytest.skip(f"only a part of the end-to-end tests was chosen; without the others: {len(unused(recordings))}")
    if not whole_run.under_way():
        assert unused(recordings) == []
