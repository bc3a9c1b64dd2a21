"""The stack that end-to-end tests talk to: the real template on an emulated AWS of this test run's own.

It runs beside whatever `make up` runs: a folder and ports of its own. Each process of a test run has its own stack
(tests/lanes.py).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.apis import ProviderApis, provider_apis
from local.stack import Stack, folder_from_environment
from tests.registered import deployed


@pytest.fixture(scope="session")
def stack_folder() -> Path:
    """Where this process's stack keeps its files; `up` with it and with other parameters updates that stack."""
    return folder_from_environment() / "test" / os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def stack_apis() -> Iterator[ProviderApis]:
    """The providers' APIs as the stack knows them. Credentials for them are not set."""
    with provider_apis() as running:
        yield running


@pytest.fixture(scope="session")
def stack(stack_folder: Path, stack_apis: ProviderApis) -> Iterator[Stack]:
    """The deployed stack: its clients, its URL, its outputs. What is in it stays from test to test: use own job ids."""
    # Nobody is mailed; the topic is there to listen to.
    with deployed(stack_folder, stack_apis, AlarmEmail="owner@example.com") as running:
        yield running
