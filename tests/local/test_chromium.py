"""The Chromium for the console's tests and pictures: CHROMIUM, else this machine's, else the installed one."""

from pathlib import Path

import pytest

from local import chromium


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser: the folder that is its PATH."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_what_chromium_names_wins(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "chromium")
    monkeypatch.setenv("CHROMIUM", "/opt/browser")
    assert chromium.path() == "/opt/browser"


@pytest.mark.parametrize("name", ["chromium", "google-chrome", "google-chrome-stable"])
def test_the_machines_own_comes_before_the_one_that_was_brought(machine: Path, name: str) -> None:
    own = program(machine / name)
    assert chromium.path() == str(own)


def test_a_snap_is_not_taken(machine: Path) -> None:
    (machine / "chromium").symlink_to(program(machine / "snap"))
    assert chromium.installed() is None


def test_a_name_without_a_program_is_reported_before_any_download(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", str(machine / "none"))
    with pytest.raises(SystemExit, match="is no program"):
        chromium.main()
