"""The package of pyproject.toml, built and installed outside the repository with its declared dependencies."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from local.stack import ROOT

EVERY_MODULE = """
import importlib, pkgutil, sys
import cli, dailies, local, simulators
for package in (cli, dailies, local, simulators):
    assert package.__file__.startswith(sys.prefix), package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from cli.console.rendering import FOLDER, TEMPLATES
for name in TEMPLATES.list_templates():
    TEMPLATES.get_template(name)
assert (FOLDER / "static/htmx.min.js").stat().st_size
"""


def run(*command: str | Path, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command with nothing of this environment but HOME."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"HOME": str(cwd), "PATH": os.defpath, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def needed(requirements: Iterator[Requirement]) -> dict[str, metadata.Distribution]:
    """The distributions in this environment that satisfy requirements, and their own requirements, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        if requirement.name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        distribution = metadata.distribution(requirement.name)
        assert requirement.specifier.contains(distribution.version), f"{distribution.version} is not {requirement}"
        found[requirement.name] = distribution
        waiting += map(Requirement, distribution.requires or ())
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the built wheel, and only those of this environment's packages that the wheel requires."""
    folder = tmp_path_factory.mktemp("package")
    built = run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    made = folder / "environment"
    assert run(sys.executable, "-m", "venv", "--without-pip", made).returncode == 0
    installed = run(
        sys.executable, "-m", "pip", "--python", made / "bin/python", "install", "--no-index", "--no-deps", wheel
    )
    assert installed.returncode == 0, installed.stderr
    site = Path(sysconfig.get_path("purelib", vars={"base": str(made)}))
    (dailies,) = metadata.distributions(name="dailies", path=[str(site)])
    for distribution in needed(map(Requirement, dailies.requires or ())).values():
        for name in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(str(distribution.locate_file(name)))
    return made


def test_the_installed_command_shows_its_help(environment: Path, tmp_path: Path) -> None:
    for command in ((), ("jobs",), ("trigger",)):
        done = run(environment / "bin/dailies", *command, "--help", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Usage: {' '.join(('dailies', *command))} " in done.stdout


def test_every_module_and_template_that_ships_can_be_loaded(environment: Path, tmp_path: Path) -> None:
    done = run(environment / "bin/python", "-c", EVERY_MODULE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_outside_a_checkout_the_local_stack_is_that_of_the_current_directory(environment: Path, tmp_path: Path) -> None:
    done = run(environment / "bin/dailies", "jobs", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(tmp_path / ".local") in done.stderr


def test_its_version_is_the_packages(environment: Path, tmp_path: Path) -> None:
    done = run(environment / "bin/dailies", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"dailies {metadata.version('dailies')}\n")
