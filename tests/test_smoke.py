"""The short run of every script: none is missing, and a broken one is named."""

import re
from pathlib import Path

import pytest

from local.stack import ROOT
from resilience.parts import PARTS
from tests.smoke import LEFT_OUT, SEQUENCES, Script, run

# Modules that can be run, but are no scripts of their own: what starts each, or which test.
ELSEWHERE = {
    "bench.archive.host": "bench.archive, where there is no nginx",
    "bench.archive.launcher": "bench.archive",
    "bench.receive.aws": "bench.receive",
    "bench.receive.restored": "bench.receive",
    "bench.receive.verification": "bench.receive",
    "bench.suite.loads": "bench.suite",
    "bench.suite.reaper": "bench.suite",
    "local.chromium": "make browser, which make smoke calls",
    "simulators.provider_apis": "serves until interrupted; tests/simulators/test_provider_apis.py",
    "local.alarm_evaluator": "local.up",
    "demo": "tests/demo/test_demo.py",
    "local.examples": "make examples",
    "local.examples.provider": "local.examples.validating",
    "local.examples.validating": "local.examples",
    "local.webhook_proxy": "local.up",
    "local.logs": "follows until it is interrupted; what it reads, the end-to-end tests",
    "simulators.media_host.server": "serves until interrupted; tests/simulators/test_media_host.py",
    "local.media_site": "local.up, local.down",
    "local.preflight": "make lint",
    "local.preflight.judge": "local.preflight",
    "local.prose": "make lint",
    "simulators.s3": "bench.archive",
    "resilience.aws": "needs an AWS account, or minutes of the emulated one; tests/resilience/test_aws.py",
    "resilience.faults.worker": "resilience.faults",
    "resilience.fuzz.run": "resilience.fuzz",
    "resilience.transfers.killing": "resilience.transfers",
}
RUNS = re.compile(r"""^(if __name__ == "__main__":|main\(\))""", re.MULTILINE)


def runnable() -> set[str]:
    """All runnable modules, by the names that `python -m` takes."""
    files = [
        path
        for folder in ("bench", "demo", "local", "resilience", "simulators")
        for path in (ROOT / folder).rglob("*.py")
    ]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        for path in files
        if RUNS.search(path.read_text())
    }


def test_every_script_runs() -> None:
    scripts = {script.name for sequence in SEQUENCES for script in sequence}
    parts = {part.module for together in PARTS for part in together.values()}
    assert runnable() == scripts | parts | ELSEWHERE.keys()


def script(folder: Path, name: str, code: str) -> Script:
    (folder / f"{name}.py").write_text(code)
    return Script(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scripts in it can be run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def test_scripts_that_run_say_how_long_they_took_and_what_they_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = (script(folder, "whole", "print(1)"), script(folder, "partly", f"print({LEFT_OUT!r} + 'rclone')"))
    assert run(sequence, folder) == []
    whole, partly, left_out = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"smoke: whole +\d+\.\d s  ok", whole)
    assert re.fullmatch(r"smoke: partly +\d+\.\d s  ok", partly)
    assert left_out.strip() == "Left out: rclone"


def test_a_broken_script_is_reported_with_its_error_and_the_last_one_still_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = (
        script(folder, "broken", "raise SystemExit('module has no attribute')"),
        script(folder, "never", "print(1)"),
        script(folder, "last", "print(1)"),
    )
    assert run(sequence, folder) == ["broken"]
    broken, words, last = capsys.readouterr().out.splitlines()
    assert "FAILED: exit code 1" in broken
    assert words.strip() == "module has no attribute"
    assert "smoke: last" in last


def test_one_that_prints_nothing_is_broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run((script(folder, "silent", ""),), folder) == ["silent"]
    assert "FAILED: no output" in capsys.readouterr().out
