"""A new provider is seven files: the steps of CONTRIBUTING.md, in a copy of the tree with an invented provider."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.support import scratch_provider
from testkit.support.template import ROOT

ITS_FILES = {
    "layers/dailies/python/dailies/providers/acme.py",
    "functions/acme_clip/app.py",
    "template.yaml",
    "simulators/provider_calls/acme.py",
    "docs/providers/acme.md",
    "events/acme_clip/done.json",
    "events/acme_clip/failed.json",
}
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "*.png")
HELD_BY = (  # these fail if a file is missing or wrong, and take seconds
    "tests/contract/test_providers.py",
    "tests/template/test_contract.py",
    "tests/template/test_roles.py",
    "tests/simulators/test_recorded_events.py::TestTheFolder",
    "tests/simulators/test_recorded_events.py::TestDeliveries",
    "tests/demo/test_demo.py::TestStory",
    "tests/docs/test_cost.py::TestAMonth",
    "tests/demo/test_invoke.py",
    "tests/resilience/test_load.py",
    "tests/resilience/test_roles.py",
    "tests/cli/test_submit.py",
)


def run(tree: Path, *arguments: str) -> str:
    """Python's output with these arguments in the tree. Raises AssertionError with the output if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(tree: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    tree = tmp_path_factory.mktemp("new-provider") / "tree"
    shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
    return tree, contents(tree)


def test_a_provider_with_a_bearer_and_no_api_is_seven_files(before: tuple[Path, dict[str, bytes]]) -> None:
    tree, were = before
    scratch_provider.add(tree)
    run(tree, "-m", "simulators.recorded_events")
    assert {name for name, _ in contents(tree).items() ^ were.items()} == ITS_FILES
    output = run(tree, "-m", "pytest", "-q", "-m", "not e2e", "-p", "no:cacheprovider", *HELD_BY)
    assert " passed" in output
    trigger = ("trigger", "acme/clip", "--secret", "acme-0123", "--media-url", "https://media.example/clip.mp4")
    made = run(tree, "-c", "from cli.main import main; main()", *trigger, "--print", "event")
    assert json.loads(made)["headers"]["authorization"] == "Bearer acme-0123"
