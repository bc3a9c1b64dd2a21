"""Which end-to-end tests of a run have ended, in all its processes, and the folders of their stacks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import folder_from_environment

TESTS = Path(__file__).parent
LEFT_OUT = pytest.StashKey[set[str]]()


class WholeRun:
    """A run. Each process that ends an end-to-end test adds a line to one file: its stack's folder and the test."""

    def __init__(self, session: pytest.Session) -> None:
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"alone-{os.getpid()}"
        self.path = folder_from_environment() / "test" / f"{run}.ended"
        self._session = session
        self.left_out = session.config.stash[LEFT_OUT]
        """End-to-end tests, or modules of them, that were not chosen."""

    def ended(self, folder: Path | None, nodeid: str) -> None:
        """A test has ended, whatever its outcome."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(f"{folder or ''}\t{nodeid}\n")

    def stack_folders(self) -> list[Path]:
        """Of all stacks of the run."""
        return sorted({Path(folder) for folder, _ in self._lines() if folder})

    def under_way(self) -> set[str]:
        """The end-to-end tests that have not ended, except those of the whole run."""
        return {item.nodeid for item in self._session.items if _is_end_to_end(item) and not _looks_at_all(item)} - {
            nodeid for _, nodeid in self._lines()
        }

    def _lines(self) -> Iterator[tuple[str, str]]:
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            folder, _, nodeid = line.partition("\t")
            yield folder, nodeid


def _is_end_to_end(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is not None


def _looks_at_all(item: pytest.Item) -> bool:
    return item.get_closest_marker("whole_run") is not None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Modules that were not collected are left out."""
    collected = {item.path for item in session.items}
    modules = {*(TESTS / "e2e").glob("test_*.py"), *TESTS.glob("test_e2e_*.py")}
    session.config.stash[LEFT_OUT] |= {path.name for path in modules - collected}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = set()


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        if _is_end_to_end(item):
            item.config.stash[LEFT_OUT].add(item.nodeid)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    if _is_end_to_end(item):
        WholeRun(item.session).ended(getattr(item, "funcargs", {}).get("stack_folder"), item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Its file is deleted with the run: by the main process, if there are several."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        WholeRun(session).path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def whole_run(request: pytest.FixtureRequest) -> WholeRun:
    """This run."""
    return WholeRun(request.session)
