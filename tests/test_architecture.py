"""The layout rules in lint: each reports what it should, and allows what it should."""

import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import dailies
from dailies import errors

ROOT = Path(__file__).resolve().parent.parent
LAYER = "layers/dailies/python/dailies"
CONNECTIONS = [
    "import socket",
    "import ssl",
    "import urllib3",
    "import requests",
    "import http.client",
    "import urllib.request",
]
CLIENTS = [
    "import boto3\n\nboto3.client",
    "from boto3 import resource",
    "import boto3.session",
    "import botocore.session",
]
ENVIRONMENT = ["import os\n\nos.environ", "from os import getenv"]


def bans(source: str, path: str) -> list[str]:
    """ruff's banned imports in this source at this path: `socket` is banned..."""
    options = ["--select", "TID251", "--output-format", "json", "--stdin-filename", path]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ruff")), "check", *options, "-"],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return [finding["message"] for finding in json.loads(done.stdout)]


@pytest.mark.parametrize("source", [*CONNECTIONS, *CLIENTS, *ENVIRONMENT])
def test_the_layer_opens_no_connection_makes_no_client_and_reads_no_environment(source: str) -> None:
    assert bans(source, f"{LAYER}/jobs/merge.py")
    assert bans(source, f"{LAYER}/providers/sync.py")


@pytest.mark.parametrize("source", CONNECTIONS)
def test_only_outbound_opens_connections(source: str) -> None:
    assert bans(source, "functions/archive/app.py")
    assert not bans(source, f"{LAYER}/outbound/connection.py")


@pytest.mark.parametrize("source", [*CLIENTS, *ENVIRONMENT])
def test_a_function_reads_the_environment_and_makes_the_clients(source: str) -> None:
    assert not bans(source, "functions/archive/app.py")


def test_outbound_may_open_connections_and_nothing_else() -> None:
    """Its exemption in layers/dailies/ruff.toml is for the whole rule: this is the intended use."""
    found = [
        message
        for path in (ROOT / LAYER / "outbound").glob("*.py")
        for message in bans(path.read_text(), f"{LAYER}/jobs/merge.py")
    ]
    assert found
    assert {message for message in found if "opens connections" not in message} == set()


def test_no_line_of_the_bundle_silences_the_bans() -> None:
    silenced = [
        path.relative_to(ROOT)
        for folder in (LAYER, "functions")
        for path in (ROOT / folder).rglob("*.py")
        if "noqa: TID" in path.read_text() or "ruff: noqa" in path.read_text()
    ]
    assert silenced == []


def test_a_functions_folder_holds_app_py_and_nothing_else() -> None:
    present = {path.relative_to(ROOT).as_posix() for path in (ROOT / "functions").rglob("*") if path.is_file()}
    assert {path for path in present if not path.endswith(("/app.py", ".pyc"))} == set()


def drawn(tree: str) -> Iterator[tuple[str, str]]:
    """The names in a drawn tree, each with its parent."""
    above = [(-1, tree.split("\n\n")[1].partition("\n")[0])]
    for line in re.finditer(r"^([ │]*)[├└]── (\w+)", tree, re.MULTILINE):
        depth = len(line[1])
        above = [one for one in above if one[0] < depth]
        yield line[2], above[-1][1]
        above.append((depth, line[2]))


def subclasses(of: type[Exception]) -> Iterator[tuple[type[Exception], type[Exception]]]:
    """All of them, each with its parent."""
    for one in of.__subclasses__():
        yield one, of
        yield from subclasses(one)


def test_every_error_of_the_package_is_in_errors_and_in_its_drawing() -> None:
    for module in pkgutil.walk_packages(dailies.__path__, "dailies."):
        import_module(module.name)
    found = [pair for pair in subclasses(errors.DailiesError) if pair[0].__module__.startswith("dailies.")]
    assert {one.__name__ for one, _ in found if one.__module__ != "dailies.errors"} == set()
    assert sorted(drawn(errors.__doc__ or "")) == sorted((one.__name__, of.__name__) for one, of in found)


def test_no_file_has_a_name_that_says_nothing() -> None:
    names = {
        path.stem
        for folder in (
            "functions",
            "layers",
            "simulators",
            "local",
            "cli",
            "demo",
            "bench",
            "testkit",
            "resilience",
            "tests",
        )
        for path in (ROOT / folder).rglob("*.py")
    }
    assert "app" in names
    assert names & {"utils", "helpers", "common", "core", "base"} == set()
