"""How the tests are spread over processes: three stacks with their end-to-end tests, and the fast tests.

A lane is a stack and the end-to-end tests that use it, one after the other. They mostly wait, so the lanes run at once
and leave the processors to the fast tests, which run in the other processes, a module at a time. Without pytest-xdist
(plain `pytest`) all tests run in one process: first the fast ones, then the end-to-end ones on one stack.
"""

import os
from pathlib import PurePath
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

END_TO_END = "tests/e2e/"
FIRST = "first stack"
# Each with its end-to-end modules, chosen for equal run times. A module that is not named is on the first stack.
LANES = {
    "second stack": {"captions_rotation", "captions_webhook", "command_repairs", "renewal", "rotation"},
    "third stack": {"console", "jobs", "local_stack", "reception", "reconcile", "request_log", "roles"},
    FIRST: set[str](),
}
# They leave so many jobs that later commands and polling runs would take long.
LEAVE_MANY_JOBS = frozenset({"test_captions_rotation", "test_reconcile"})


def lane_of(nodeid: str) -> str:
    """The lane of an end-to-end test; empty for a fast test.

    A test of the whole run exists once per stack, with the lane's name in its parameters.
    """
    path = nodeid.partition("::")[0]
    if not path.startswith(END_TO_END):
        return ""
    module = PurePath(path).stem.removeprefix("test_")
    for name, modules in LANES.items():
        if name in nodeid or module in modules:
            return name
    return FIRST


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """A worker process gets a lane, or a module of fast tests, as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(nodeid) or nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Lanes:
    return Lanes(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A process for each lane, which mostly waits, and one per two processors for the fast tests."""
    return len(LANES) + max(1, (os.cpu_count() or 1) // 2)


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several."""
    return hasattr(config, "workerinput")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of the whole run for each of its stacks."""
    if metafunc.definition.get_closest_marker("whole_run") and "lane" in metafunc.fixturenames:
        metafunc.parametrize("lane", LANES if is_worker(metafunc.config) else [FIRST], scope="module")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by mark
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the end-to-end tests. In one process they run last, so that a fast test's failure shows at once. In several
    they begin first, as the lanes take longest. A lane ends with the tests of its whole run.
    """
    for item in items:
        if lane_of(item.nodeid):
            item.add_marker("e2e")

    def order(item: pytest.Item) -> tuple[Any, ...]:
        place = lane_of(item.nodeid)
        last = item.get_closest_marker("whole_run") is not None
        return bool(place) != is_worker(config), place, last, item.path.stem in LEAVE_MANY_JOBS

    items.sort(key=order)
