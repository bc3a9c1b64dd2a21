"""The stack that end-to-end tests talk to: the real template on an emulated AWS of this test run's own.

It stands beside whatever `make up` runs: own folder, free ports. Whoever asks for it is marked `e2e` and runs after the
fast tests.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.apis import ProviderApis, provider_apis
from local.stack import Stack, alone, folder_from_environment
from local.up import end, up


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the stack, and put it last: a mistake that a fast test finds is told at once. Behind all of it
    comes what looks at the whole run."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("e2e")
    items.sort(key=lambda item: [item.get_closest_marker(mark) is not None for mark in ("whole_run", "e2e")])


def parameters(apis: ProviderApis) -> dict[str, str]:
    """Of the template, for the stack of the tests: the providers' APIs are these."""
    return {
        "SyncApiUrl": apis.sync.base_url,
        "CreatifyApiUrl": apis.creatify.base_url,
        "CaptionsApiUrl": apis.captions.base_url,
        "AlarmEmail": "owner@example.com",  # nobody is mailed; the topic is there to listen to
    }


@pytest.fixture(scope="session")
def stack_folder() -> Path:
    """Where the stack of the tests keeps its files; `up` with it and with other parameters updates that stack."""
    return folder_from_environment() / "test"


@pytest.fixture(scope="session")
def stack_apis() -> Iterator[ProviderApis]:
    """The providers' APIs as the stack knows them. Credentials for them are not set."""
    with provider_apis() as running:
        yield running


@pytest.fixture(scope="session")
def stack(stack_folder: Path, stack_apis: ProviderApis) -> Iterator[Stack]:
    """The deployed stack: its clients, its URL, its outputs. What is in it stays from test to test: use own job ids."""
    with alone(stack_folder / "run"):  # another test run of this checkout waits: the two would share the folder
        end(stack_folder)  # of a run that was killed
        try:
            yield up(stack_folder, parameters(stack_apis), emulator_port=0, webhook_port=0, record=True)
        finally:
            end(stack_folder)
